"""Weighted sums of rows, and of rows' products, that stay in vector registers from the first row to the last.

A strip of columns at a time: as many as the registers hold sums of. Rows are asked for ahead, and so is the row that is
written, which else would keep the short run that follows waiting.

Runs are short, a dozen rows, so that what is done once for each counts: these are written into their callers instead of
being called, and take whole arrays and places in them. A call with arrays, or an array of one row, counts references,
which took longer than the sums.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from relwise.kernels.registers import INT32, INT64, Vectors, data_of, each
from relwise.kernels.vector import AHEAD, LINE

STRIP, HALF = 8, 4  # registers that hold the sums of a strip of columns
CHAINS = 2  # of multiply-adds that a product of two rows is summed in: one would wait for itself


class Table:
    """Rows of a table at a strip of columns, by their place in an index."""

    def __init__(self, context, builder, array_type, table, index) -> None:
        array = context.make_array(array_type)(context, builder, table)
        self.builder, self.vectors = builder, Vectors(context, builder, array_type)
        self.data, self.index = array.data, index
        self.width = cgutils.unpack_tuple(builder, array.shape)[1]
        self.registers, self.column = STRIP, INT64(0)

    def strips(self, work: Callable[[], None]) -> None:
        """Emit `work` for strips that make up all columns: wide ones, and narrower ones for what is left."""
        done, lanes = INT64(0), self.vectors.lanes
        for registers, wide in ((STRIP, lanes), (HALF, lanes), (1, lanes), (1, 1)):
            self.registers, size = registers, registers * wide
            self.vectors.of_lanes(wide)
            left = self.builder.sub(self.width, done)
            count = self.builder.sub(left, self.builder.urem(left, INT64(size)))

            def strip(n, _, done=done):
                self.column = self.builder.add(done, n)
                work()
                return []

            each(self.builder, count, size, [], strip)
            done = self.builder.add(done, count)
        self.vectors.of_lanes(lanes)

    def row(self, at):
        number = self.builder.zext(self.builder.load(self.builder.gep(self.index, [at])), INT64)
        return self.place(self.data, self.builder.mul(number, self.width))

    def place(self, data, at):
        """Where the strip begins of the row that begins at `at`."""
        return self.builder.gep(data, [self.builder.add(at, self.column)])

    def numbers(self, row) -> list:
        return [self.vectors.load(row, INT64(r * self.vectors.lanes)) for r in range(self.registers)]

    def zeros(self) -> list:
        return [self.vectors.constant(0)] * self.registers

    def ask(self, row, to_write: bool = False) -> None:
        """Ask for the strip of a row before it is needed."""
        byte = ir.IntType(8).as_pointer()
        kind = ir.FunctionType(ir.VoidType(), [byte, INT32, INT32, INT32])
        function = cgutils.get_or_insert_function(self.builder.module, kind, "llvm.prefetch.p0")
        row = self.builder.bitcast(row, byte)
        for line in range(0, self.registers * self.vectors.lanes * self.vectors.size, LINE):
            place = self.builder.gep(row, [INT64(line)])
            self.builder.call(function, [place, INT32(int(to_write)), INT32(3), INT32(1)])

    def store(self, vectors: list, row) -> None:
        for r, vector in enumerate(vectors):
            self.vectors.store(vector, row, INT64(r * self.vectors.lanes))


def _sum(activated: bool) -> Callable:
    """What emits `sum_rows`, or `add_rows`."""

    def emit(context, builder, signature, args):
        index, weight, out = (data_of(context, builder, signature, args, i) for i in (1, 2, 5))
        start, count, begin = args[3], args[4], args[6]
        table = Table(context, builder, signature.args[0], args[0], index)
        vectors = table.vectors

        def body(n, values):
            at = builder.add(start, n)
            table.ask(table.row(builder.add(at, INT64(AHEAD))))
            number = vectors.spread(builder.load(builder.gep(weight, [at])))
            numbers = table.numbers(table.row(at))
            return [vectors.multiply_add(x, number, total) for x, total in zip(numbers, values, strict=True)]

        def strip():
            into = table.place(out, begin)
            table.ask(into, to_write=True)
            sums = each(builder, count, 1, table.zeros(), body)
            if activated:
                slope, before = vectors.spread(args[7]), table.numbers(into)
                sums = [vectors.leaky(builder.fadd(x, y), slope) for x, y in zip(before, sums, strict=True)]
            table.store(sums, into)

        table.strips(strip)
        return context.get_dummy_value()

    return emit


def _sum_rows(typingctx, rows, index, weight, start, count, out, at):
    whole = types.int64
    return types.void(rows, index, weight, whole, whole, out, whole), _sum(activated=False)


sum_rows: Any = intrinsic(_sum_rows)
"""`sum_rows(rows, index, weight, start, count, out, at)`: a weighted sum of rows.

    out[at : at + d] = Σ weight[n] rows[index[n]] over n = start...start + count - 1

