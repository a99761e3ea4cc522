"""Triton implementations of the attention operator (see `relwise.kernels.attention`).

Forward: (1) each target's logarithm of the sum of exponentials (LSE); (2) each edge's weight, the mean over heads of
e^(logit - LSE); (3) the weighted sum of rows by target. Backward: (1) the weights again; (2) one pass over the
transpose gives the rows' gradient and each edge's weight gradient together; (3) back through softmax and LeakyReLU by
target; (4) the sum of the logits' gradients by row. All but the sums of rows are scalars an edge. A node's (row's)
edges are cut into pieces, as `common.py` says; where a target has several, what they found is merged in a step between.

Memory, apart from the results: one number an edge forward, L + 2 backward, and once for each graph its transpose's
permutation, as int32.

Reading. `row`, `fact`, weights and gradients of edges are contiguous by target and read coalesced. Gathers of rows of d
are the bulk of the traffic (4 d bytes an edge, against some 20 of scalars) and come as whole lines, 16 bytes a lane:
a tile is entries × d, one warp holds 2048 elements of it, so that it has 16 loads under way before it needs the first;
with one warp a program no sum over entries crosses warps, and none needs shared memory or a barrier. A warp reads the
indices of its next tile before it adds up the present one, else each tile would wait for two memory latencies in turn.
Edges that are masked out have weight 0, and their rows are not read.

The weights have kernels of their own, since scalars want another shape: a tile there is pieces × edges, so that 128
lanes are busy also where targets have few edges each, and its second look at a logit comes from the L1 cache. In the
kernels that sum rows all lanes of a warp need the weight of each edge, and each would compute it; and each program
would wait for a chain of three latencies before it reads the first row. One number an edge, written and read once, is
8 bytes beside 4 d.

Sums are kept in float32 (float64 for float64) also where the rows are bfloat16.
"""

from __future__ import annotations

import torch
import triton
from torch import Tensor
from torch.utils.weak import WeakTensorKeyDictionary

from relwise.kernels.cuda.attention_backward import inner, logits_backward, merge_inner, rows_backward, sum_by_row
from relwise.kernels.cuda.attention_forward import logsumexp, merge_logsumexp, sum_rows, weigh
from relwise.kernels.cuda.common import SIZE, accumulator, boundary_segments, lanes, launch, merge_parts, tiles

_positions = WeakTensorKeyDictionary()


def attend(
    target_logit: Tensor,
    row_logit: Tensor,
    rows: Tensor,
    indptr: Tensor,
    row: Tensor,
    fact: Tensor,
    keep: Tensor,
    slope: float,
    size: int = SIZE,
) -> tuple[Tensor, Tensor]:
    """(N, d) the weighted sum, in the rows' dtype, and (N, L) the LSE, plus infinity where no edge is kept.

    Args:
        target_logit: (N, L).
        row_logit: (P, L).
        rows: (P, d), float64, float32 or bfloat16.
        indptr: (N + 1,) int32.
        row: (E,) int32.
        fact: (E,) int32.
        keep: (F,) bool.
        slope: LeakyReLU's.
        size: a piece's edges.
    """
    target_logit, row_logit, rows = target_logit.contiguous(), row_logit.contiguous(), rows.contiguous()
    (num_nodes, heads), num_edges, width = target_logit.shape, len(row), rows.shape[1]
    out, total = rows.new_empty(num_nodes, width), torch.empty_like(target_logit)
    weight = row_logit.new_empty(num_edges)
    boundary = boundary_segments(indptr, num_edges, size)
    blocks = len(boundary)
    shape = lanes(num_edges, num_nodes)
    grid = (triton.cdiv(num_nodes + blocks, shape["PIECES"]),)
    edges = (target_logit, row_logit, row, fact, keep)
    graph = (indptr, boundary, num_nodes, num_edges, blocks)
    fixed = {"SLOPE": slope, "HEADS": heads, "SIZE": size}
    partial = row_logit.new_empty(2, blocks, heads)
    launch(logsumexp, grid, *edges, total, partial, *graph, **fixed, **shape)
    if blocks > 1:
        launch(
            merge_logsumexp, (blocks,), total, partial, indptr, boundary, blocks, HEADS=heads, SIZE=size, num_warps=1
        )
    launch(weigh, grid, *edges, total, weight, *graph, **fixed, **shape)

    tile = tiles(width, num_edges, num_nodes)
    partial = rows.new_empty(2, blocks, width, dtype=accumulator(rows.dtype))
    grid = (num_nodes + blocks, triton.cdiv(width, tile["COLUMNS"]))
    launch(sum_rows, grid, rows, weight, row, out, partial, *graph, SIZE=size, **tile)
    merge_parts(out, partial, indptr, boundary, size)
    return out, total


