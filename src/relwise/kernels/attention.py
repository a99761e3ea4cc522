"""`attend`: the attention softmax and weighted sum of a RelGNN layer (eq. 3, 4) as one operator.

With L heads that differ in their attention alone, the mean over heads can be taken over the scalar weights:

    α^l_e = softmax over the kept edges e into i of LeakyReLU(target_logit[i, l] + row_logit[row[e], l])
    out_i = Σ_e (1/L Σ_l α^l_e) rows[row[e]]

so one weighted sum serves all heads. Memory: N × d + P × d, and E × (L + 1) in the backward pass alone; no tensor of
edges × d.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from relwise.kernels import attention_backward, attention_forward, cuda, hubs, reference
from relwise.kernels.adjacency import Adjacency
from relwise.kernels.arrays import arrays
from relwise.kernels.memory import room, rooms
from relwise.kernels.target_sums import SUMS


def attend(
    target_logit: Tensor,
    row_logit: Tensor,
    rows: Tensor,
    adjacency: Adjacency,
    keep: Tensor | None = None,
    slope: float = 0.2,
) -> tuple[Tensor, Tensor]:
    """Attention over each node's incoming edges, and the weighted sum of what they say.

    Args:
        target_logit: (N, L) the target's part of each logit.
        row_logit: (P, L) the part of relation and source.
        rows: (P, d) what each row says.
        adjacency: the message graph.
        keep: (F,) bool, the facts whose edges carry messages; None: all.
        slope: LeakyReLU's.

    Returns:
        (N, d) weighted sums, zero for a node without kept edges; and (N, L) the logarithm of the sum of each node's
        exponentials, infinite where there is none to sum: without gradient, for `attend_backward`.

    >>> from relwise.kernels.adjacency import build_adjacency
    >>> adjacency = build_adjacency(torch.tensor([0, 1]), torch.tensor([2, 2]), torch.tensor([0, 0]), 3, 1)
    >>> attend(torch.zeros(3, 1), torch.zeros(2, 1), torch.tensor([[1.0], [3.0]]), adjacency)[0].tolist()
    [[0.0], [0.0], [2.0]]
    """
    return torch.ops.relwise.attend(
        target_logit,
        row_logit,
        rows,
        adjacency.indptr,
        adjacency.row,
        adjacency.fact,
        fact_mask(keep, adjacency),
        adjacency.row_indptr,
        adjacency.row_target,
        adjacency.row_fact,
        slope,
    )


def attend_and_activate(
    own: Tensor,
    target_logit: Tensor,
    row_logit: Tensor,
    rows: Tensor,
    adjacency: Adjacency,
    keep: Tensor | None,
    slope: float,
) -> Tensor:
    """own = LeakyReLU(own + `attend`'s sums), in place, on the CPU; returns what `attend_backward_in_place` needs.

    That is (2, N, L): `attend`'s second result, and the mean of LeakyReLU's slopes at each target's logits.
    """
    edges = adjacency.indptr, adjacency.row, adjacency.fact, _mask(keep, adjacency)
    return _forward_on_cpu((target_logit, row_logit, rows), edges, slope, True, own)


def attend_backward(
    grad_out: Tensor,
    target_logit: Tensor,
    row_logit: Tensor,
    rows: Tensor,
    logsumexp: Tensor,
    adjacency: Adjacency,
    keep: Tensor | None = None,
    slope: float = 0.2,
) -> tuple[Tensor, Tensor, Tensor]:
    """The gradients of `attend`'s first result by its first three arguments, for layers that write out their own."""
    return torch.ops.relwise.attend_backward(
        grad_out,
        target_logit,
        row_logit,
        rows,
        logsumexp,
        adjacency.indptr,
        adjacency.row,
        adjacency.fact,
        fact_mask(keep, adjacency),
        adjacency.row_indptr,
        adjacency.row_target,
        adjacency.row_fact,
        slope,
    )


def attend_backward_in_place(
    grad_out: Tensor,
    target_logit: Tensor,
    row_logit: Tensor,
    rows: Tensor,
    told: Tensor,
    adjacency: Adjacency,
    keep: Tensor | None = None,
    slope: float = 0.2,
) -> tuple[Tensor, Tensor]:
    """`attend_backward` on the CPU, which leaves the rows' gradients where the rows stood.

    Args:
        told: (2, N, L) what `attend_and_activate` returned.
    """
    states = grad_out, target_logit, row_logit, rows, told
    edges = adjacency.row_indptr, adjacency.row_target, adjacency.row_fact, _mask(keep, adjacency)
    return _backward_on_cpu(states, edges, slope, rows)


def fact_mask(keep: Tensor | None, adjacency: Adjacency) -> Tensor:
    """(F,) bool which facts carry messages: all, or as given, which must name each."""
    if keep is None:
        return torch.ones(adjacency.num_facts, dtype=torch.bool, device=adjacency.fact.device)
    if len(keep) < adjacency.num_facts:
        raise ValueError(f"keep has {len(keep)} entries for {adjacency.num_facts} facts")
    return keep


def _mask(keep: Tensor | None, adjacency: Adjacency) -> Tensor:
    """`fact_mask`, of no length where none is given: `_masking` need not look through it."""
    return torch.ones(0, dtype=torch.bool) if keep is None else fact_mask(keep, adjacency)


def attention_weights(
    target_logit: Tensor,
    row_logit: Tensor,
    adjacency: Adjacency,
    keep: Tensor | None = None,
    slope: float = 0.2,
    edge_logit: Tensor | None = None,
) -> Tensor:
    """(E, L) the α of `attend`, in the order of the edges sorted by target: for those who want to see them.

    With `edge_logit` (E, L), in that order, each edge adds its own part to its logits (`attend_edges`).
    """
    kept = torch.ones_like(adjacency.fact, dtype=torch.bool) if keep is None else keep[adjacency.fact.long()]
    if edge_logit is None:
        return reference.attention(target_logit, row_logit, adjacency.indptr, adjacency.row, kept, slope)
    each = torch.arange(adjacency.num_edges, device=row_logit.device)
    of_edge = row_logit[adjacency.row.long()] + edge_logit
    return reference.attention(target_logit, of_edge, adjacency.indptr, each, kept, slope)


@torch.library.custom_op("relwise::attend", mutates_args=())
def _attend(
    target_logit: Tensor,
    row_logit: Tensor,
    rows: Tensor,
    indptr: Tensor,
    row: Tensor,
    fact: Tensor,
    keep: Tensor,
    row_indptr: Tensor,
    row_target: Tensor,
    row_fact: Tensor,
    slope: float,
) -> tuple[Tensor, Tensor]:
    return reference.attend(target_logit, row_logit, rows, indptr, row, keep[fact.long()], slope)


@_attend.register_fake
def _(target_logit, row_logit, rows, indptr, row, fact, keep, row_indptr, row_target, row_fact, slope):
    return rows.new_empty(target_logit.shape[0], rows.shape[1]), torch.empty_like(target_logit)


@_attend.register_kernel("cpu")
def _(target_logit, row_logit, rows, indptr, row, fact, keep, row_indptr, row_target, row_fact, slope):
    out = rows.new_empty(target_logit.shape[0], rows.shape[1])
    told = _forward_on_cpu((target_logit, row_logit, rows), (indptr, row, fact, keep), slope, False, out)
    return out, told[0].clone()  # an operator's results share no memory


def _forward_on_cpu(
    states: tuple[Tensor, ...], edges: tuple[Tensor, ...], slope: float, add: bool, out: Tensor
) -> Tensor:
    """(2, N, L) the logarithm of the sum of each node's exponentials, and Σ β; `out` is filled, or added to."""
    told = room((2, *states[0].shape), states[0].dtype)
    given, (indptr, row, fact), keep = arrays(*states), arrays(*edges[:3]), _masking(edges[3])
    how = row.view(np.uint32), fact, keep, slope, add, out.numpy(), *told.numpy()
    attention_forward.attend(*[*given, indptr, *how])
    pieces = hubs.hub_pieces(indptr)
    if len(pieces):
        hubs.attend_hubs(*[pieces, *given, *how])
    return told


@torch.library.custom_op("relwise::attend_backward", mutates_args=())
def _attend_backward(
    grad_out: Tensor,
    target_logit: Tensor,
    row_logit: Tensor,
    rows: Tensor,
    logsumexp: Tensor,
    indptr: Tensor,
    row: Tensor,
    fact: Tensor,
    keep: Tensor,
    row_indptr: Tensor,
    row_target: Tensor,
    row_fact: Tensor,
    slope: float,
) -> tuple[Tensor, Tensor, Tensor]:
    return reference.attend_backward(grad_out, target_logit, row_logit, rows, indptr, row, keep[fact.long()], slope)


@_attend_backward.register_fake
def _(grad_out, target_logit, row_logit, rows, *_):
    return torch.empty_like(target_logit), torch.empty_like(row_logit), torch.empty_like(rows)


@_attend_backward.register_kernel("cpu")
def _(
    grad_out, target_logit, row_logit, rows, logsumexp, indptr, row, fact, keep, row_indptr, row_target, row_fact, slope
):
    grad_rows = torch.empty(rows.shape, dtype=rows.dtype)
    # What else is needed of the forward pass is found again; nothing is said to that end.
    silent, nothing = rows[:, :0].contiguous(), rows.new_empty(len(target_logit), 0)
    told = _forward_on_cpu((target_logit, row_logit, silent), (indptr, row, fact, keep), slope, False, nothing)
    states = grad_out, target_logit, row_logit, rows, torch.stack([logsumexp, told[1]])
    edges = row_indptr, row_target, row_fact, keep
    return *_backward_on_cpu(states, edges, slope, grad_rows), grad_rows


def _backward_on_cpu(
    states: tuple[Tensor, ...], edges: tuple[Tensor, ...], slope: float, grad_rows: Tensor
) -> tuple[Tensor, Tensor]:
    """The gradients of the logits by target and by row; those of the rows go to `grad_rows`, which may be the rows.

    Args:
        states: of the last of them, what `_forward_on_cpu` returned.
    """
    grad_target, grad_row = (room(t.shape, t.dtype) for t in states[1:3])
    num_edges, (num_nodes, heads) = len(edges[1]), grad_target.shape
    slices, width, stops = attention_backward.sizes(num_edges, num_nodes, len(grad_row), heads)
    places = num_nodes * heads * SUMS
    shapes = (heads, width), (num_nodes, 2 * heads), (slices, places), (places,)
    beta, of_targets, parts, sums = rooms(shapes, grad_rows.dtype)
    found, filled = (room((stops,), torch.int32).numpy(), beta), (grad_rows.numpy(), grad_row.numpy())
    row_indptr, row_target, row_fact = arrays(*edges[:3])
    (*tables, (logsumexp, slopes)), row_target = arrays(*states), row_target.view(np.uint32)
    given = *tables, logsumexp, row_indptr, row_target, row_fact, _masking(edges[3])
    attention_backward.rows_backward(*[*given, slope, *filled, of_targets, *found, parts, sums])
    inner = of_targets.reshape(2 * num_nodes, heads)[:num_nodes]  # what stood there has been read
    of_softmax = *found, sums, slopes, inner, grad_target.numpy(), filled[1]
    attention_backward.softmax_backward(*[*given[5:], slices, *of_softmax])
    return grad_target, grad_row


def _masking(keep: Tensor) -> np.ndarray:
    """`keep` as the kernels take it: of no length where all facts are kept, so that none is looked up."""
    (kept,) = arrays(keep)
    return kept if len(kept) and not kept.all() else kept[:0]


def _save(ctx, inputs, output) -> None:
    *tensors, slope = inputs
    ctx.mark_non_differentiable(output[1])
    ctx.save_for_backward(*tensors[:3], output[1], *tensors[3:])
    ctx.slope = slope


def _backward(ctx, grad_out: Tensor, _grad_logsumexp: Tensor):
    grads = torch.ops.relwise.attend_backward(grad_out, *ctx.saved_tensors, ctx.slope)
    return (*grads, None, None, None, None, None, None, None, None)


_attend.register_autograd(_backward, setup_context=_save)
cuda.register_attention(_attend, _attend_backward)
