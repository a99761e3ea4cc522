"""Float32 matrix products on the CPU, on a tile of sums held in vector registers (see `relwise.kernels.tile`).

The right matrix is laid out in panels as wide as the tile. The left one is not interleaved: its rows are copied a few
at a time into the nearest cache (from wherever they lie, so that a gather costs nothing more), and the tile reads
single numbers there, along rows or along columns. Nothing is ever padded along the sums, so no 0 · NaN arises.

A sum over columns of the left matrix is one chain of multiply-adds, wherever its row stands. A sum over rows is one
chain for each `SLICE` of them, and the slices are added in their order: both have the same bits with any number of
threads.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import get_num_threads, njit, prange

from relwise.kernels.compiling import INNER
from relwise.kernels.panels import copy, gather, multiply, pack, pack_transposed, scratch, up
from relwise.kernels.tile import COLUMNS, LANES, ROWS
from relwise.kernels.vector import balanced

Matrix = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]
BLOCK = 8 * ROWS  # rows multiplied with all panels while they stay in the nearest cache
DEPTH = 192  # rows of a sum over rows that are laid out at a time
SLICE = 1024  # rows of a sum over rows that one thread adds up; what it adds into is d × d
PACKING = 32  # rows whose products take as long as laying out a matrix


def row_products(
    x: Matrix, source: IntArray | None, pointer: IntArray, weights: Matrix, out: Matrix, transposed: bool = False
) -> None:
    """out[p] = x[source[p]] W_r for the rows `pointer[r] : pointer[r + 1]` of every relation r.

    Args:
        x: (N, k) C-ordered, as all.
        source: (P,) rows of x, not checked; None: row p itself.
        pointer: (R + 1,).
        weights: (R, k, n), or (R, n, k) if transposed: W_r^T.
        out: (P, n), filled; may be x itself where source is None and k = n.

    >>> out = np.empty((2, 1), np.float32)
    >>> x, weights = np.array([[1, 2], [3, 4]], np.float32), np.array([[[5], [6]]], np.float32)
    >>> row_products(x, np.array([1, 0]), np.array([0, 2]), weights, out)
    >>> out.tolist()
    [[39.0], [17.0]]
    """
    blocks = max(1, min(get_num_threads(), len(out) // BLOCK))
    cost = pointer + PACKING * np.arange(len(pointer))
    _row_products(
        x, _indices(source), pointer, cost, weights.reshape(-1), transposed, out.reshape(-1), out.shape[1], blocks
    )


def weight_products(x: Matrix, source: IntArray | None, pointer: IntArray, rows: Matrix, out: Matrix) -> None:
    """out[r] = Σ_p x[source[p]]^T rows[p] over the rows `pointer[r] : pointer[r + 1]` of every relation r.

    Args:
        x: (N, m) C-ordered, as all.
        source: (P,) rows of x, not checked; None: row p itself.
        pointer: (R + 1,).
        rows: (P, n).
        out: (R, m, n), filled.

    >>> out = np.empty((2, 1, 1), np.float32)
    >>> x, rows = np.array([[1], [2]], np.float32), np.array([[3], [5]], np.float32)
    >>> weight_products(x, None, np.array([0, 2, 2]), rows, out)
    >>> out.tolist()
    [[[13.0]], [[0.0]]]
    """
    relation, bounds, part = _slices(pointer)
    parts = np.empty((int((part >= 0).sum()), *out.shape[1:]), np.float32)
    blocks = max(1, min(get_num_threads(), len(relation)))
    _weight_products(x, _indices(source), rows, relation, bounds, part, parts, out, blocks)
    _add_parts(np.searchsorted(relation, np.arange(len(out) + 1)), part, parts, out)


def _indices(source: IntArray | None) -> IntArray:
    return np.empty(0, np.int64) if source is None else source


def _slices(pointer: IntArray) -> tuple[IntArray, IntArray, IntArray]:
    """Every slice's relation, their boundaries, and in which part each is kept: a relation's first (-1) is in none.

    >>> [array.tolist() for array in _slices(np.array([0, 1, 1, 1 + SLICE + 2]))]
    [[0, 2, 2], [0, 1, 514, 1027], [-1, -1, 0]]
    """
    size = np.diff(pointer)
    count = -(-size // SLICE)
    relation = np.repeat(np.arange(len(size)), count)
    number = np.arange(len(relation)) - np.repeat(np.cumsum(count) - count, count)  # within its relation
    first = pointer[relation] + number * size[relation] // count[relation]
    part = np.where(number > 0, np.cumsum(number > 0) - 1, -1)
    return relation, np.append(first, pointer[-1]), part


@njit(parallel=True, cache=True)
def _row_products(x, source, pointer, cost, matrices, transposed, target, width, blocks):
    for block in prange(blocks):
        _rows_between(x, source, pointer, cost, matrices, transposed, target, width, block, blocks)


@njit(**INNER)
def _rows_between(x, source, pointer, cost, matrices, transposed, target, width, block, blocks):
    """Those rows whose cost, counted from the first, is in one of so many equal parts."""
    # Not plain constants, each of which `multiply` would be compiled for anew.
    depth, step, begins, apart, anew = x.shape[1], np.int64(1), np.int64(0), np.int64(COLUMNS), np.bool_(False)
    packed, left, corner = scratch(depth * up(width, LANES)), scratch(BLOCK * depth), scratch(ROWS * COLUMNS)
    whole, relation = cost[len(cost) - 1], 0
    low, high = block * whole // blocks, (block + 1) * whole // blocks
    while relation + 1 < len(pointer) and cost[relation] < high:
        if cost[relation + 1] <= low:
            relation += 1
            continue
        begin, end, shift = pointer[relation], pointer[relation + 1], PACKING * relation
        begin, end = max(begin, min(low - shift, end)), min(end, high - shift)
        if begin < end:
            if transposed:
                pack_transposed(matrices, relation * depth * width, width, depth, packed)
            else:
                pack(matrices, width, relation * depth, (relation + 1) * depth, packed)
        for first in range(begin, end, BLOCK):
            last = min(first + BLOCK, end)
            gather(x, source, first, last, depth, left)
            for j in range(0, width, COLUMNS):
                count = min(COLUMNS, width - j)
                vectors = up(count, LANES) // LANES
                for i in range(first, last, ROWS):
                    start = (i - first) * depth
                    if i + ROWS <= last and count == vectors * LANES:
                        multiply(vectors, left, start, depth, step, depth, packed, j * depth,
                                  target, i * width + j, width, anew)  # fmt: skip
                        continue
                    multiply(vectors, left, start, depth, step, depth, packed, j * depth, corner, begins, apart, anew)
                    for n in range(i, min(i + ROWS, last)):
                        copy(corner, (n - i) * COLUMNS, target, n * width + j, count)
        relation += 1


@njit(parallel=True, cache=True)
def _weight_products(x, source, rows, relation, bounds, part, parts, out, blocks):
    pieces = balanced(bounds, blocks)
    for block in prange(blocks):
        m, n = out.shape[1], out.shape[2]
        height, wide = up(m, ROWS), up(n, LANES)
        left, packed, total = scratch(DEPTH * up(height, LANES)), scratch(DEPTH * wide), scratch(height * wide)
        for piece in range(pieces[block], pieces[block + 1]):
            _one_slice(x, source, rows, bounds[piece], bounds[piece + 1], left, packed, total)
            into = out[relation[piece]] if part[piece] < 0 else parts[part[piece]]
            for i in range(m):
                copy(total, i * wide, into.reshape(m * n), i * n, n)


@njit(**INNER)
def _one_slice(x, source, rows, begin, end, left, packed, total):
    """total = Σ_p x[source[p]]^T rows[p], `DEPTH` rows at a time."""
    width, numbers = rows.shape[1], rows.reshape(rows.size)
    height, wide = up(x.shape[1], ROWS), up(width, LANES)
    step, unit = up(height, LANES), np.int64(1)
    for first in range(begin, end, DEPTH):
        last = min(first + DEPTH, end)
        depth = last - first
        gather(x, source, first, last, step, left)
        pack(numbers, width, first, last, packed)
        for j in range(0, width, COLUMNS):
            vectors = up(min(COLUMNS, width - j), LANES) // LANES
            for i in range(0, height, ROWS):
                multiply(vectors, left, i, unit, step, depth, packed, j * depth,
                          total, i * wide + j, wide, first > begin)  # fmt: skip


@njit(parallel=True, cache=True)
def _add_parts(indptr, part, parts, out):
    """out[r] += its other slices, in their order; zero without any."""
    height = out.shape[1]
    for line in prange(len(out) * height):
        relation, i = line // height, line % height
        into = out[relation, i]
        if indptr[relation] == indptr[relation + 1]:
            for j in range(len(into)):
                into[j] = 0
        for piece in range(indptr[relation] + 1, indptr[relation + 1]):
            row = parts[part[piece], i]
            for j in range(len(into)):
                into[j] += row[j]
