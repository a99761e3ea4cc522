"""Both products of a backward pass in one: of the matrices' gradients and of the states', by the same rows.

    weights'[r] = Σ_p x[source[p]]^T rows[p],      sources[p] = rows[p] W_r^T

One after the other each row would come from memory twice. Here the second finds it in the nearest caches. Bits are
those of `gemm.weight_products` and `gemm.row_products`.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import get_num_threads, njit, prange

from relwise.kernels.compiling import INNER, PARALLEL
from relwise.kernels.gemm import (
    BLOCK,
    DEPTH,
    Matrix,
    add_block,
    add_parts,
    hand_over,
    room_to_fill,
    rows_of,
)
from relwise.kernels.panels import copy, counted, pack_transposed, scratch, up
from relwise.kernels.slices import CHAIN, IntArray, slices_of
from relwise.kernels.tile import COLUMNS, LANES, ROWS
from relwise.kernels.vector import balanced


class Gradients(NamedTuple):
    """Rows sorted by relation, and what is made of them. All arrays are C-ordered.

    Args:
        x: (N, k) states.
        source: (P,) int64, which state is each row's, not checked; `gemm.IN_ORDER` where row p is of state p.
        pointer: (R + 1,) int64; relation r's rows are `pointer[r] : pointer[r + 1]`.
        rows: (P, n) the gradients of the rows.
        matrices: (R, k, n) W.
        weights: (R, k, n) to be filled: their gradients.
        sources: (P, k) to be filled; may be `rows` where k = n.
    """

    x: Matrix
    source: IntArray
    pointer: IntArray
    rows: Matrix
    matrices: Matrix
    weights: Matrix
    sources: Matrix


def gradient_products(one: Gradients, other: Gradients) -> None:
    """Fill `weights` and `sources` of both.

    >>> weights, sources = np.empty((1, 1, 1), np.float32), np.empty((2, 1), np.float32)
    >>> x, rows = np.array([[1], [2]], np.float32), np.array([[3], [5]], np.float32)
    >>> given = Gradients(x, np.empty(0, int), np.array([0, 2]), rows, np.full_like(weights, 10), weights, sources)
    >>> gradient_products(given, given)
    >>> weights.tolist(), sources.tolist()
    ([[[13.0]]], [[30.0], [50.0]])
    """
    slices = slices_of(tuple(one.pointer.tolist())), slices_of(tuple(other.pointer.tolist()))
    parts = [
        np.empty((cut.parts, *side.weights.shape[1:]), np.float32)
        for side, cut in zip((one, other), slices, strict=True)
    ]
    blocks = max(1, min(get_num_threads(), len(slices[0].relation) + len(slices[1].relation)))
    _products(*[one, other, *slices, *parts, blocks])


@njit(**PARALLEL)
def _products(one, other, slices, other_slices, parts, other_parts, blocks):
    for block in prange(blocks):
        number = np.int64(block)  # unsigned in one pass of the compiler: two compilations
        _slices_between(one, slices, parts, number, blocks)
        _slices_between(other, other_slices, other_parts, number, blocks)
    add_parts(slices, parts, one.weights)
    add_parts(other_slices, other_parts, other.weights)


@njit(**INNER)
def _slices_between(side, slices, parts, block, blocks):
    """One of so many equal parts of the slices."""
    out, pieces = side.weights, balanced(slices.bounds, blocks)
    if pieces[block] == pieces[block + 1]:
        return
    m, n = out.shape[1], out.shape[2]
    height, wide = up(m, ROWS), up(n, LANES)
    filled, total, turned = room_to_fill(side.rows), scratch(height * wide), scratch(n * up(m, LANES))
    held, corner, offsets, places = scratch(BLOCK * n), scratch(ROWS * COLUMNS), np.empty(DEPTH, np.int64), counted(n)
    matrices, rows, sources = side.matrices.reshape(out.size), side.rows, side.sources
    numbers, target, relation = rows.reshape(rows.size), sources.reshape(sources.size), np.int64(-1)
    in_order, none = side.source[:0], np.int64(0)
    for piece in range(pieces[block], pieces[block + 1]):
        first, last, part = slices.bounds[piece], slices.bounds[piece + 1], slices.part[piece]
        if slices.relation[piece] != relation:
            relation = slices.relation[piece]
            pack_transposed(matrices, relation * m * n, m, n, turned)
        into = (out[relation] if part < 0 else parts[part]).reshape(m * n)
        for chain in range(first, last, CHAIN):
            stop = min(chain + CHAIN, last)
            for begin in range(chain, stop, DEPTH):
                end = min(begin + DEPTH, stop)
                add_block(side.x, side.source, rows, begin, end, offsets, filled, total, begin > chain)
                for i in range(begin, end, BLOCK):  # the sources may stand where these rows do
                    count = min(BLOCK, end - i)
                    copy(numbers, i * n, held, 0, count * n)
                    rows_of(held, in_order, none, count, places, turned, m, target, i, corner, rows, none)
            hand_over(total, wide, m, n, into, chain > first)
