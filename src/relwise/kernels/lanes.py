"""Runs of numbers in vector registers, for runs that are often shorter than a vector or two.

A compiler's own vector loop leaves what is short to its remainder, one number at a time. These take a whole vector at
a time and mask the lanes beyond the run's end. They are LLVM's instructions, for whatever processor there is, as those
of `kernels/tile.py`.

The numbers of a run are read and written up to `ROOM` places beyond its end: arrays must have them. What is written
there means nothing, so runs that follow one another in an array are worked at in their order.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from relwise.kernels.tile import LANES

ROOM = LANES  # of float64 half as many are worked at, and no more are needed
BYTES = 4 * LANES  # of a vector register
INT32, INT64 = ir.IntType(32), ir.IntType(64)


class Vectors:
    """Arithmetic on vectors of an array's type."""

    def __init__(self, context, builder, array_type) -> None:
        self.builder, self.number = builder, context.get_value_type(array_type.dtype)
        self.size = array_type.dtype.bitwidth // 8
        self.of_lanes(BYTES // self.size)

    def of_lanes(self, lanes: int) -> None:
        """Let vectors be of so many numbers; else they are as wide as the registers."""
        self.lanes, self.type = lanes, ir.VectorType(self.number, lanes)
        self.name = f"v{lanes}f{8 * self.size}"

    def constant(self, value: float):
        return self.type([value] * self.lanes)

    def spread(self, number):
        """A vector of the same number in all lanes."""
        unset = ir.VectorType(number.type, self.lanes)(ir.Undefined)
        alone = self.builder.insert_element(unset, number, INT32(0))
        return self.builder.shuffle_vector(alone, unset, ir.VectorType(INT32, self.lanes)([0] * self.lanes))

    def place(self, data, at):
        return self.builder.bitcast(self.builder.gep(data, [at]), self.type.as_pointer())

    def load(self, data, at):
        return self.builder.load(self.place(data, at), align=self.size)

    def store(self, vector, data, at) -> None:
        self.builder.store(vector, self.place(data, at), align=self.size)

    def multiply_add(self, left, right, total):
        return self.call("fmuladd", left, right, total)

    def call(self, name: str, *vectors):
        kind = ir.FunctionType(self.type, [self.type] * len(vectors))
        function = cgutils.get_or_insert_function(self.builder.module, kind, f"llvm.{name}.{self.name}")
        return self.builder.call(function, vectors)

    def below(self, count):
        """Which lanes are below a count."""
        numbers = ir.VectorType(INT32, self.lanes)
        count = self.builder.trunc(count, INT32)
        return self.builder.icmp_signed("<", numbers(list(range(self.lanes))), self.spread(count))

    def leaky(self, x, slope):
        positive = self.builder.fcmp_ordered(">", x, self.constant(0))
        return self.builder.select(positive, x, self.builder.fmul(x, slope))

    def fold(self, vector, combine: Callable):
        """One number of all lanes: halves are combined until one is left."""
        width = self.lanes
        while width > 1:
            width //= 2
            order = [k + width if k < width else k for k in range(self.lanes)]
            other = self.builder.shuffle_vector(vector, vector, ir.VectorType(INT32, self.lanes)(order))
            vector = combine(vector, other)
        return self.builder.extract_element(vector, INT32(0))

    def higher(self, a, b):
        """The greater of two; b where one is no number."""
        return self.builder.select(self.builder.fcmp_ordered(">", a, b), a, b)

    def exp(self, x):
        """e^x for x <= 0, as `vector.exp_of_negative`."""
        if self.size == 8:
            return self.call("exp", x)
        b, whole = self.builder, ir.VectorType(INT32, self.lanes)
        lowest = self.constant(-87.0)
        held = b.select(b.fcmp_ordered(">", x, lowest), x, lowest)
        n = b.fptosi(self.multiply_add(held, self.constant(1.4426950408889634), self.constant(-0.5)), whole)
        f = self.multiply_add(b.sitofp(n, self.type), self.constant(-0.6931471805599453), x)
        power = self.constant(1 / 5040)
        for factor in (1 / 720, 1 / 120, 1 / 24, 1 / 6, 1 / 2, 1.0, 1.0):
            power = self.multiply_add(power, f, self.constant(factor))
        two = b.shl(b.add(n, whole([127] * self.lanes)), whole([23] * self.lanes))
        value = b.fmul(power, b.bitcast(two, self.type))
        return b.select(b.fcmp_ordered("<", x, lowest), self.constant(0), value)


def _as_it_is(module, back) -> None:
    """Let the compiler neither unroll nor widen the loop that a branch goes back to.

    It has its vectors already, and mostly few rounds: what the compiler makes besides is slow to compile and not run.
    """
    name = module.add_metadata([ir.MetaDataString(module, f"loop {len(module.metadata)}")])
    no_unroll = module.add_metadata([ir.MetaDataString(module, "llvm.loop.unroll.disable")])
    one_lane = module.add_metadata([ir.MetaDataString(module, "llvm.loop.vectorize.width"), INT32(1)])
    name.operands = (name, no_unroll, one_lane)  # a loop is known by a node that begins with itself
    back.set_metadata("llvm.loop", name)


def each(builder, count, step: int, starts: list, body: Callable) -> list:
    """values = body(n, values) for n = 0, step, ... below count, from `starts`; the last values."""
    before = builder.block
    test, inside, after = (builder.append_basic_block(name) for name in ("test", "inside", "after"))
    builder.branch(test)
    builder.position_at_end(test)
    n, values = builder.phi(INT64), [builder.phi(start.type) for start in starts]
    builder.cbranch(builder.icmp_signed("<", n, count), inside, after)
    builder.position_at_end(inside)
    following = [builder.add(n, INT64(step)), *body(n, values)]
    for value, start, new in zip([n, *values], [INT64(0), *starts], following, strict=True):
        value.add_incoming(start, before)
        value.add_incoming(new, builder.block)
    _as_it_is(builder.module, builder.branch(test))
    builder.position_at_end(after)
    return values


def data_of(context, builder, signature, args, at: int):
    """Where the array that is the argument `at` begins."""
    return context.make_array(signature.args[at])(context, builder, args[at]).data


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
            value = vectors.exp(builder.fsub(builder.fmul(x, below), top))
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
            value = vectors.exp(builder.fsub(builder.fmul(x, below), vectors.load(logsumexp, at)))
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
