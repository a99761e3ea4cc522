"""What products on the register tile are made of: the tile itself, with sums that may be resumed, and the layout of
matrices for it. See `relwise.kernels.gemm`."""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic

from relwise.kernels.compiling import INNER
from relwise.kernels.tile import COLUMNS, INT64, LANES, ROWS, VECTOR, VECTORS, _load, _multiply_add, _spread
from relwise.kernels.vector import AHEAD, prefetch

LINE = 16  # numbers in a cache line


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


@njit(**INNER)
def multiply(vectors, left, start, row_step, step, depth, right, place, out, at, out_step, add):
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


def _turn_from(builder, places, target, to, out_step):  # pragma: no cover (emits code)
    """target[to + i · out_step + j] = the i-th number at places[j], for i and j below LANES."""
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


def _emit_turn(typingctx, source, at, step, target, to, out_step):  # pragma: no cover (emits code)
    def emit(context, builder, signature, args):
        source, target = (context.make_array(signature.args[i])(context, builder, args[i]).data for i in (0, 3))
        _, at, step, _, to, out_step = args
        places = [builder.gep(source, [builder.add(at, builder.mul(step, INT64(i)))]) for i in range(LANES)]
        _turn_from(builder, places, target, to, out_step)
        return context.get_dummy_value()

    return types.void(source, types.int64, types.int64, target, types.int64, types.int64), emit


_turn: Any = intrinsic(_emit_turn)
"""`_turn(source, at, step, target, to, out_step)`: target[to + i · out_step + j] = source[at + j · step + i], for i and
j below LANES."""


def _emit_turn_rows(typingctx, source, which, first, step, k, target, to, out_step):  # pragma: no cover (emits code)
    def emit(context, builder, signature, args):
        source, which, target = (
            context.make_array(signature.args[i])(context, builder, args[i]).data for i in (0, 1, 5)
        )
        _, _, first, step, k, _, to, out_step = args
        numbers = (builder.load(builder.gep(which, [builder.add(first, INT64(i))])) for i in range(LANES))
        starts = [builder.mul(builder.zext(number, INT64), step) for number in numbers]
        places = [builder.gep(source, [builder.add(start, k)]) for start in starts]
        _turn_from(builder, places, target, to, out_step)
        return context.get_dummy_value()

    whole = types.int64
    return types.void(source, which, whole, whole, whole, target, whole, whole), emit


_turn_rows: Any = intrinsic(_emit_turn_rows)
"""`_turn_rows(source, which, first, step, k, target, to, out_step)`: of rows from all over, `which` (uint32).

target[to + i · out_step + j] = source[which[first + j] · step + k + i], for i and j below LANES."""


@njit(**INNER)
def up(number, unit):
    return -(-number // unit) * unit


@njit(**INNER)
def scratch(size):
    """So many zeros, from the start of a cache line on: no vector lies across two."""
    room = np.zeros(size + LINE, np.float32)
    start = -(room.ctypes.data // 4) % LINE
    return room[start : start + size]


@njit(**INNER)
def copy(source, at, target, to, count):
    """target[to : to + count] = source[at : at + count]."""
    one, other = source[at : at + count], target[to : to + count]
    for n in range(count):
        other[n] = one[n]


@njit(**INNER)
def gather(x, source, first, last, step, out):
    """out[n · step :] = x[source[first + n]], or x[first + n]."""
    width, numbers = x.shape[1], x.reshape(x.size)
    for p in range(first, last):
        j = p
        if len(source):
            j = source[p]
            prefetch(x, np.uint64(source[min(p + AHEAD, len(source) - 1)]))  # pyright: ignore[reportCallIssue]
        copy(numbers, j * width, out, (p - first) * step, width)


@njit(**INNER)
def ask_for(x, source, rows, first, last):
    """Ask for `rows` first..last, and what `gather` would copy beside them."""
    for p in range(first, last):
        j = source[p] if len(source) else p
        prefetch(x, np.uint64(j))
        prefetch(rows, np.uint64(p))


@njit(**INNER)
def pack(matrix, width, first, last, packed):
    """Rows first..last in panels of COLUMNS columns, the last as many vectors as it needs, filled up with zeros."""
    for j in range(0, width, COLUMNS):
        count = min(COLUMNS, width - j)
        lanes = up(count, LANES)
        for k in range(first, last):
            to = j * (last - first) + (k - first) * lanes
            copy(matrix, k * width + j, packed, to, count)
            for n in range(to + count, to + lanes):
                packed[n] = 0


@njit(**INNER)
def pack_transposed(matrix, start, width, depth, packed):
    """The same of a matrix that stands transposed, from `start` on."""
    for n in range(up(width, LANES) * depth - depth * LANES, len(packed)):
        packed[n] = 0
    whole = depth - depth % LANES
    for j in range(0, width, COLUMNS):
        lanes = up(min(COLUMNS, width - j), LANES)
        for n in range(0, min(COLUMNS, width - j), LANES):
            at, to, count = start + (j + n) * depth, j * depth + n, min(LANES, width - j - n)
            done = whole if count == LANES else 0
            for k in range(0, done, LANES):
                _turn(matrix, at + k, depth, packed, to + k * lanes, lanes)
            for k in range(done, depth):
                for m in range(count):
                    packed[to + k * lanes + m] = matrix[at + m * depth + k]


@njit(**INNER)
def pack_rows(matrix, depth, which, packed):
    """Rows `which` of a matrix in panels, one row a column: the `pack_transposed` of rows from all over.

    Args:
        which: uint32, a multiple of LANES long.
    """
    whole = depth - depth % LANES
    for j in range(0, len(which), COLUMNS):
        lanes = min(COLUMNS, len(which) - j)
        for n in range(0, lanes, LANES):
            to = j * depth + n
            for k in range(0, whole, LANES):
                _turn_rows(matrix, which, j + n, depth, k, packed, to + k * lanes, lanes)
            for k in range(whole, depth):
                for m in range(LANES):
                    packed[to + k * lanes + m] = matrix[np.uint64(which[j + n + m]) * np.uint64(depth) + np.uint64(k)]
