"""Float32 matrix products on the CPU, on a tile of sums held in vector registers (see `relwise.kernels.tile`).

Nothing is laid out that the tile can read where it stands: of the left matrix single numbers, along rows or along
columns, from wherever these lie, so that a gather costs nothing more; of the rows in a sum over rows whole vectors.
Copies took a seventh of such a sum's time. Only a matrix that many rows are multiplied with is laid out, in panels as
wide as the tile. Nothing is ever padded along the sums, so no 0 · NaN arises.

A sum over columns of the left matrix is one chain of multiply-adds, wherever its row stands. A sum over rows is one
chain for each `CHAIN` of them, and the chains of a slice and then the slices are added in their order: both have the
same bits with any number of threads.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import get_num_threads, njit, prange

from relwise.kernels.compiling import INNER, PARALLEL
from relwise.kernels.panels import (
    ask_for,
    copy,
    counted,
    fill,
    multiply,
    pack,
    pack_transposed,
    row_starts,
    scratch,
    up,
)
from relwise.kernels.slices import CHAIN, IntArray, slices_of
from relwise.kernels.tile import COLUMNS, LANES, ROWS
from relwise.kernels.vector import add_to, balanced, prefetch_early

Matrix = npt.NDArray[np.float32]
BLOCK = 8 * ROWS  # rows multiplied with all panels while they stay in the nearest cache
DEPTH = 96  # rows of a sum over rows that are added up at a time: their panel stays in the nearest cache
PACKING = 32  # rows whose products take as long as laying out a matrix


class Grouped(NamedTuple):
    """Rows sorted by relation, each a product of a state and its relation's matrix. All arrays are C-ordered.

    Args:
        x: (N, k) states.
        source: (P,) int64, which state is each row's, not checked; of no length where row p is of state p.
        pointer: (R + 1,) int64; relation r's rows are `pointer[r] : pointer[r + 1]`.
        weights: (R, k, n).
        rows: (P, n).
    """

    x: Matrix
    source: IntArray
    pointer: IntArray
    weights: Matrix
    rows: Matrix


IN_ORDER = np.empty(0, np.int64)  # a `source`


def row_products(*groups: Grouped, transposed: bool = False) -> None:
    """rows[p] = x[source[p]] W_r, of one group or of two: no thread waits for another one between them.

    Args:
        groups: whose rows are filled; they may be x itself where they are in order and k = n.
        transposed: whether `weights` holds W_r^T, (R, n, k).

    >>> rows = np.empty((2, 1), np.float32)
    >>> x, weights = np.array([[1, 2], [3, 4]], np.float32), np.array([[[5], [6]]], np.float32)
    >>> row_products(Grouped(x, np.array([1, 0]), np.array([0, 2]), weights, rows))
    >>> rows.tolist()
    [[39.0], [17.0]]
    """
    one, other = _both(groups)
    blocks = max(1, min(get_num_threads(), max(len(one.rows), len(other.rows)) // BLOCK))
    _row_products(one, other, transposed, blocks)


def weight_products(*groups: Grouped) -> None:
    """weights[r] = Σ_p x[source[p]]^T rows[p] over each relation's rows, of one group or of two.

    >>> weights = np.empty((2, 1, 1), np.float32)
    >>> x, rows = np.array([[1], [2]], np.float32), np.array([[3], [5]], np.float32)
    >>> weight_products(Grouped(x, IN_ORDER, np.array([0, 2, 2]), weights, rows))
    >>> weights.tolist()
    [[[13.0]], [[0.0]]]
    """
    one, other = _both(groups)
    slices = slices_of(tuple(one.pointer.tolist())), slices_of(tuple(other.pointer.tolist()))
    parts = [
        np.empty((cut.parts, *group.weights.shape[1:]), np.float32)
        for group, cut in zip((one, other), slices, strict=True)
    ]
    blocks = max(1, min(get_num_threads(), len(slices[0].relation) + len(slices[1].relation)))
    _weight_products(*[one, other, *slices, *parts, blocks])


def _both(groups: tuple[Grouped, ...]) -> tuple[Grouped, Grouped]:
    """One group and another, which may be of no rows and relations."""
    if len(groups) == 2:
        return groups[0], groups[1]
    (one,) = groups
    return one, Grouped(one.x, IN_ORDER, np.zeros(1, np.int64), one.weights[:0], one.rows[:0])


@njit(**PARALLEL)
def _row_products(one, other, transposed, blocks):
    for block in prange(blocks):
        number = np.int64(block)  # unsigned in one pass of the compiler: two compilations
        _rows_between(one, transposed, number, blocks)
        _rows_between(other, transposed, number, blocks)


@njit(**INNER)
def _rows_between(group, transposed, block, blocks):
    """Those rows whose cost, counted from the first, is in one of so many equal parts."""
    x, source, pointer, target, width = group.x, group.source, group.pointer, group.rows, group.rows.shape[1]
    if not len(target):
        return
    depth, in_place = x.shape[1], x.ctypes.data == target.ctypes.data
    numbers, matrices = x.reshape(x.size), group.weights.reshape(group.weights.size)
    packed, held = scratch(depth * up(width, LANES)), scratch(BLOCK * depth if in_place else 0)
    target, offsets, corner = target.reshape(target.size), counted(depth), scratch(ROWS * COLUMNS)
    none = np.int64(0)  # no plain constant, which `rows_of` would be compiled for anew
    whole, relation = pointer[len(pointer) - 1] + PACKING * (len(pointer) - 1), 0
    low, high = block * whole // blocks, (block + 1) * whole // blocks
    while relation + 1 < len(pointer) and pointer[relation] + PACKING * relation < high:
        if pointer[relation + 1] + PACKING * (relation + 1) <= low:
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
            left, shift, until = numbers, none, end
            if in_place:
                copy(numbers, first * depth, held, 0, (last - first) * depth)
                left, shift, until = held, first, none
            rows_of(left, source, first - shift, last - shift, offsets, packed, width, target, first, corner, x, until)
        relation += 1


@njit(**INNER)
def rows_of(left, source, first, last, offsets, packed, width, target, to, corner, x, until):
    """target[to:] = rows first..last of the left matrix, each of `len(offsets)` numbers, times one in panels.

    Args:
        x: whose rows are asked for, a block ahead, up to `until`: it holds what comes next.
    """
    # Not plain constants, each of which `multiply` would be compiled for anew.
    depth, begins, apart, anew = len(offsets), np.int64(0), np.int64(COLUMNS), np.bool_(False)
    for j in range(0, width, COLUMNS):
        count = min(COLUMNS, width - j)
        vectors = up(count, LANES) // LANES
        lanes = np.int64(vectors * LANES)
        for i in range(first, last, ROWS):
            for p in range(i + BLOCK, min(i + BLOCK + ROWS, until if j == 0 else 0)):
                prefetch_early(x, np.uint64(source[p] if len(source) else p))
            starts, line = row_starts(source, i, last, depth), to + i - first
            if i + ROWS <= last and count == lanes:
                multiply(vectors, left, starts, offsets, depth, packed, j * depth, lanes,
                          target, line * width + j, width, anew)  # fmt: skip
                continue
            multiply(vectors, left, starts, offsets, depth, packed, j * depth, lanes, corner, begins, apart, anew)
            for n in range(min(ROWS, last - i)):
                copy(corner, n * COLUMNS, target, (line + n) * width + j, count)


@njit(**PARALLEL)
def _weight_products(one, other, slices, other_slices, parts, other_parts, blocks):
    for block in prange(blocks):
        number = np.int64(block)  # as above
        _slices_between(one, slices, parts, number, blocks)
        _slices_between(other, other_slices, other_parts, number, blocks)
    add_parts(slices, parts, one.weights)
    add_parts(other_slices, other_parts, other.weights)


@njit(**INNER)
def _slices_between(group, slices, parts, block, blocks):
    """One of so many equal parts of the slices."""
    out, pieces = group.weights, balanced(slices.bounds, blocks)
    if pieces[block] == pieces[block + 1]:
        return
    m, n = out.shape[1], out.shape[2]
    height, wide = up(m, ROWS), up(n, LANES)
    offsets, filled, total = np.empty(DEPTH, np.int64), room_to_fill(group.rows), scratch(height * wide)
    for piece in range(pieces[block], pieces[block + 1]):
        first, last, part = slices.bounds[piece], slices.bounds[piece + 1], slices.part[piece]
        into = (out[slices.relation[piece]] if part < 0 else parts[part]).reshape(m * n)
        for begin in range(first, last, CHAIN):
            _one_chain(group.x, group.source, group.rows, begin, min(begin + CHAIN, last), offsets, filled, total)
            hand_over(total, wide, m, n, into, begin > first)


@njit(**INNER)
def hand_over(total, wide, m, n, into, add):
    """into (m · n,) = a chain's sum, of which n of `wide` numbers a row count; or it is added."""
    for i in range(m):
        if add:
            add_to(into[i * n : (i + 1) * n], total[i * wide : i * wide + n])
        else:
            copy(total, i * wide, into, i * n, n)