def attend_backward(
    grad_out: Tensor,
    target_logit: Tensor,
    row_logit: Tensor,
    rows: Tensor,
    total: Tensor,
    indptr: Tensor,
    row: Tensor,
    fact: Tensor,
    keep: Tensor,
    row_indptr: Tensor,
    row_target: Tensor,
    slope: float,
    size: int = SIZE,
) -> tuple[Tensor, Tensor, Tensor]:
    """Gradients by the target logits (N, L), the row logits (P, L) and the rows (P, d).

    Args:
        grad_out: (N, d).
        target_logit: (N, L).
        row_logit: (P, L).
        rows: (P, d).
        total: (N, L), the LSE that `attend` gave.
        indptr, row, fact: the edges by target.
        keep: (F,) bool.
        row_indptr, row_target: the transpose.
        slope: LeakyReLU's.
        size: a piece's edges.
    """
    grad_out, rows, total = grad_out.contiguous(), rows.contiguous(), total.contiguous()
    target_logit, row_logit = target_logit.contiguous(), row_logit.contiguous()
    (num_nodes, heads), num_edges, (num_rows, width) = target_logit.shape, len(row), rows.shape
    grad_target, grad_row = torch.empty_like(target_logit), torch.empty_like(row_logit)
    grad_rows, weight = torch.empty_like(rows), row_logit.new_empty(num_edges)
    by_target, by_row = (boundary_segments(pointer, num_edges, size) for pointer in (indptr, row_indptr))
    blocks, position = len(by_target), row_positions(row)
    edges = (target_logit, row_logit, row, fact, keep)
    graph = (indptr, by_target, num_nodes, num_edges, blocks)
    transpose = (row_indptr, by_row, num_rows, num_edges, blocks)
    fixed = {"SLOPE": slope, "HEADS": heads, "SIZE": size}
    shape = lanes(num_edges, num_nodes)
    grid = (triton.cdiv(num_nodes + blocks, shape["PIECES"]),)
    launch(weigh, grid, *edges, total, weight, *graph, **fixed, **shape)

    tile = tiles(width, num_edges, num_rows)
    slices = triton.cdiv(width, tile["COLUMNS"])
    # One number an edge for each slice of d, added up where they are read: slices are programs of their own.
    product = row_logit.new_empty(slices, num_edges)
    partial = rows.new_empty(2, blocks, width, dtype=accumulator(rows.dtype))
    launch(
        rows_backward, (num_rows + blocks, slices), grad_out, rows, weight, row_target, position,
        grad_rows, product, partial, *transpose, HEADS=heads, SIZE=size, **tile,
    )  # fmt: skip
    merge_parts(grad_rows, partial, row_indptr, by_row, size)

    grad_logit = row_logit.new_empty(num_edges, heads)
    means, partial = row_logit.new_empty(2, blocks, heads), row_logit.new_empty(2, blocks, heads)
    fixed["SLICES"] = slices
    if blocks > 1:
        launch(inner, grid, *edges, total, product, means, *graph, **fixed, **shape)
        launch(merge_inner, (blocks,), means, indptr, by_target, blocks, HEADS=heads, SIZE=size, num_warps=1)
    launch(
        logits_backward, grid, *edges, total, product, means, grad_target, grad_logit, partial, *graph,
        **fixed, **shape,
    )  # fmt: skip
    merge_parts(grad_target, partial, indptr, by_target, size)

    shape = lanes(num_edges, num_rows)
    grid = (triton.cdiv(num_rows + blocks, shape["PIECES"]),)
    partial = row_logit.new_empty(2, blocks, heads)
    launch(sum_by_row, grid, grad_logit, position, grad_row, partial, *transpose, HEADS=heads, SIZE=size, **shape)
    merge_parts(grad_row, partial, row_indptr, by_row, size)
    return grad_target, grad_row, grad_rows


def row_positions(row: Tensor) -> Tensor:
    """(E,) int32 where each of the transpose's edges stands among the edges sorted by target.

    Sorted once for each graph, and kept as long as its `row` lives; that tensor must not be changed.
    """
    if row not in _positions:
        _positions[row] = torch.sort(row, stable=True).indices.to(torch.int32)
    return _positions[row]
