"""Attention over edges that bear attributes of their own: an amount, a quantity, a date.

An edge e with an attribute state enters its logit by L numbers and its message by k (k is small, d is not):

    α^l_e  = softmax over the kept e into i of LeakyReLU(target_logit[i, l] + row_logit[row[e], l] + edge_logit[e, l])
    out_i  = Σ_e ᾱ_e rows[row[e]],    said_i = Σ_e ᾱ_e edge_value[e],    ᾱ_e = 1/L Σ_l α^l_e

so that `Σ ᾱ_e (W_r h_j + U z_e) = out_i + U said_i`: the edges' part becomes d-dimensional once a node, and no tensor
of edges × d is made. Memory: E × (L + 1) in the backward pass, and the edges' own A × (L + k).

No atomics: a target is one thread's, an edge's state has one edge, and gradients by row go over the transpose. All this
is said of the CPU: on a GPU it is plain torch (`edge_attention_torch.py`), which does make edges × d.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from relwise.kernels import edge_attention_cpu, edge_attention_torch
from relwise.kernels.adjacency import Adjacency
from relwise.kernels.arrays import arrays
from relwise.kernels.attention import fact_mask
from relwise.kernels.sorting import sort_by_key


@dataclass(frozen=True, eq=False)
class EdgeSlots:
    """Where each edge of a message graph finds its state.

    Args:
        slot: (E,) int32 in the adjacency's order: which of the A states is the edge's, no two edges' the same; -1:
            the edge has none.
        by_row: (E,) int32, the edges' positions sorted by row: the transpose.
    """

    slot: Tensor
    by_row: Tensor

    @staticmethod
    def of(slot: Tensor, adjacency: Adjacency) -> EdgeSlots:
        """From the slot of each edge.

        >>> from relwise.kernels.adjacency import build_adjacency
        >>> adjacency = build_adjacency(torch.tensor([1, 0, 1]), torch.tensor([2, 2, 0]), torch.tensor([0, 0, 0]), 3, 1)
        >>> EdgeSlots.of(torch.tensor([0, -1, 1]), adjacency).by_row.tolist()
        [1, 0, 2]
        """
        row = adjacency.row.cpu().numpy()
        by_row = torch.from_numpy(sort_by_key(row, len(adjacency.row_source))[1])
        device = adjacency.row.device
        return EdgeSlots(slot.to(device, torch.int32), by_row.to(device))


class EdgeTerms(NamedTuple):
    """What attention is made of, and, of its backward pass, the gradient of each.

    Args:
        target_logit: (N, L) the target's part of each logit.
        row_logit: (P, L) the part of relation and source.
        rows: (P, d) what each row says.
        edge_logit: (A, L) the part of each edge's state.
        edge_value: (A, k) what each edge's state says.
    """

    target_logit: Tensor
    row_logit: Tensor
    rows: Tensor
    edge_logit: Tensor
    edge_value: Tensor


def attend_edges(
    terms: EdgeTerms, adjacency: Adjacency, slots: EdgeSlots, keep: Tensor | None = None, slope: float = 0.2
) -> tuple[Tensor, Tensor, Tensor]:
    """Attention over each node's incoming edges, with what the edges' own states add; differentiable by the terms.

    Args:
        terms: the parts of the logits, and what is said.
        adjacency: the message graph.
        slots: which state is which edge's.
        keep: (F,) bool, the facts whose edges carry messages; None: all.
        slope: LeakyReLU's.

    Returns:
        (N, d) Σ ᾱ rows, (N, k) Σ ᾱ edge_value, and (N, L) the logarithm of the sum of each node's exponentials,
        infinite where no edge is kept: without gradient.
    """
    return _AttendEdges.apply(*terms, adjacency, slots, keep, slope)  # pyright: ignore[reportReturnType]


class _AttendEdges(torch.autograd.Function):
    @staticmethod
    def forward(ctx, *given):
        *tensors, adjacency, slots, keep, slope = given
        out, said, logsumexp = _forward(EdgeTerms(*tensors), adjacency, slots, keep, slope)
        ctx.save_for_backward(*tensors, logsumexp, keep)
        ctx.mark_non_differentiable(logsumexp)
        ctx.adjacency, ctx.slots, ctx.slope = adjacency, slots, slope
        return out, said, logsumexp

    @staticmethod
    def backward(ctx, *grads):
        *tensors, logsumexp, keep = ctx.saved_tensors
        above = grads[0], grads[1], logsumexp
        found = attend_edges_backward(*above, EdgeTerms(*tensors), ctx.adjacency, ctx.slots, keep, ctx.slope)
        return (*found, None, None, None, None)


def _forward(
    terms: EdgeTerms, adjacency: Adjacency, slots: EdgeSlots, keep: Tensor | None, slope: float
) -> tuple[Tensor, Tensor, Tensor]:
    kept = fact_mask(keep, adjacency)
    if terms.rows.device.type != "cpu":
        return edge_attention_torch.forward(terms, adjacency, slots, kept, slope)
    out = terms.rows.new_empty(len(terms.target_logit), terms.rows.shape[1])
    said = terms.rows.new_empty(len(terms.target_logit), terms.edge_value.shape[1])
    logsumexp = torch.empty_like(terms.target_logit, memory_format=torch.contiguous_format)
    edges = arrays(adjacency.indptr, adjacency.row, adjacency.fact, kept, slots.slot)
    edge_attention_cpu.forward(*[*arrays(*terms), *edges, slope, out.numpy(), said.numpy(), logsumexp.numpy()])
    return out, said, logsumexp


def attend_edges_backward(
    grad_out: Tensor,
    grad_said: Tensor,
    logsumexp: Tensor,
    terms: EdgeTerms,
    adjacency: Adjacency,
    slots: EdgeSlots,
    keep: Tensor | None = None,
    slope: float = 0.2,
) -> EdgeTerms:
    """The gradients by the terms of `attend_edges`' first two results, whose third is `logsumexp`."""
    kept = fact_mask(keep, adjacency)
    if terms.rows.device.type != "cpu":
        above = grad_out, grad_said, logsumexp
        return EdgeTerms(*edge_attention_torch.backward(*above, terms, adjacency, slots, kept, slope))
    found = EdgeTerms(*(torch.zeros(t.shape, dtype=t.dtype) for t in terms))
    grad_target, grad_row, grad_rows, grad_edge_logit, grad_edge_value = (grad.numpy() for grad in found)
    weight = np.empty(adjacency.num_edges, grad_rows.dtype)
    grad_logit = np.empty((adjacency.num_edges, grad_target.shape[1]), grad_rows.dtype)
    above, states = arrays(grad_out, grad_said), arrays(*terms, logsumexp)
    edges = arrays(adjacency.indptr, adjacency.row, adjacency.fact, kept, slots.slot)
    filled = grad_target, grad_edge_logit, grad_edge_value, weight, grad_logit
    edge_attention_cpu.backward_by_target(*[*above, *states, *edges, slope, *filled])
    transpose = arrays(adjacency.row_indptr, adjacency.row_target, slots.by_row)
    edge_attention_cpu.backward_by_row(*[above[0], *transpose, weight, grad_logit, grad_row, grad_rows])
    return found
