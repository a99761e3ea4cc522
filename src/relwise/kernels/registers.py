"""Vector registers for who writes LLVM's instructions: arithmetic on whole vectors, and loops over them.

The instructions are for whatever processor there is, as those of `kernels/tile.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from llvmlite import ir
from numba.core import cgutils

from relwise.kernels.tile import LANES, emit_multiply_add

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
        return self.lane(alone, 0)

    def place(self, data, at):
        return self.builder.bitcast(self.builder.gep(data, [at]), self.type.as_pointer())

    def shuffled(self, left, right, order: Sequence[int]):
        """The numbers of two vectors in an order; those of the second are counted behind the first's."""
        return self.builder.shuffle_vector(left, right, ir.VectorType(INT32, len(order))(list(order)))

    def lane(self, vector, lane: int):
        """One number of a vector, in all lanes of another."""
        return self.shuffled(vector, vector, [lane] * self.lanes)

    def load(self, data, at):
        return self.builder.load(self.place(data, at), align=self.size)

    def store(self, vector, data, at) -> None:
        self.builder.store(vector, self.place(data, at), align=self.size)

    def multiply_add(self, left, right, total):
        return emit_multiply_add(self.builder, left, right, total)

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
        return self.builder.extract_element(self.folds([vector], combine), INT32(0))

    def folds(self, vectors: Sequence, combine: Callable):
        """`fold` of several vectors, a power of 2 of them, as the lanes of one: together they take fewer steps.

        A register holds groups of lanes, each of one of the vectors. Either the halves of its groups are combined, or,
        where as many lanes as there are vectors would not be left, those of two registers into one of twice the groups.
        """
        held, width = [(vector, [place]) for place, vector in enumerate(vectors)], self.lanes
        while width > 1:
            width //= 2
            if len(held) == 1 or width >= 2 * len(held):
                held = [self._combined(register, register, width, combine) for register in held]
            else:
                held = [self._combined(*pair, width, combine) for pair in zip(held[::2], held[1::2], strict=True)]
        while len(held) > 1:  # fewer lanes than vectors
            held = [
                (self.shuffled(left, right, range(2 * len(of))), [*of, *others])
                for (left, of), (right, others) in zip(held[::2], held[1::2], strict=True)
            ]
        register, of = held[0]
        return self.shuffled(register, register, [of.index(place) for place in range(len(of))])

    def _combined(self, one: tuple[Any, list[int]], other: tuple[Any, list[int]], width: int, combine: Callable):
        """The halves, of this width, of the groups of one register or of two in turn; and of which vector each is."""
        (left, of), (right, others) = one, other
        begins = [2 * width * group for group in range(len(of))]
        if other is not one:
            size = 2 * width * len(of)
            begins = [place for begin in begins for place in (begin, size + begin)]
            of = [vector for both in zip(of, others, strict=True) for vector in both]
        lower = [begin + k for begin in begins for k in range(width)]
        upper = [place + width for place in lower]
        return combine(self.shuffled(left, right, lower), self.shuffled(left, right, upper)), of

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
        # 1 + f (1 + f/2 + f²/6 + ...), its terms in pairs: nothing waits for seven multiplications in a row.
        square, last = b.fmul(f, f), self.constant(1 / 5040)
        first, second, third = (
            self.multiply_add(self.constant(odd), f, self.constant(even))
            for even, odd in ((1, 1 / 2), (1 / 6, 1 / 24), (1 / 120, 1 / 720))
        )
        low, high = self.multiply_add(second, square, first), self.multiply_add(last, square, third)
        power = self.multiply_add(self.multiply_add(high, b.fmul(square, square), low), f, self.constant(1))
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
