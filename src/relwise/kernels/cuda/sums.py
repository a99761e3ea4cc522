"""Triton implementation of sums of rows by segment: without atomic additions, in one fixed order."""

from __future__ import annotations

import torch
import triton
from torch import Tensor

from relwise.kernels.cuda.attention_forward import sum_rows
from relwise.kernels.cuda.common import SIZE, accumulator, boundary_segments, launch, merge_parts, tiles


def sum_segments(rows: Tensor, indptr: Tensor, order: Tensor | None = None, size: int = SIZE) -> Tensor:
    """(S, d) the sum of each segment's rows: the weighted sum of attention (`attention.py`), all weights being 1.

    Args:
        rows: (n, d).
        indptr: (S + 1,) int32, where each segment begins among the n rows, in their order.
        order: (n,) int32, which row stands where; None: each in its own place.
        size: a piece's rows.
    """
    rows = rows.contiguous()
    (count, width), segments = rows.shape, len(indptr) - 1
    order = torch.arange(count, dtype=torch.int32, device=rows.device) if order is None else order
    boundary = boundary_segments(indptr, count, size)
    blocks, weight = len(boundary), rows.new_ones(count, dtype=accumulator(rows.dtype))
    out = rows.new_empty(segments, width)
    partial = rows.new_empty(2, blocks, width, dtype=accumulator(rows.dtype))
    tile = tiles(width, count, segments)
    grid = (segments + blocks, triton.cdiv(width, tile["COLUMNS"]))
    launch(
        sum_rows, grid, rows, weight, order, out, partial, indptr, boundary, segments, count, blocks, SIZE=size, **tile
    )
    merge_parts(out, partial, indptr, boundary, size)
    return out
