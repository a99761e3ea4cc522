"""Sums of rows by segment in torch, on any device: on a GPU with Triton in one fixed order, so that bits are, too.

`index_add` there adds atomically, in whatever order threads come. On the CPU it goes row by row.
"""

from __future__ import annotations

import torch
from torch import Tensor

from relwise.kernels import cuda


def sum_by_segment(rows: Tensor, indptr: Tensor, segment: Tensor, order: Tensor | None = None) -> Tensor:
    """(S, d) the sum of each segment's rows.

    Args:
        rows: (n, d).
        indptr: (S + 1,) int32, where each segment begins among the rows in their order.
        segment: (n,) int64, which each row is of.
        order: (n,) int32, the row that stands in each place; None: each in its own.

    >>> rows, indptr = torch.tensor([[1.0], [2.0], [4.0]]), torch.tensor([0, 1, 1, 3], dtype=torch.int32)
    >>> sum_by_segment(rows, indptr, torch.tensor([0, 2, 2])).tolist()
    [[1.0], [0.0], [6.0]]
    """
    if rows.is_cuda and cuda.HAS_TRITON:
        from relwise.kernels.cuda.sums import sum_segments

        return sum_segments(rows, indptr, order)
    return rows.new_zeros(len(indptr) - 1, rows.shape[1]).index_add_(0, segment, rows)


def spread_by_segment(values: Tensor, indptr: Tensor, segment: Tensor) -> Tensor:
    """(n, d) each row's segment's values, differentiable: the gradient is `sum_by_segment`, whose arguments these are.

    Args:
        values: (S, d).
    """
    return _SpreadBySegment.apply(values, indptr, segment)  # pyright: ignore[reportReturnType]


def add_by_segment(base: Tensor, rows: Tensor, indptr: Tensor, segment: Tensor) -> Tensor:
    """(S, d) `base` with each segment's rows added; differentiable by both. Arguments as of `sum_by_segment`.

    Args:
        base: (S, d).
    """
    return _AddBySegment.apply(base, rows, indptr, segment)  # pyright: ignore[reportReturnType]


class _SpreadBySegment(torch.autograd.Function):
    @staticmethod
    def forward(ctx, values, indptr, segment):
        ctx.save_for_backward(indptr, segment)
        return values.index_select(0, segment)

    @staticmethod
    def backward(ctx, *grads):
        return sum_by_segment(grads[0], *ctx.saved_tensors), None, None


class _AddBySegment(torch.autograd.Function):
    @staticmethod
    def forward(ctx, base, rows, indptr, segment):
        ctx.save_for_backward(segment)
        if rows.is_cuda:
            return base + sum_by_segment(rows, indptr, segment)
        return base.index_add(0, segment, rows)  # one row after the other to the base, and no table of sums

    @staticmethod
    def backward(ctx, *grads):
        (segment,) = ctx.saved_tensors
        return grads[0], grads[0].index_select(0, segment), None, None
