"""The choice among a pool: the slot whose probability is nearest to a wanted one.

The sigmoid rises, so the likeliest candidate at or below what is wanted and the least likely above it are the only two
in question, and on either side logits tell apart what rounds to one probability. Of two that are equally near the less
likely is taken, of equal logits the first. Where a logit is no number, any slot may be taken.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

from relwise.kernels.compiling import INNER, OUTER
from relwise.kernels.registers import BYTES, INT32, INT64, Vectors, data_of, each
from relwise.kernels.rows import _spread

SLOTS = 16  # of a pool that are gone over at a time
TWO = 2  # registers of edges that are chosen for at a time, so that one's comparisons wait beside the other's
GROUP = TWO * BYTES // 4  # float32 numbers in them
CLOSE = 4e-6  # between two distances: below this it takes float64 to tell which is the shorter
INF = float("inf")


@njit(**INNER)
def _takes_lower(low, high, wanted):
    """Whether the likeliest at or below is taken: the other is farther away, or there is none."""
    below, above = 1 / (1 + np.exp(-np.float64(low))), 1 / (1 + np.exp(-np.float64(high)))
    # Chosen between, not jumped over: which it is, is anybody's guess.
    return (high == np.inf) | ((low > -np.inf) & (wanted - below <= above - wanted))


@njit(**INNER)
def round_down(number, like):
    """A float64 number in an array's dtype, or the next lower one: no number of that dtype lies between the two."""
    rounded = like.dtype.type(number)
    return np.nextafter(rounded, like.dtype.type(-np.inf)) if np.float64(rounded) > number else rounded


# -- of one edge, whose logits stand together ------------------------------------------------------------