@njit(**INNER)
def _one_chain(x, source, rows, begin, end, offsets, filled, total):
    """total = Σ_p x[source[p]]^T rows[p], `DEPTH` rows at a time."""
    for first in range(begin, end, DEPTH):
        add_block(x, source, rows, first, min(first + DEPTH, end), offsets, filled, total, first > begin)


@njit(**INNER)
def room_to_fill(rows):
    """Scratch of `add_block`: of no length where vectors of the rows begin cache lines."""
    wide, begins = up(rows.shape[1], LANES), rows.ctypes.data % (4 * LANES) == 0
    return scratch(0 if begins and rows.shape[1] == wide else DEPTH * wide)


@njit(**INNER)
def add_block(x, source, rows, first, last, offsets, filled, total, add):
    """total (+)= Σ_p x[source[p]]^T rows[p] over first..last, while the next rows are on their way from memory.

    Args:
        offsets: scratch, of `DEPTH` places.
        filled: `room_to_fill`, for the rows filled up to whole vectors.
        total: (k, n), of as many rows and columns as the tiles have.
    """
    depth, width, count, asked = x.shape[1], rows.shape[1], last - first, last
    height, wide = up(depth, ROWS), up(width, LANES)
    tiles = height // ROWS * (up(width, COLUMNS) // COLUMNS)
    for p in range(first, last):
        offsets[p - first] = (source[p] if len(source) else p) * depth
    left, right, place = x.reshape(x.size), rows.reshape(rows.size), first * width
    if len(filled):
        fill(right, width, first, last, filled, wide)
        right, place = filled, np.int64(0)
    for j in range(0, width, COLUMNS):
        vectors = up(min(COLUMNS, width - j), LANES) // LANES
        for i in range(0, height, ROWS):
            until = min(asked + -(-DEPTH // tiles), last + DEPTH, len(rows))
            ask_for(x, source, rows, asked, until)
            asked = until
            starts = row_starts(source[:0], np.int64(i), depth, np.int64(1))
            multiply(vectors, left, starts, offsets, count, right, place + j, wide, total, i * wide + j, wide, add)


@njit(**PARALLEL)
def add_parts(slices, parts, out):
    """out[r] += its other slices, in their order; zero without any."""
    height = out.shape[1]
    for line in prange(len(out) * height):
        relation, i = line // height, line % height
        into, first, last = out[relation, i], slices.begins[relation], slices.begins[relation + 1]
        if first == last:
            for j in range(len(into)):
                into[j] = 0
        for piece in range(first + 1, last):
            row = parts[slices.part[piece], i]
            for j in range(len(into)):
                into[j] += row[j]
