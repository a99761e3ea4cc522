"""`attend`: the attention softmax and weighted sum of a RelGNN layer (eq. 3, 4) as one operator.

With L heads that differ in their attention alone, the mean over heads can be taken over the scalar weights:

    α^l_e = softmax over the kept edges e into i of LeakyReLU(target_logit[i, l] + row_logit[row[e], l])
    out_i = Σ_e (1/L Σ_l α^l_e) rows[row[e]]

so one weighted sum serves all heads. Memory: N × d + P × d + E × L; no tensor of edges × d.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from relwise.kernels import cpu, reference
from relwise.kernels.adjacency import Adjacency


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
        (N, d) weighted sums, zero for a node without kept edges; and (E, L) the weights, in the order of the edges
        sorted by target, which carry no gradient.

    >>> from relwise.kernels.adjacency import build_adjacency
    >>> adjacency = build_adjacency(torch.tensor([0, 1]), torch.tensor([2, 2]), torch.tensor([0, 0]), 3, 1)
    >>> out, alpha = attend(torch.zeros(3, 1), torch.zeros(2, 1), torch.tensor([[1.0], [3.0]]), adjacency)
    >>> out.tolist(), alpha.tolist()
    ([[0.0], [0.0], [2.0]], [[0.5], [0.5]])
    """
    if keep is None:
        keep_edge = torch.ones(adjacency.num_edges, dtype=torch.bool, device=rows.device)
    else:
        keep_edge = keep.index_select(0, adjacency.fact)
    return torch.ops.relwise.attend(
        target_logit,
        row_logit,
        rows,
        adjacency.indptr,
        adjacency.row,
        keep_edge,
        adjacency.row_indptr,
        adjacency.row_target,
        adjacency.row_position,
        slope,
    )


@torch.library.custom_op("relwise::attend", mutates_args=())
def _attend(
    target_logit: Tensor,
    row_logit: Tensor,
    rows: Tensor,
    indptr: Tensor,
    row: Tensor,
    keep: Tensor,
    row_indptr: Tensor,
    row_target: Tensor,
    row_position: Tensor,
    slope: float,
) -> tuple[Tensor, Tensor]:
    return reference.attend(target_logit, row_logit, rows, indptr, row, keep, slope)


@_attend.register_fake
def _(target_logit, row_logit, rows, indptr, row, keep, row_indptr, row_target, row_position, slope):
    return rows.new_empty(target_logit.shape[0], rows.shape[1]), rows.new_empty(row.shape[0], row_logit.shape[1])


@_attend.register_kernel("cpu")
def _(target_logit, row_logit, rows, indptr, row, keep, row_indptr, row_target, row_position, slope):
    out = rows.new_empty(target_logit.shape[0], rows.shape[1])
    alpha = rows.new_empty(row.shape[0], row_logit.shape[1])
    inputs = _arrays(target_logit, row_logit, rows, indptr, row, keep)
    cpu.attend(*[*inputs, slope, cpu.equal_blocks(inputs[3]), out.numpy(), alpha.numpy()])
    return out, alpha


@torch.library.custom_op("relwise::attend_backward", mutates_args=())
def _attend_backward(
    grad_out: Tensor,
    target_logit: Tensor,
    row_logit: Tensor,
    rows: Tensor,
    alpha: Tensor,
    indptr: Tensor,
    row: Tensor,
    row_indptr: Tensor,
    row_target: Tensor,
    row_position: Tensor,
    slope: float,
) -> tuple[Tensor, Tensor, Tensor]:
    return reference.attend_backward(grad_out, target_logit, row_logit, rows, alpha, indptr, row, slope)


@_attend_backward.register_fake
def _(grad_out, target_logit, row_logit, rows, *_):
    return torch.empty_like(target_logit), torch.empty_like(row_logit), torch.empty_like(rows)


@_attend_backward.register_kernel("cpu")
def _(grad_out, target_logit, row_logit, rows, alpha, indptr, row, row_indptr, row_target, row_position, slope):
    grad_target, grad_row, grad_rows = (torch.empty(t.shape, dtype=t.dtype) for t in (target_logit, row_logit, rows))
    grad_weight = rows.new_empty(row.shape[0])
    grad_logit = torch.empty(alpha.shape, dtype=alpha.dtype)
    by_target, by_row = cpu.equal_blocks(indptr.numpy()), cpu.equal_blocks(row_indptr.numpy())
    target_logit, row_logit, rows, alpha, grad_out = _arrays(target_logit, row_logit, rows, alpha, grad_out)
    transpose = row_indptr.numpy(), row_target.numpy(), row_position.numpy()
    cpu.rows_backward(grad_out, rows, alpha, *transpose, by_row, grad_rows.numpy(), grad_weight.numpy())
    cpu.logits_backward(
        target_logit,
        row_logit,
        alpha,
        grad_weight.numpy(),
        indptr.numpy(),
        row.numpy(),
        slope,
        by_target,
        grad_target.numpy(),
        grad_logit.numpy(),
    )
    cpu.sum_by_row(grad_logit.numpy(), transpose[0], transpose[2], by_row, grad_row.numpy())
    return grad_target, grad_row, grad_rows


def _arrays(*tensors: Tensor) -> tuple[np.ndarray, ...]:
    return tuple(tensor.detach().contiguous().numpy() for tensor in tensors)


def _save(ctx, inputs, output) -> None:
    target_logit, row_logit, rows, indptr, row, _keep, row_indptr, row_target, row_position, slope = inputs
    alpha = output[1]
    ctx.mark_non_differentiable(alpha)
    ctx.set_materialize_grads(True)
    ctx.save_for_backward(target_logit, row_logit, rows, alpha, indptr, row, row_indptr, row_target, row_position)
    ctx.slope = slope


def _backward(ctx, grad_out: Tensor, _grad_alpha: Tensor):
    grads = torch.ops.relwise.attend_backward(grad_out, *ctx.saved_tensors, ctx.slope)
    return (*grads, None, None, None, None, None, None, None)


_attend.register_autograd(_backward, setup_context=_save)
