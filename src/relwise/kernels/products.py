"""Products of queries with gathered rows, in tiles that keep loads and sums of several rows under way at a time, and
the choice among them."""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

from relwise.kernels.compiling import INNER, OUTER
from relwise.kernels.rows import _spread
from relwise.kernels.vector import FAST, REORDERED, prefetch

AHEAD = 8  # rows asked for before they are read
LANES = 16  # of a pool that are gone over at a time
INT64 = ir.IntType(64)


@njit(fastmath=REORDERED, **INNER)
def row_product(query, row):
    """The product of two rows."""
    total = query.dtype.type(0)
    for k in range(len(query)):
        total += query[k] * row[k]
    return total


@njit(fastmath=REORDERED, **OUTER)
def row_products(query, rows, which, out):
    """Fill `out` (k,) with the products of one query with `rows[which]`."""
    full = len(which) // 4 * 4
    for j in range(0, full, 4):
        for later in range(j + AHEAD, min(j + AHEAD + 4, len(which))):
            prefetch(rows, which[later])
        r0, r1, r2, r3 = rows[which[j]], rows[which[j + 1]], rows[which[j + 2]], rows[which[j + 3]]
        a = b = c = d = query.dtype.type(0)
        for k in range(len(query)):
            x = query[k]
            a += x * r0[k]
            b += x * r1[k]
            c += x * r2[k]
            d += x * r3[k]
        out[j], out[j + 1], out[j + 2], out[j + 3] = a, b, c, d
    for j in range(full, len(which)):
        out[j] = row_product(query, rows[which[j]])


@njit(fastmath=FAST, **OUTER)
def block_products(queries, rows, which, out):
    """Fill `out[:m, :k]` with the products of m queries with `rows[which]`, 4 × 4 of them at a time."""
    full, even = len(queries) // 4 * 4, len(which) // 4 * 4
    for i in range(0, full, 4):
        q0, q1, q2, q3 = queries[i], queries[i + 1], queries[i + 2], queries[i + 3]
        for j in range(0, even, 4):
            _tile(
                q0, q1, q2, q3, rows[which[j]], rows[which[j + 1]], rows[which[j + 2]], rows[which[j + 3]],
                out[i : i + 4, j : j + 4],
            )  # fmt: skip
        for j in range(even, len(which)):
            for n in range(4):
                out[i + n, j] = row_product(queries[i + n], rows[which[j]])
    for i in range(full, len(queries)):
        row_products(queries[i], rows, which, out[i])


@njit(fastmath=REORDERED, **INNER)
def _tile(q0, q1, q2, q3, r0, r1, r2, r3, out):
    a0 = a1 = a2 = a3 = b0 = b1 = b2 = b3 = c0 = c1 = c2 = c3 = d0 = d1 = d2 = d3 = q0.dtype.type(0)
    for k in range(len(q0)):
        w, x, y, z = r0[k], r1[k], r2[k], r3[k]
        q = q0[k]
        a0 += q * w
        a1 += q * x
        a2 += q * y
        a3 += q * z
        q = q1[k]
        b0 += q * w
        b1 += q * x
        b2 += q * y
        b3 += q * z
        q = q2[k]
        c0 += q * w
        c1 += q * x
        c2 += q * y
        c3 += q * z
        q = q3[k]
        d0 += q * w
        d1 += q * x
        d2 += q * y
        d3 += q * z
    out[0, 0], out[0, 1], out[0, 2], out[0, 3] = a0, a1, a2, a3
    out[1, 0], out[1, 1], out[1, 2], out[1, 3] = b0, b1, b2, b3
    out[2, 0], out[2, 1], out[2, 2], out[2, 3] = c0, c1, c2, c3
    out[3, 0], out[3, 1], out[3, 2], out[3, 3] = d0, d1, d2, d3


