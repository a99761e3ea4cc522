"""Runs of numbers in vector registers, for runs that are often shorter than a vector or two.

A compiler's own vector loop leaves what is short to its remainder, one number at a time. These take a whole vector at
a time and mask the lanes beyond the run's end.

The numbers of a run are read and written up to `ROOM` places beyond its end: arrays must have them. What is written
there means nothing, so runs that follow one another in an array are worked at in their order.
"""

from __future__ import annotations

from typing import Any

from numba import types
from numba.extending import intrinsic

from relwise.kernels.registers import Vectors, data_of, each
from relwise.kernels.tile import LANES

ROOM = LANES  # of float64 half as many are worked at, and no more are needed


def _highest(typingctx, logit, start, count, shift, slope):
    def emit(context, builder, signature, args):
        vectors = Vectors(context, builder, signature.args[0])
        data, start, count = data_of(context, builder, signature, args, 0), args[1], args[2]
        shift, slope, lowest = vectors.spread(args[3]), vectors.spread(args[4]), vectors.constant(float("-inf"))

        def body(n, values):
            x = builder.fadd(vectors.load(data, builder.add(start, n)), shift)
            x = builder.select(vectors.below(builder.sub(count, n)), vectors.leaky(x, slope), lowest)
            return [vectors.higher(x, values[0])]

        (top,) = each(builder, count, vectors.lanes, [lowest], body)
        return vectors.fold(top, vectors.higher)

    return logit.dtype(logit, types.int64, types.int64, logit.dtype, logit.dtype), emit


highest: Any = intrinsic(_highest)
"""`highest(logit, start, count, shift, slope)`: the maximum of LeakyReLU(logit + shift) over a run.

NaN are passed over; minus infinity where there is none.
"""


def _exponentials(typingctx, logit, start, count, shift, slope, top, out):
    def emit(context, builder, signature, args):
        vectors = Vectors(context, builder, signature.args[0])
        data, start, count = data_of(context, builder, signature, args, 0), args[1], args[2]
        out = data_of(context, builder, signature, args, 6)
        shift, slope, top = (vectors.spread(args[i]) for i in (3, 4, 5))
        one, zero = vectors.constant(1), vectors.constant(0)

        def body(n, values):
            at = builder.add(start, n)
            x = builder.fadd(vectors.load(data, at), shift)
            below = builder.select(builder.fcmp_ordered(">", x, zero), one, slope)
            value = vectors.exp(vectors.multiply_add(x, below, builder.fneg(top)))
            value = builder.select(vectors.below(builder.sub(count, n)), value, zero)
            vectors.store(value, out, at)
            return [builder.fadd(values[0], value), vectors.multiply_add(value, below, values[1])]

        sums = [vectors.fold(total, builder.fadd) for total in each(builder, count, vectors.lanes, [zero] * 2, body)]
        return context.make_tuple(builder, signature.return_type, sums)

    number = logit.dtype
    return types.UniTuple(number, 2)(logit, types.int64, types.int64, number, number, number, out), emit


exponentials: Any = intrinsic(_exponentials)
"""`exponentials(logit, start, count, shift, slope, top, out)`: e^(LeakyReLU(logit + shift) - top) over a run.

Returns their sum, and that of each times LeakyReLU's slope there.

Args:
    out: filled with them in the same places as `logit`, which it may be.
"""


def _add_scaled(typingctx, values, start, count, scale, begin, out):
    def emit(context, builder, signature, args):
        vectors = Vectors(context, builder, signature.args[0])
        data, start, count = data_of(context, builder, signature, args, 0), args[1], args[2]
        out, scale = data_of(context, builder, signature, args, 5), vectors.spread(args[3])
        begin = vectors.spread(args[4])

        def body(n, values):
            at = builder.add(start, n)
            before = builder.select(begin, vectors.constant(0), vectors.load(out, at))
            vectors.store(vectors.multiply_add(vectors.load(data, at), scale, before), out, at)
            return []

        each(builder, count, vectors.lanes, [], body)
        return context.get_dummy_value()

    return types.void(values, types.int64, types.int64, values.dtype, types.boolean, out), emit


add_scaled: Any = intrinsic(_add_scaled)
"""`add_scaled(values, start, count, scale, begin, out)`: add values · scale to a run of `out`, or begin it so."""


def _inner_product(typingctx, left, left_start, right, right_start, count):
    def emit(context, builder, signature, args):
        vectors = Vectors(context, builder, signature.args[0])
        left, right = (data_of(context, builder, signature, args, i) for i in (0, 2))
        left_start, right_start, count, zero = args[1], args[3], args[4], vectors.constant(0)

        def body(n, values):
            x = vectors.load(left, builder.add(left_start, n))
            y = vectors.load(right, builder.add(right_start, n))
            within = vectors.below(builder.sub(count, n))
            x, y = builder.select(within, x, zero), builder.select(within, y, zero)
            return [vectors.multiply_add(x, y, values[0])]

        (total,) = each(builder, count, vectors.lanes, [zero], body)
        return vectors.fold(total, builder.fadd)

    return left.dtype(left, types.int64, right, types.int64, types.int64), emit


inner_product: Any = intrinsic(_inner_product)
"""`inner_product(left, left_start, right, right_start, count)`: Σ left · right over runs of two arrays."""


def _attention_again(typingctx, logit, logsumexp, start, count, shift, slope, share, begin, alpha, beta, at, weight):
    def emit(context, builder, signature, args):
        vectors = Vectors(context, builder, signature.args[0])
        logit, logsumexp, alpha, beta, weight = (
            data_of(context, builder, signature, args, i) for i in (0, 1, 8, 9, 11)
        )
        start, count, beta_start = args[2], args[3], args[10]
        shift, slope, share, begin = (vectors.spread(args[i]) for i in (4, 5, 6, 7))
        one, zero = vectors.constant(1), vectors.constant(0)

        def body(n, _):
            at = builder.add(start, n)
            x = builder.fadd(vectors.load(logit, at), shift)
            below = builder.select(builder.fcmp_ordered(">", x, zero), one, slope)
            value = vectors.exp(vectors.multiply_add(x, below, builder.fneg(vectors.load(logsumexp, at))))
            # Nothing is added to what stands beyond the end.
            value = builder.select(vectors.below(builder.sub(count, n)), value, zero)
            vectors.store(value, alpha, at)
            vectors.store(builder.fmul(value, below), beta, builder.add(beta_start, n))
            before = builder.select(begin, zero, vectors.load(weight, at))
            vectors.store(vectors.multiply_add(value, share, before), weight, at)
            return []

        each(builder, count, vectors.lanes, [], body)
        return context.get_dummy_value()

    whole, number = types.int64, logit.dtype
    return types.void(
        logit, logsumexp, whole, whole, number, number, number, types.boolean, alpha, beta, whole, weight
    ), emit


attention_again: Any = intrinsic(_attention_again)
"""`attention_again(logit, logsumexp, start, count, shift, slope, share, begin, alpha, beta, at, weight)`: of a run.

    alpha = e^(LeakyReLU(logit + shift) - logsumexp)
    beta = alpha · LeakyReLU'(logit + shift)
    weight += share · alpha

`beta` is filled from `at` on, the others in the same places; `begin`: begin `weight` with it.
"""
