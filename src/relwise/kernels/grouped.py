"""Products of every relation's matrix with the states of the nodes that send under it, and their gradients.

With 237 relations most pairs of relation and node do not exist. Rows are sorted by relation, so each relation's are one
dense product, and no second tensor of rows × d stands beside the result: what is gathered for a product is gathered a
few rows at a time (in `relwise.kernels.gemm`, all relations in one call), or in tiles that stay in the cache.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

import numpy as np
import torch
from numba import njit, prange
from torch import Tensor

from relwise.kernels import gemm
from relwise.kernels.adjacency import Adjacency, Tile
from relwise.kernels.arrays import arrays
from relwise.kernels.compiling import PARALLEL
from relwise.kernels.matmul import Precision, on_tile, product
from relwise.kernels.memory import room
from relwise.kernels.segments import sum_by_segment
from relwise.kernels.vector import balanced

BLOCKS = 128
ON_GPU = 1 << 20  # rows of a product there, at most: what is gathered for it takes half a GiB at d = 128


def grouped_product(x: Tensor, weights: Tensor, adjacency: Adjacency, precision: Precision = "float32") -> Tensor:
    """(P, out_dim) `W_r h_j` for the pairs of relation and source that exist.

    Args:
        x: (N, in_dim).
        weights: (R, in_dim, out_dim).
        adjacency: whose rows are sorted by relation.
        precision: of the factors.
    """
    shape = len(adjacency.row_source), weights.shape[2]
    out = room(shape, x.dtype) if x.device.type == "cpu" else x.new_empty(shape)
    if precision == "float32" and on_tile(x, weights, out):
        states, matrices, rows = arrays(x, weights, out)
        gemm.row_products(gemm.Grouped(states, adjacency.row_source.numpy(), _pointer(adjacency), matrices, rows))
        return out
    for tile in _tiles(adjacency, x):
        out[tile.first : tile.last] = product(_sources(x, adjacency, tile), weights[tile.relation], precision)
    return out


def grouped_product_backward(
    grad_rows: Tensor,
    x: Tensor,
    weights: Tensor,
    adjacency: Adjacency,
    grad_x: Tensor,
    precision: Precision = "float32",
) -> Tensor:
    """The gradient of the weights; adds that of `x` to `grad_x`, and leaves something else in `grad_rows`.

    Args:
        grad_rows: (P, out_dim); its memory is used for the gradients of the rows' sources.
        x: (N, in_dim).
        weights: (R, in_dim, out_dim).
        adjacency: as given forward.
        grad_x: (N, in_dim), added to in place.
        precision: of the factors.
    """
    grad_weights = grouped_weights(x, grad_rows, weights, adjacency, precision)
    add_by_source(grouped_sources(grad_rows, weights, adjacency, precision), adjacency, grad_x)
    return grad_weights


def grouped_weights(
    x: Tensor, grad_rows: Tensor, weights: Tensor, adjacency: Adjacency, precision: Precision = "float32"
) -> Tensor:
    """The gradient of the weights, one half of `grouped_product_backward`."""
    if precision == "float32" and on_tile(grad_rows, x, weights):
        grad_weights = torch.empty_like(weights, memory_format=torch.contiguous_format)
        states, grad, out = arrays(x, grad_rows, grad_weights)
        gemm.weight_products(gemm.Grouped(states, adjacency.row_source.numpy(), _pointer(adjacency), out, grad))
        return grad_weights
    grad_weights = torch.zeros_like(weights)
    for tile in _tiles(adjacency, x):
        grad = grad_rows[tile.first : tile.last]
        grad_weights[tile.relation] += product(_sources(x, adjacency, tile).t(), grad, precision)
    return grad_weights


def grouped_sources(
    grad_rows: Tensor, weights: Tensor, adjacency: Adjacency, precision: Precision = "float32"
) -> Tensor:
    """(P, in_dim) what each row adds to its source's gradient, the other half: where `grad_rows` stood, if it fits."""
    place = grad_rows if weights.shape[1] == weights.shape[2] else grad_rows.new_empty(len(grad_rows), weights.shape[1])
    if precision == "float32" and on_tile(grad_rows, weights) and grad_rows.is_contiguous():
        matrices, grad, sources = arrays(weights, grad_rows, place)
        gemm.row_products(gemm.Grouped(grad, gemm.IN_ORDER, _pointer(adjacency), matrices, sources), transposed=True)
    else:
        for tile in _tiles(adjacency, grad_rows):
            grad = grad_rows[tile.first : tile.last]
            place[tile.first : tile.last] = product(grad, weights[tile.relation].t(), precision)
    return place


def add_by_source(rows: Tensor, adjacency: Adjacency, out: Tensor) -> None:
    """out[j] += the sum of j's rows, in their order."""
    if rows.device.type == "cpu":
        pointer, order = (t.numpy() for t in (adjacency.source_indptr, adjacency.source_row))
        _add_by_source(rows.numpy(), pointer, order, out.numpy())
    else:
        out += sum_by_segment(rows, adjacency.source_indptr, adjacency.row_source, adjacency.source_row)


def sum_by_relation(rows: Tensor, adjacency: Adjacency) -> Tensor:
    """(R, k) the sums of (P, k) rows by their relation."""
    return sum_by_segment(rows, adjacency.relation_indptr, adjacency.row_relation)


@njit(**PARALLEL)
def _add_by_source(rows, pointer, order, out):
    blocks = balanced(pointer, BLOCKS)
    for block in prange(BLOCKS):
        for j in range(blocks[block], blocks[block + 1]):
            into = out[j]
            for n in range(pointer[j], pointer[j + 1]):
                row = rows[np.uint32(order[n])]
                for k in range(len(into)):
                    into[k] += row[k]


def _pointer(adjacency: Adjacency) -> np.ndarray:
    return np.array(adjacency.relation_ptr, np.int64)


def _tiles(adjacency: Adjacency, states: Tensor) -> Iterable[Tile]:
    """On the CPU tiles that stay in the cache; on a GPU, where a launch takes longer than a tile, a relation's rows."""
    if states.device.type == "cpu":
        return adjacency.tiles
    return (
        Tile(relation, first, min(first + ON_GPU, end), None)
        for relation, (begin, end) in enumerate(pairwise(adjacency.relation_ptr))
        for first in range(begin, end, ON_GPU)
    )


def _sources(x: Tensor, adjacency: Adjacency, tile: Tile) -> Tensor:
    """(tile.last - tile.first, d) the states of the rows' sources; not copied where they lie one after the other."""
    if tile.source is None:
        return x.index_select(0, adjacency.row_source[tile.first : tile.last])
    return x[tile.source : tile.source + tile.last - tile.first]