def _emit_neighbours(typingctx, logits, begin, end, bound):  # pragma: no cover (emits code)
    def emit(context, builder, signature, args):
        array = context.make_array(logits)(context, builder, args[0])
        number = context.get_value_type(bound)
        vector, limit = ir.VectorType(number, LANES), _spread(builder, args[3], LANES)
        ends = [vector([number(float(sign + "inf"))] * LANES) for sign in "-+"]
        before, loop, after = builder.block, builder.append_basic_block("logits"), builder.append_basic_block("both")
        builder.branch(loop)
        builder.position_at_end(loop)
        n, low, high = builder.phi(INT64), builder.phi(vector), builder.phi(vector)
        some = builder.load(builder.bitcast(builder.gep(array.data, [n]), vector.as_pointer()), align=4)
        is_low = builder.fcmp_ordered("<=", some, limit)
        higher = builder.and_(is_low, builder.fcmp_ordered(">", some, low))
        lower = builder.and_(builder.not_(is_low), builder.fcmp_ordered("<", some, high))
        steps = builder.select(higher, some, low), builder.select(lower, some, high)
        following = builder.add(n, INT64(LANES))
        for phi, start, step in zip((n, low, high), (args[1], *ends), (following, *steps), strict=True):
            phi.add_incoming(start, before)
            phi.add_incoming(step, loop)
        builder.cbranch(builder.icmp_signed("<", following, args[2]), loop, after)
        builder.position_at_end(after)
        kind = f"v{LANES}f{64 if number == ir.DoubleType() else 32}"
        names = [f"llvm.vector.reduce.{name}.{kind}" for name in ("fmax", "fmin")]
        one = ir.FunctionType(number, [vector])
        found = [
            builder.call(cgutils.get_or_insert_function(builder.module, one, name), [step], fastmath=("nnan",))
            for name, step in zip(names, steps, strict=True)
        ]
        return context.make_tuple(builder, signature.return_type, found)

    return types.UniTuple(bound, 2)(logits, types.int64, types.int64, bound), emit


_neighbours: Any = intrinsic(_emit_neighbours)
"""The highest logit at or below a bound and the lowest above it; infinities where there is none."""


def _emit_first(typingctx, logits, begin, end, value):  # pragma: no cover (emits code)
    def emit(context, builder, signature, args):
        array = context.make_array(logits)(context, builder, args[0])
        vector, wanted = ir.VectorType(context.get_value_type(value), LANES), _spread(builder, args[3], LANES)
        before, loop, after = builder.block, builder.append_basic_block("logits"), builder.append_basic_block("found")
        builder.branch(loop)
        builder.position_at_end(loop)
        n = builder.phi(INT64)
        some = builder.load(builder.bitcast(builder.gep(array.data, [n]), vector.as_pointer()), align=4)
        bits = builder.bitcast(builder.fcmp_ordered("==", some, wanted), ir.IntType(LANES))
        found, following = builder.icmp_unsigned("!=", bits, bits.type(0)), builder.add(n, INT64(LANES))
        n.add_incoming(args[1], before)
        n.add_incoming(following, loop)
        builder.cbranch(builder.or_(found, builder.icmp_signed(">=", following, args[2])), after, loop)
        builder.position_at_end(after)
        place = builder.zext(builder.cttz(bits, ir.IntType(1)(0)), INT64)
        return builder.select(found, builder.add(builder.sub(n, args[1]), place), INT64(0))

    return types.int64(logits, types.int64, types.int64, value), emit


_first: Any = intrinsic(_emit_first)
"""Where a logit first stands, counted from `begin`; 0 where it does not."""


@njit(**OUTER)
def nearest(logits, begin, end, wanted, bound):
    """The slot, counted from `begin`, whose probability is nearest to `wanted`.

    The sigmoid rises, so the likeliest candidate at or below `wanted` and the least likely above it are the only two
    in question, and on either side logits tell apart what rounds to one probability. Of two that are equally near the
    less likely is taken, of equal logits the first. Where a logit is no number, any slot may be taken.

    Args:
        logits: those of a pool from `begin` to `end`, filled up to a multiple of `LANES` with its first.
        wanted: a probability; 1 or more asks for the likeliest, 0 or less for the least likely.
        bound: its logit, rounded down in the logits' dtype.
    """
    low, high = _neighbours(logits, begin, end, bound)
    below, above = 1 / (1 + np.exp(-np.float64(low))), 1 / (1 + np.exp(-np.float64(high)))
    # Chosen between, not jumped over: which it is, is anybody's guess.
    takes_low = (high == np.inf) | ((low > -np.inf) & (wanted - below <= above - wanted))
    return _first(logits, begin, end, low if takes_low else high)
