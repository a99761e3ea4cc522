"""Plain torch implementations of the operators: the oracle of the tests, and the fallback on any device.

They are written to be read, and do make tensors of edges × d.
"""

from __future__ import annotations

import torch
from torch import Tensor


def edge_targets(indptr: Tensor) -> Tensor:
    """(E,) the target of each edge, from the pointer of edges sorted by target."""
    counts = (indptr[1:] - indptr[:-1]).long()
    return torch.repeat_interleave(torch.arange(len(counts), device=indptr.device), counts)


def attention(
    target_logit: Tensor, row_logit: Tensor, indptr: Tensor, row: Tensor, keep: Tensor, slope: float
) -> Tensor:
    """α of eq. 4, (E, L): softmax over each target's kept edges of LeakyReLU(target + row logit); 0 where masked."""
    target, row = edge_targets(indptr), row.long()
    logit = torch.nn.functional.leaky_relu(target_logit[target] + row_logit[row], slope)
    logit = logit.masked_fill(~keep[:, None], float("-inf"))
    index = target[:, None].expand_as(logit)
    top = torch.full_like(target_logit, float("-inf")).scatter_reduce(0, index, logit, "amax")
    top = torch.where(top.isinf(), torch.zeros_like(top), top).detach()
    weight = (logit - top[target]).exp()
    total = torch.zeros_like(target_logit).scatter_add(0, index, weight)
    return weight / total[target].clamp_min(torch.finfo(total.dtype).tiny)


def attend(
    target_logit: Tensor,
    row_logit: Tensor,
    rows: Tensor,
    indptr: Tensor,
    row: Tensor,
    keep: Tensor,
    slope: float,
) -> tuple[Tensor, Tensor]:
    """The weighted sum of eq. 3 and its weights; differentiable (see `relwise.kernels.attention.attend`)."""
    alpha = attention(target_logit, row_logit, indptr, row, keep, slope)
    messages = alpha.mean(dim=1, keepdim=True) * rows[row.long()]
    out = torch.zeros(len(target_logit), rows.shape[1], dtype=rows.dtype, device=rows.device)
    return out.index_add(0, edge_targets(indptr), messages), alpha


def attend_backward(
    grad_out: Tensor,
    target_logit: Tensor,
    row_logit: Tensor,
    rows: Tensor,
    alpha: Tensor,
    indptr: Tensor,
    row: Tensor,
    slope: float,
) -> tuple[Tensor, Tensor, Tensor]:
    """Gradients of `attend`'s weighted sum by the target logits, the row logits and the rows."""
    target, row = edge_targets(indptr), row.long()
    heads = alpha.shape[1]
    grad_edge = grad_out[target]
    grad_rows = torch.zeros_like(rows).index_add(0, row, alpha.mean(dim=1, keepdim=True) * grad_edge)
    grad_weight = (grad_edge * rows[row]).sum(dim=1, keepdim=True) / heads
    inner = torch.zeros_like(target_logit).index_add(0, target, alpha * grad_weight)
    grad_logit = alpha * (grad_weight - inner[target])
    negative = target_logit[target] + row_logit[row] <= 0
    grad_logit = torch.where(negative, slope * grad_logit, grad_logit)
    grad_target = torch.zeros_like(target_logit).index_add(0, target, grad_logit)
    grad_row = torch.zeros_like(row_logit).index_add(0, row, grad_logit)
    return grad_target, grad_row, grad_rows
