"""What products on the register tile are made of: the tile itself, with sums that may be resumed, and the layout of
matrices for it. See `relwise.kernels.gemm`."""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

from relwise.kernels.compiling import INNER
from relwise.kernels.tile import COLUMNS, INT64, LANES, ROWS, VECTOR, VECTORS, _load, _spread, emit_multiply_add
from relwise.kernels.vector import prefetch_early

LINE = 16  # numbers in a cache line


def _store(builder, vector, place):  # pragma: no cover (emits code)
    builder.store(vector, builder.bitcast(place, vector.type.as_pointer()), align=4)


def _tile(vectors: int) -> Any:
    def multiply(
        typingctx, left, starts, offsets, depth, right, place, right_step, out, at, out_step, add
    ):  # pragma: no cover (emits code)
        whole = types.int64
        signature = types.void(left, starts, offsets, whole, right, whole, whole, out, whole, whole, types.boolean)
        return signature, emit

    def emit(context, builder, signature, args):  # pragma: no cover (emits code)
        left, offsets, right, out = (
            context.make_array(signature.args[i])(context, builder, args[i]).data for i in (0, 2, 4, 7)
        )
        _, starts, _, depth, _, place, right_step, _, at, out_step, add = args
        firsts = [builder.gep(left, [start]) for start in cgutils.unpack_tuple(builder, starts)]
        panel = builder.gep(right, [place])
        lines = [builder.gep(out, [builder.add(at, builder.mul(out_step, INT64(i)))]) for i in range(ROWS)]
        before = builder.block
        resume, loop, after = (builder.append_basic_block(name) for name in ("resume", "depth", "store"))
        builder.cbranch(add, resume, loop)

        builder.position_at_end(resume)
        there = [_load(builder, line, VECTOR, v * LANES) for line in lines for v in range(vectors)]
        builder.branch(loop)

        builder.position_at_end(loop)
        k, zero = builder.phi(INT64), VECTOR([0.0] * LANES)
        sums = [builder.phi(VECTOR) for _ in there]
        line, offset = builder.gep(panel, [builder.mul(k, right_step)]), builder.load(builder.gep(offsets, [k]))
        columns = [_load(builder, line, VECTOR, v * LANES) for v in range(vectors)]
        rows = [_spread(builder, builder.load(builder.gep(first, [offset])), LANES) for first in firsts]
        added = [emit_multiply_add(builder, row, column, sums[i * vectors + v])
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


_one, _two, _three, _whole = (_tile(min(vectors, VECTORS)) for vectors in (1, 2, 3, 4))


multiply_two = _two
"""`multiply` of two vectors in a row, inlined: what a block of queries mostly has where registers hold sixteen."""


@njit(**INNER, forceinline=True)
def multiply(vectors, left, starts, offsets, depth, right, place, right_step, out, at, out_step, add):
    """out[at + i · out_step + j] (+)= Σ_k left[starts[i] + offsets[k]] · right[place + k · right_step + j].

    For i below ROWS and j below vectors · LANES; depth at least 1. The left matrix may so be rows or columns of a
    table, from all over it.
    """
    if vectors == VECTORS:  # at once: to hand so much over takes as long as six in a hundred of the products
        _whole(left, starts, offsets, depth, right, place, right_step, out, at, out_step, add)
    else:
        _narrow(vectors, left, starts, offsets, depth, right, place, right_step, out, at, out_step, add)


@njit(**INNER)
def _narrow(vectors, left, starts, offsets, depth, right, place, right_step, out, at, out_step, add):
    if vectors == 3:
        _three(left, starts, offsets, depth, right, place, right_step, out, at, out_step, add)
    elif vectors == 2:
        _two(left, starts, offsets, depth, right, place, right_step, out, at, out_step, add)
    else:
        _one(left, starts, offsets, depth, right, place, right_step, out, at, out_step, add)


@njit(**INNER)
def row_starts(source, first, last, width):
    """Where rows `first` and on begin in a table: ROWS of them, the last one again where there are fewer.

    Args:
        source: which row of the table each is; of no length: the same.
        last: behind the last one.
    """
    a, b, c, d, e, f = first, first + 1, first + 2, first + 3, first + 4, first + 5
    if f >= last:
        a, b, c, d, e, f = a, min(b, last - 1), min(c, last - 1), min(d, last - 1), min(e, last - 1), last - 1
    if len(source):
        a, b, c, d, e, f = source[a], source[b], source[c], source[d], source[e], source[f]
    return a * width, b * width, c * width, d * width, e * width, f * width


def _emit_turn(typingctx, source, at, step, target, to, out_step):  # pragma: no cover (emits code)
    def emit(context, builder, signature, args):
        source, target = (context.make_array(signature.args[i])(context, builder, args[i]).data for i in (0, 3))
        _, at, step, _, to, out_step = args
        starts = (builder.add(at, builder.mul(step, INT64(i))) for i in range(LANES))
        rows = [_load(builder, builder.gep(source, [start]), VECTOR, 0) for start in starts]
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


_turn: Any = intrinsic(_emit_turn)
"""`_turn(source, at, step, target, to, out_step)`: target[to + i · out_step + j] = source[at + j · step + i], for i and
j below LANES."""


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
def counted(size):
    """0, 1, 2, ...: the offsets of a row's numbers."""
    out = np.empty(size, np.int64)
    for k in range(size):
        out[k] = k
    return out


@njit(**INNER)
def fill(matrix, width, first, last, out, step):
    """Rows first..last, each filled up with zeros to so many numbers."""
    for k in range(last - first):
        copy(matrix, (first + k) * width, out, k * step, width)
        for n in range(k * step + width, (k + 1) * step):
            out[n] = 0


@njit(**INNER)
def ask_for(x, source, rows, first, last):
    """Ask for `rows` first..last, and for the rows of x that they are multiplied by."""
    for p in range(first, last):
        j = source[p] if len(source) else p
        prefetch_early(x, np.uint64(j))
        prefetch_early(rows, np.uint64(p))


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
