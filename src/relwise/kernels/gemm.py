"""Float32 matrix products on the CPU, on a tile of sums held in vector registers (see `relwise.kernels.tile`).

The right matrix is laid out in panels as wide as the tile. The left one is not interleaved: its rows are copied a few
at a time into the nearest cache (from wherever they lie, so that a gather costs nothing more), and the tile reads
single numbers there, along rows or along columns. Nothing is ever padded along the sums, so no 0 · NaN arises.

A sum over columns of the left matrix is one chain of multiply-adds, wherever its row stands. A sum over rows is one
chain for each `SLICE` of them, and the slices are added in their order: both have the same bits with any number of
threads.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from llvmlite import ir
from numba import get_num_threads, njit, prange, types
from numba.core import cgutils
from numba.extending import intrinsic

from relwise.kernels.tile import INT64, LANES, ROWS, VECTOR, VECTORS, _load, _multiply_add, _spread
from relwise.kernels.vector import balanced

Matrix = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]
COLUMNS = LANES * VECTORS
BLOCK = 8 * ROWS  # rows multiplied with all panels while they stay in the nearest cache
DEPTH = 192  # rows of a sum over rows that are laid out at a time
SLICE = 1024  # rows of a sum over rows that one thread adds up; what it adds into is d × d
PACKING = 32  # rows whose products take as long as laying out a matrix
PER_THREAD = 4


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
    blocks = max(1, min(PER_THREAD * get_num_threads(), len(out) // BLOCK))
    _row_products(x, _indices(source), pointer, weights, transposed, out, blocks)


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
    blocks = max(1, min(PER_THREAD * get_num_threads(), len(relation)))
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


def _store(builder, vector, place):  # pragma: no cover (emits code)
    builder.store(vector, builder.bitcast(place, vector.type.as_pointer()), align=4)


def _tile(vectors: int) -> Any:
    def multiply(
        typingctx, left, start, row_step, step, depth, right, place, out, at, out_step, add
    ):  # pragma: no cover (emits code)
        signature = types.void(
            left, *[types.int64] * 4, right, types.int64, out, types.int64, types.int64, types.boolean
        )
        return signature, emit

    def emit(context, builder, signature, args):  # pragma: no cover (emits code)
        left, right, out = (context.make_array(signature.args[i])(context, builder, args[i]).data for i in (0, 5, 7))
        _, start, row_step, step, depth, _, place, _, at, out_step, add = args
        first = builder.gep(left, [start])
        panel = builder.gep(right, [place])
        lines = [builder.gep(out, [builder.add(at, builder.mul(out_step, INT64(i)))]) for i in range(ROWS)]
        steps = [builder.mul(row_step, INT64(i)) for i in range(ROWS)]
        before = builder.block
        resume, loop, after = (builder.append_basic_block(name) for name in ("resume", "depth", "store"))
        builder.cbranch(add, resume, loop)

        builder.position_at_end(resume)
        there = [_load(builder, line, VECTOR, v * LANES) for line in lines for v in range(vectors)]
        builder.branch(loop)

        builder.position_at_end(loop)
        k, zero = builder.phi(INT64), VECTOR([0.0] * LANES)
        sums = [builder.phi(VECTOR) for _ in there]
        columns = [_load(builder, builder.gep(panel, [builder.mul(k, INT64(vectors * LANES))]), VECTOR, v * LANES)
                   for v in range(vectors)]  # fmt: skip
        column = builder.gep(first, [builder.mul(k, step)])
        rows = [_spread(builder, builder.load(builder.gep(column, [i])), LANES) for i in steps]
        added = [_multiply_add(builder, row, column, sums[i * vectors + v])
                 for i, row in enumerate(rows) for v, column in enumerate(columns)]  # fmt: skip
        following = builder.add(k, INT64(1))
        k.add_incoming(INT64(0), before)
        k.add_incoming(INT64(0), resume)
        k.add_incoming(following, loop)
        for value, start_value, step_value in zip(sums, there, added, strict=True):
            value.add_incoming(zero, before)
            value.add_incoming(start_value, resume)
            value.add_incoming(step_value, loop)
        builder.cbranch(builder.icmp_signed("<", following, depth), loop, after)

        builder.position_at_end(after)
        for n, total in enumerate(added):
            _store(builder, total, builder.gep(lines[n // vectors], [INT64(n % vectors * LANES)]))
        return context.get_dummy_value()

    return intrinsic(multiply)


_one, _two, _three, _four = (_tile(min(vectors, VECTORS)) for vectors in (1, 2, 3, 4))


@njit(cache=True)
def _multiply(vectors, left, start, row_step, step, depth, right, place, out, at, out_step, add):
    """out[at + i · out_step + j] (+)= Σ_k left[start + i · row_step + k · step] · right[place + k · width + j].

    For i below ROWS and j below width = vectors · LANES; depth at least 1.
    """
    if vectors == 4:
        _four(left, start, row_step, step, depth, right, place, out, at, out_step, add)
    elif vectors == 3:
        _three(left, start, row_step, step, depth, right, place, out, at, out_step, add)
    elif vectors == 2:
        _two(left, start, row_step, step, depth, right, place, out, at, out_step, add)
    else:
        _one(left, start, row_step, step, depth, right, place, out, at, out_step, add)


@njit(cache=True)
def _up(number, unit):
    return -(-number // unit) * unit


@intrinsic
def _move(typingctx, source, at, target, to, vectors):  # pragma: no cover (emits code)
    """target[to : ] = source[at : ], so many vectors of LANES; at least one."""

    def emit(context, builder, signature, args):
        data = [context.make_array(signature.args[i])(context, builder, args[i]).data for i in (0, 2)]
        source, target = (builder.gep(start, [place]) for start, place in zip(data, (args[1], args[3]), strict=True))
        before, loop, after = builder.block, builder.append_basic_block("move"), builder.append_basic_block("moved")
        builder.branch(loop)
        builder.position_at_end(loop)
        n = builder.phi(INT64)
        place = builder.mul(n, INT64(LANES))
        _store(builder, _load(builder, builder.gep(source, [place]), VECTOR, 0), builder.gep(target, [place]))
        following = builder.add(n, INT64(1))
        n.add_incoming(INT64(0), before)
        n.add_incoming(following, loop)
        builder.cbranch(builder.icmp_signed("<", following, args[4]), loop, after)
        builder.position_at_end(after)
        return context.get_dummy_value()

    return types.void(source, types.int64, target, types.int64, types.int64), emit


@intrinsic
def _turn(typingctx, source, at, step, target, to, out_step):  # pragma: no cover (emits code)
    """target[to + i · out_step + j] = source[at + j · step + i] for i and j below LANES."""

    def emit(context, builder, signature, args):
        source, target = (context.make_array(signature.args[i])(context, builder, args[i]).data for i in (0, 3))
        _, at, step, _, to, out_step = args
        places = [builder.gep(source, [builder.add(at, builder.mul(step, INT64(i)))]) for i in range(LANES)]
        rows = [_load(builder, place, VECTOR, 0) for place in places]
        width = 1
        while width < LANES:  # squares of twice the width change their off-diagonal quarters
            lower = [lane + LANES - width if lane & width else lane for lane in range(LANES)]
            upper = [lane + LANES if lane & width else lane + width for lane in range(LANES)]
            for i in (i for i in range(LANES) if not i & width):
                pair = rows[i], rows[i + width]
                masks = (ir.Constant(ir.VectorType(ir.IntType(32), LANES), mask) for mask in (lower, upper))
                rows[i], rows[i + width] = (builder.shuffle_vector(*pair, mask) for mask in masks)
            width *= 2
        for i, row in enumerate(rows):
            _store(builder, row, builder.gep(target, [builder.add(to, builder.mul(out_step, INT64(i)))]))
        return context.get_dummy_value()

    return types.void(source, types.int64, types.int64, target, types.int64, types.int64), emit


@njit(cache=True)
def _up(number, unit):
    return -(-number // unit) * unit


@njit(cache=True)
def _copy(source, at, target, to, count):
    """target[to : to + count] = source[at : at + count]."""
    whole = count // LANES
    if whole:
        _move(source, at, target, to, whole)
    for n in range(whole * LANES, count):
        target[to + n] = source[at + n]


@njit(cache=True)
def _gather(x, width, source, first, last, step, out):
    """out[n · step :] = x[source[first + n]], or x[first + n]."""
    for p in range(first, last):
        j = source[p] if len(source) else p
        _copy(x, j * width, out, (p - first) * step, width)


@njit(cache=True)
def _pack(matrix, width, first, last, packed):
    """Rows first..last in panels of COLUMNS columns, the last as many vectors as it needs, filled up with zeros."""
    for j in range(0, width, COLUMNS):
        count = min(COLUMNS, width - j)
        lanes = _up(count, LANES)
        for k in range(first, last):
            to = j * (last - first) + (k - first) * lanes
            _copy(matrix, k * width + j, packed, to, count)
            for n in range(to + count, to + lanes):
                packed[n] = 0


@njit(cache=True)
def _pack_transposed(matrix, start, width, depth, packed):
    """The same of a matrix that stands transposed, from `start` on."""
    packed[_up(width, LANES) * depth - depth * LANES :] = 0
    whole = depth - depth % LANES
    for j in range(0, width, COLUMNS):
        lanes = _up(min(COLUMNS, width - j), LANES)
        for n in range(0, min(COLUMNS, width - j), LANES):
            at, to, count = start + (j + n) * depth, j * depth + n, min(LANES, width - j - n)
            done = whole if count == LANES else 0
            for k in range(0, done, LANES):
                _turn(matrix, at + k, depth, packed, to + k * lanes, lanes)
            for k in range(done, depth):
                for m in range(count):
                    packed[to + k * lanes + m] = matrix[at + m * depth + k]


@njit(parallel=True, cache=True)
def _row_products(x, source, pointer, weights, transposed, out, blocks):
    cost = pointer + PACKING * np.arange(len(pointer))
    for block in prange(blocks):
        low, high = block * cost[-1] // blocks, (block + 1) * cost[-1] // blocks
        _rows_between(x, source, pointer, cost, weights, transposed, out, low, high)


@njit(cache=True)
def _rows_between(x, source, pointer, cost, weights, transposed, out, low, high):
    """Those rows whose cost, counted from the first, is between."""
    depth, width = x.shape[1], out.shape[1]
    packed = np.empty(depth * _up(width, LANES), np.float32)
    left, scratch = np.zeros(BLOCK * depth, np.float32), np.empty(ROWS * COLUMNS, np.float32)
    states, matrices, target = x.reshape(x.size), weights.reshape(weights.size), out.reshape(out.size)
    relation = np.searchsorted(cost, low, side="right") - 1
    while relation < len(weights) and cost[relation] < high:
        begin, end, shift = pointer[relation], pointer[relation + 1], PACKING * relation
        begin, end = max(begin, min(low - shift, end)), min(end, high - shift)
        if begin < end:
            if transposed:
                _pack_transposed(matrices, relation * depth * width, width, depth, packed)
            else:
                _pack(matrices, width, relation * depth, (relation + 1) * depth, packed)
        for first in range(begin, end, BLOCK):
            last = min(first + BLOCK, end)
            _gather(states, depth, source, first, last, depth, left)
            for j in range(0, width, COLUMNS):
                count = min(COLUMNS, width - j)
                vectors = _up(count, LANES) // LANES
                for i in range(first, last, ROWS):
                    start = (i - first) * depth
                    if i + ROWS <= last and count == vectors * LANES:
                        _multiply(vectors, left, start, depth, 1, depth, packed, j * depth,
                                  target, i * width + j, width, False)  # fmt: skip
                        continue
                    _multiply(vectors, left, start, depth, 1, depth, packed, j * depth, scratch, 0, COLUMNS, False)
                    for n in range(i, min(i + ROWS, last)):
                        _copy(scratch, (n - i) * COLUMNS, target, n * width + j, count)
        relation += 1


@njit(parallel=True, cache=True)
def _weight_products(x, source, rows, relation, bounds, part, parts, out, blocks):
    pieces = balanced(bounds, blocks)
    for block in prange(blocks):
        m, n = out.shape[1], out.shape[2]
        left = np.zeros(DEPTH * _up(m, ROWS), np.float32)
        packed = np.empty(DEPTH * _up(n, LANES), np.float32)
        total = np.empty((_up(m, ROWS), _up(n, LANES)), np.float32)
        for piece in range(pieces[block], pieces[block + 1]):
            _one_slice(x, source, rows, bounds[piece], bounds[piece + 1], left, packed, total)
            into = out[relation[piece]] if part[piece] < 0 else parts[part[piece]]
            for i in range(m):
                _copy(total.reshape(total.size), i * total.shape[1], into.reshape(m * n), i * n, n)


@njit(cache=True)
def _one_slice(x, source, rows, begin, end, left, packed, total):
    """total = Σ_p x[source[p]]^T rows[p], `DEPTH` rows at a time."""
    step, width, wide = len(total), rows.shape[1], total.shape[1]
    states, numbers, sums = x.reshape(x.size), rows.reshape(rows.size), total.reshape(total.size)
    for first in range(begin, end, DEPTH):
        last = min(first + DEPTH, end)
        depth = last - first
        _gather(states, x.shape[1], source, first, last, step, left)
        _pack(numbers, width, first, last, packed)
        for j in range(0, width, COLUMNS):
            vectors = _up(min(COLUMNS, width - j), LANES) // LANES
            for i in range(0, step, ROWS):
                _multiply(vectors, left, i, 1, step, depth, packed, j * depth,
                          sums, i * wide + j, wide, first > begin)  # fmt: skip


@njit(parallel=True, cache=True)
def _add_parts(indptr, part, parts, out):
    """out[r] += its other slices, in their order; zero without any."""
    height = out.shape[1]
    for line in prange(len(out) * height):
        relation, i = line // height, line % height
        into = out[relation, i]
        if indptr[relation] == indptr[relation + 1]:
            into[:] = 0
        for piece in range(indptr[relation] + 1, indptr[relation + 1]):
            row = parts[part[piece], i]
            for j in range(len(into)):
                into[j] += row[j]