Args:
    rows: (P, d), C-ordered.
    index: uint32; the `AHEAD` after the last are asked for already, and must be of rows.
    weight: of the rows' type.
    out: 1-D.
"""


def _add_rows(typingctx, rows, index, weight, start, count, out, at, slope):
    whole = types.int64
    return types.void(rows, index, weight, whole, whole, out, whole, rows.dtype), _sum(activated=True)


add_rows: Any = intrinsic(_add_rows)
"""`add_rows(rows, index, weight, start, count, out, at, slope)`: out = LeakyReLU(out + `sum_rows`), in its places."""


def _rows_back(typingctx, grad_out, index, weight, start, count, said, own, grad_said, at, dots):
    def emit(context, builder, signature, args):
        index, weight, said, out, dots = (data_of(context, builder, signature, args, i) for i in (1, 2, 5, 7, 9))
        start, count, own, begin = args[3], args[4], args[6], args[8]
        table = Table(context, builder, signature.args[0], args[0], index)
        vectors = table.vectors

        def strip():
            into, mine = table.place(out, begin), table.numbers(table.place(said, own))
            first = builder.icmp_signed("==", table.column, INT64(0))
            table.ask(table.place(said, builder.add(own, table.width)))  # the next row's
            table.ask(into, to_write=True)

            def body(n, values):
                at = builder.add(start, n)
                table.ask(table.row(builder.add(at, INT64(AHEAD))))
                number = vectors.spread(builder.load(builder.gep(weight, [at])))
                numbers = table.numbers(table.row(at))
                products, place = [vectors.constant(0)] * CHAINS, builder.gep(dots, [at])
                for r, (x, one) in enumerate(zip(numbers, mine, strict=True)):
                    products[r % CHAINS] = vectors.multiply_add(x, one, products[r % CHAINS])
                dot = reduce(builder.fadd, products[: table.registers])
                before = builder.select(first, vectors.number(0), builder.load(place))
                builder.store(builder.fadd(before, vectors.fold(dot, builder.fadd)), place)
                return [vectors.multiply_add(x, number, total) for x, total in zip(numbers, values, strict=True)]

            table.store(each(builder, count, 1, table.zeros(), body), into)

        table.strips(strip)
        return context.get_dummy_value()

    whole = types.int64
    return types.void(grad_out, index, weight, whole, whole, said, whole, grad_said, whole, dots), emit


rows_back: Any = intrinsic(_rows_back)
"""`rows_back(grad_out, index, weight, start, count, said, own, grad_said, at, dots)`: the gradients of a run.

    grad_said[at : at + d] = Σ weight[n] grad_out[index[n]]
    dots[n] = grad_out[index[n]] · said[own : own + d]

over n as in `sum_rows`, for d > 0.

Args:
    said, grad_said: 1-D, which may be the same.
    dots: filled in the places of the run.
"""
