"""Attention over edges that bear attributes, in plain torch: on a GPU, and beside the CPU's kernels in tests.

It makes tensors of edges × d (see `edge_attention.py`). Nothing here waits for the device, and what masked edges carry
is read but counts nowhere, be it no number. On a GPU with Triton the same input gives the same bits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from relwise.kernels.adjacency import Adjacency, edge_targets
from relwise.kernels.reference import highest
from relwise.kernels.segments import sum_by_segment

if TYPE_CHECKING:  # which calls this
    from relwise.kernels.edge_attention import EdgeSlots, EdgeTerms


def forward(
    terms: EdgeTerms, adjacency: Adjacency, slots: EdgeSlots, keep: Tensor, slope: float
) -> tuple[Tensor, Tensor, Tensor]:
    """As `attend_edges`.

    Args:
        keep: (F,) bool.
    """
    target, kept = edge_targets(adjacency.indptr, adjacency.num_edges), keep[adjacency.fact.long()][:, None]
    row, (own_logit, own_value) = adjacency.row.long(), _of_edges(terms, slots)
    logit = terms.target_logit[target] + terms.row_logit[row] + own_logit
    logit = torch.nn.functional.leaky_relu(logit, slope).masked_fill(~kept, float("-inf"))
    top = highest(logit, terms.target_logit, target)
    total = sum_by_segment((logit - top[target]).exp(), adjacency.indptr, target)
    logsumexp = torch.where(total == 0, float("inf"), top + total.log())
    mean = (logit - logsumexp[target]).exp().mean(dim=1, keepdim=True)
    out, said = (
        sum_by_segment(mean * states.masked_fill(~kept, 0), adjacency.indptr, target)
        for states in (terms.rows[row], own_value)
    )
    return out, said, logsumexp


def backward(
    grad_out: Tensor,
    grad_said: Tensor,
    logsumexp: Tensor,
    terms: EdgeTerms,
    adjacency: Adjacency,
    slots: EdgeSlots,
    keep: Tensor,
    slope: float,
) -> tuple[Tensor, ...]:
    """As `attend_edges_backward`, the gradients in the terms' order.

    With g the gradient of one head's α::

        ∂logit = α (g − Σ α g over the target's edges) LeakyReLU'(logit)
    """
    target, kept = edge_targets(adjacency.indptr, adjacency.num_edges), keep[adjacency.fact.long()][:, None]
    row, (own_logit, own_value) = adjacency.row.long(), _of_edges(terms, slots)
    x = terms.target_logit[target] + terms.row_logit[row] + own_logit
    logit = torch.nn.functional.leaky_relu(x, slope).masked_fill(~kept, float("-inf"))
    alpha = (logit - logsumexp[target]).exp().masked_fill(~kept, 0)  # also beside an edge whose logit is no number
    mean, of_out, of_said = alpha.mean(dim=1, keepdim=True), grad_out[target], grad_said[target]
    dots = (
        (above * states.masked_fill(~kept, 0)).sum(dim=1, keepdim=True)
        for above, states in ((of_out, terms.rows[row]), (of_said, own_value))
    )
    grad_weight = sum(dots) / alpha.shape[1]
    inner = sum_by_segment(alpha * grad_weight, adjacency.indptr, target)
    grad_logit = alpha * (grad_weight - inner[target])
    grad_logit = torch.where(x > 0, grad_logit, slope * grad_logit)
    transpose = adjacency.row_indptr, row, slots.by_row
    return (
        sum_by_segment(grad_logit, adjacency.indptr, target),
        sum_by_segment(grad_logit, *transpose),
        sum_by_segment(mean * of_out, *transpose),
        _by_slot(grad_logit, terms.edge_logit, slots),
        _by_slot(mean * of_said, terms.edge_value, slots),
    )


def _of_edges(terms: EdgeTerms, slots: EdgeSlots) -> tuple[Tensor, Tensor]:
    """(E, L) and (E, k) what each edge's own state adds to its logits, and says; zeros without one."""
    has, slot = (slots.slot >= 0)[:, None], slots.slot.clamp_min(0).long()
    logit, value = (
        states[slot].masked_fill(~has, 0) if len(states) else states.new_zeros(len(slot), states.shape[1])
        for states in (terms.edge_logit, terms.edge_value)
    )
    return logit, value


def _by_slot(edges: Tensor, like: Tensor, slots: EdgeSlots) -> Tensor:
    """(A, ...) what each edge has for its state; zeros for a state that is no edge's."""
    nowhere = len(like)
    place = torch.where(slots.slot < 0, nowhere, slots.slot).long()
    return like.new_zeros(nowhere + 1, like.shape[1]).index_copy_(0, place, edges)[:nowhere]
