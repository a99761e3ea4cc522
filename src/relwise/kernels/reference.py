"""Plain torch implementations of the operators: the oracle of the tests, and the fallback on any device.

They are written to be read, and do make tensors of edges × d.
"""

from __future__ import annotations

import torch
from torch import Tensor

from relwise.kernels.adjacency import edge_targets


def attention(
    target_logit: Tensor, row_logit: Tensor, indptr: Tensor, row: Tensor, keep: Tensor, slope: float
) -> Tensor:
    """α of eq. 4, (E, L): softmax over each target's kept edges of LeakyReLU(target + row logit); 0 where masked."""
    target = edge_targets(indptr, len(row))
    logit = masked_logits(target_logit, row_logit, indptr, row, keep, slope)
    weight = (logit - highest(logit, target_logit, target)[target]).exp()
    total = torch.zeros_like(target_logit).index_add(0, target, weight)
    return weight / total[target].clamp_min(torch.finfo(total.dtype).tiny)


def masked_logits(
    target_logit: Tensor, row_logit: Tensor, indptr: Tensor, row: Tensor, keep: Tensor, slope: float
) -> Tensor:
    """(E, L) the logits of eq. 4, minus infinity where masked."""
    logit = torch.nn.functional.leaky_relu(target_logit[edge_targets(indptr, len(row))] + row_logit[row.long()], slope)
    return logit.masked_fill(~keep[:, None], float("-inf"))


def highest(logit: Tensor, like: Tensor, target: Tensor) -> Tensor:
    """(N, L) each target's greatest logit; 0 where it has none."""
    top = torch.full_like(like, float("-inf")).scatter_reduce(0, target[:, None].expand_as(logit), logit, "amax")
    return torch.where(top.isinf(), torch.zeros_like(top), top).detach()


def attend(
    target_logit: Tensor,
    row_logit: Tensor,
    rows: Tensor,
    indptr: Tensor,
    row: Tensor,
    keep: Tensor,
    slope: float,
) -> tuple[Tensor, Tensor]:
    """The weighted sum of eq. 3, differentiable, and the logarithm of the sum of each target's exponentials.

    α is e^(logit - logsumexp); where no edge is kept the logarithm is given as plus infinity.
    """
    target = edge_targets(indptr, len(row))
    logit = masked_logits(target_logit, row_logit, indptr, row, keep, slope)
    top = highest(logit, target_logit, target)
    total = torch.zeros_like(target_logit).index_add(0, target, (logit - top[target]).exp())
    logsumexp = torch.where(total == 0, float("inf"), top + total.log()).detach()
    alpha = attention(target_logit, row_logit, indptr, row, keep, slope)
    messages = alpha.mean(dim=1, keepdim=True) * rows[row.long()]
    out = torch.zeros(len(target_logit), rows.shape[1], dtype=rows.dtype, device=rows.device)
    return out.index_add(0, target, messages), logsumexp


def attend_backward(
    grad_out: Tensor,
    target_logit: Tensor,
    row_logit: Tensor,
    rows: Tensor,
    indptr: Tensor,
    row: Tensor,
    keep: Tensor,
    slope: float,
) -> tuple[Tensor, Tensor, Tensor]:
    """Gradients of `attend`'s weighted sum by the target logits, the row logits and the rows."""
    alpha = attention(target_logit, row_logit, indptr, row, keep, slope)
    target, row = edge_targets(indptr, len(row)), row.long()
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