def _emit_neighbours(typingctx, logits, begin, end, bound):  # pragma: no cover (emits code)
    def emit(context, builder, signature, args):
        array = context.make_array(logits)(context, builder, args[0])
        number = context.get_value_type(bound)
        vector, limit = ir.VectorType(number, SLOTS), _spread(builder, args[3], SLOTS)
        ends = [vector([number(float(sign + "inf"))] * SLOTS) for sign in "-+"]
        before, loop, after = builder.block, builder.append_basic_block("logits"), builder.append_basic_block("both")
        builder.branch(loop)
        builder.position_at_end(loop)
        n, low, high = builder.phi(INT64), builder.phi(vector), builder.phi(vector)
        some = builder.load(builder.bitcast(builder.gep(array.data, [n]), vector.as_pointer()), align=4)
        is_low = builder.fcmp_ordered("<=", some, limit)
        higher = builder.and_(is_low, builder.fcmp_ordered(">", some, low))
        lower = builder.and_(builder.not_(is_low), builder.fcmp_ordered("<", some, high))
        steps = builder.select(higher, some, low), builder.select(lower, some, high)
        following = builder.add(n, INT64(SLOTS))
        for phi, start, step in zip((n, low, high), (args[1], *ends), (following, *steps), strict=True):
            phi.add_incoming(start, before)
            phi.add_incoming(step, loop)
        builder.cbranch(builder.icmp_signed("<", following, args[2]), loop, after)
        builder.position_at_end(after)
        kind = f"v{SLOTS}f{64 if number == ir.DoubleType() else 32}"
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
        vector, wanted = ir.VectorType(context.get_value_type(value), SLOTS), _spread(builder, args[3], SLOTS)
        before, loop, after = builder.block, builder.append_basic_block("logits"), builder.append_basic_block("found")
        builder.branch(loop)
        builder.position_at_end(loop)
        n = builder.phi(INT64)
        some = builder.load(builder.bitcast(builder.gep(array.data, [n]), vector.as_pointer()), align=4)
        bits = builder.bitcast(builder.fcmp_ordered("==", some, wanted), ir.IntType(SLOTS))
        found, following = builder.icmp_unsigned("!=", bits, bits.type(0)), builder.add(n, INT64(SLOTS))
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

    Args:
        logits: those of a pool from `begin` to `end`, filled up to a multiple of `SLOTS` with its first.
        wanted: a probability; 1 or more asks for the likeliest, 0 or less for the least likely.
        bound: its logit, rounded down in the logits' dtype (`round_down`).
    """
    low, high = _neighbours(logits, begin, end, bound)
    return _first(logits, begin, end, low if _takes_lower(low, high, wanted) else high)


# -- of many edges, whose logits stand side by side ------------------------------------------------------


def _emit_each(typingctx, logits, at, pool, step, wanted, bound, slots, ends, gaps):  # pragma: no cover (emits code)
    def emit(context, builder, signature, args):
        vectors = Vectors(context, builder, signature.args[0])
        vectors.of_lanes(TWO * vectors.lanes)
        logits, wanted, bound, slots, ends, gaps = (
            data_of(context, builder, signature, args, i) for i in (0, 4, 5, 6, 7, 8)
        )
        at, pool, step = args[1:4]
        numbers, limit = ir.VectorType(INT32, vectors.lanes), vectors.load(bound, at)
        nothing, everything = vectors.constant(-INF), vectors.constant(INF)

        def body(n, values):
            low, high, below, above = values
            some = vectors.load(logits, builder.add(at, builder.mul(n, step)))
            slot = vectors.spread(builder.trunc(n, INT32))
            is_low = builder.fcmp_ordered("<=", some, limit)
            higher = builder.and_(is_low, builder.fcmp_ordered(">", some, low))
            lower = builder.and_(builder.not_(is_low), builder.fcmp_ordered("<", some, high))
            chosen = (higher, some, low), (lower, some, high), (higher, slot, below), (lower, slot, above)
            return [builder.select(*each_of) for each_of in chosen]

        first = numbers([0] * vectors.lanes)
        low, high, below, above = each(builder, pool, 1, [nothing, everything, first, first], body)

        def sigmoid(x):
            one, small = vectors.constant(1), vectors.exp(builder.fneg(vectors.call("fabs", x)))
            is_positive = builder.fcmp_ordered(">", x, vectors.constant(0))
            return builder.fdiv(builder.select(is_positive, one, small), builder.fadd(one, small))

        goal = vectors.load(wanted, at)
        gap = builder.fsub(builder.fsub(sigmoid(high), goal), builder.fsub(goal, sigmoid(low)))
        is_below, is_above = builder.fcmp_ordered(">", low, nothing), builder.fcmp_ordered("<", high, everything)
        gap = builder.select(is_above, gap, vectors.constant(1))
        gap = builder.select(is_below, gap, builder.select(is_above, vectors.constant(-1), vectors.constant(0)))
        takes_lower = builder.fcmp_ordered(">", gap, vectors.constant(0))
        vectors.store(gap, gaps, at)
        for row, values in enumerate((low, high)):
            vectors.store(values, ends, builder.add(at, builder.mul(step, INT64(row))))
        for row, values in enumerate((builder.select(takes_lower, below, above), below, above)):
            place = builder.gep(slots, [builder.add(at, builder.mul(step, INT64(row)))])
            builder.store(values, builder.bitcast(place, numbers.as_pointer()), align=4)
        return context.get_dummy_value()

    whole = types.int64
    return types.void(logits, whole, whole, whole, wanted, bound, slots, ends, gaps), emit


_nearest_of_some: Any = intrinsic(_emit_each)
"""`nearest_of_each`, of as many edges from `at` on as `TWO` registers hold, by probabilities that are nearly right."""


@njit(**INNER)
def nearest_of_each(logits, pool, step, count, wanted, goal, bound, slots, ends, gaps):
    """Fill `slots` with the slot of each edge whose probability is nearest to `wanted`.

    Args:
        logits: edge e's of slot n at n · step + e; `step` is a multiple of `GROUP`, and more than `count` mean nothing.
        pool, count: of how many slots and edges.
        wanted: (count,) float64, as of `nearest`.
        goal, bound: (step,) the same and its logit, as of `nearest`, both in the logits' dtype.
        slots: (3 · step,) int32, the first of which are filled; the others and `ends`, (2 · step,), and `gaps`,
            (step,), of the logits' dtype, are scratch.
    """
    for at in range(0, count, GROUP):
        _nearest_of_some(logits, at, pool, step, goal, bound, slots, ends, gaps)
        if logits.itemsize == 8:  # half as many in a register
            _nearest_of_some(logits, at + GROUP // 2, pool, step, goal, bound, slots, ends, gaps)
    for e in range(count):
        if abs(gaps[e]) < CLOSE:
            low, high = ends[e], ends[step + e]
            slots[e] = slots[step + e] if _takes_lower(low, high, wanted[e]) else slots[2 * step + e]
            if low == -np.inf and high == np.inf:  # no logit is finite: the comparisons have passed all by
                for slot in range(pool - 1, -1, -1):
                    slots[e] = slot if logits[slot * step + e] == low else slots[e]
