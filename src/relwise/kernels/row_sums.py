"""Weighted sums of rows, and of rows' products, that stay in vector registers from the first row to the last.

A strip of columns at a time: as many as the registers hold sums of. Rows are asked for ahead, and so is the row that is
written, which else would keep the short run that follows waiting.
"""

from __future__ import annotations

from functools import reduce
from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

from relwise.kernels.lanes import BYTES, INT32, INT64, Vectors, data_of, each
from relwise.kernels.vector import AHEAD, LINE

STRIP, HALF = 8, 4  # registers that hold the sums of a strip of columns
CHAINS = 2  # of multiply-adds that a product of two rows is summed in: one would wait for itself


class Table:
    """Rows of a table at a strip of columns, by their place in an index."""

    def __init__(self, context, builder, array_type, table, index, column, registers: int) -> None:
        array = context.make_array(array_type)(context, builder, table)
        self.builder, self.vectors, self.registers = builder, Vectors(context, builder, array_type), registers
        self.start, self.index = builder.gep(array.data, [column]), index
        self.width = cgutils.unpack_tuple(builder, array.shape)[1]

    def row(self, at):
        number = self.builder.zext(self.builder.load(self.builder.gep(self.index, [at])), INT64)
        return self.builder.gep(self.start, [self.builder.mul(number, self.width)])

    def numbers(self, row) -> list:
        return [self.vectors.load(row, INT64(r * self.vectors.lanes)) for r in range(self.registers)]

    def ask(self, row, to_write: bool = False) -> None:
        """Ask for the strip of a row before it is needed."""
        byte = ir.IntType(8).as_pointer()
        kind = ir.FunctionType(ir.VoidType(), [byte, INT32, INT32, INT32])
        function = cgutils.get_or_insert_function(self.builder.module, kind, "llvm.prefetch.p0")
        row = self.builder.bitcast(row, byte)
        for line in range(0, self.registers * BYTES, LINE):
            place = self.builder.gep(row, [INT64(line)])
            self.builder.call(function, [place, INT32(int(to_write)), INT32(3), INT32(1)])

    def store(self, vectors: list, row) -> None:
        for r, vector in enumerate(vectors):
            self.vectors.store(vector, row, INT64(r * self.vectors.lanes))


def _strip(registers: int) -> Any:
    """`sum_strip(rows, index, weight, start, count, column, out)`: a strip of `sum_rows`."""

    @intrinsic
    def sum_strip(typingctx, rows, index, weight, start, count, column, out):
        def emit(context, builder, signature, args):
            index, weight, out = (data_of(context, builder, signature, args, i) for i in (1, 2, 6))
            start, count, column = args[3], args[4], args[5]
            table = Table(context, builder, signature.args[0], args[0], index, column, registers)
            vectors = table.vectors

            def body(n, values):
                at = builder.add(start, n)
                table.ask(table.row(builder.add(at, INT64(AHEAD))))
                number = vectors.spread(builder.load(builder.gep(weight, [at])))
                numbers = table.numbers(table.row(at))
                return [vectors.multiply_add(x, number, total) for x, total in zip(numbers, values, strict=True)]

            out = builder.gep(out, [column])
            table.ask(out, to_write=True)
            table.store(each(builder, count, 1, [vectors.constant(0)] * registers, body), out)
            return context.get_dummy_value()

        whole = types.int64
        return types.void(rows, index, weight, whole, whole, whole, out), emit

    return sum_strip


_sum_strip, _sum_half, _sum_one = _strip(STRIP), _strip(HALF), _strip(1)


@njit(cache=True)
def sum_rows(rows, index, weight, start, count, out):
    """out = Σ weight[n] rows[index[n]] over n = start...start + count - 1.

    Args:
        rows: (P, d), C-ordered.
        index: uint32; the `AHEAD` after the last are asked for already, and must be of rows.
        weight: of the rows' type.
        out: (d,), to be filled.
    """
    width, lanes = rows.shape[1], BYTES // rows.itemsize
    column = 0
    while column + STRIP * lanes <= width:
        _sum_strip(rows, index, weight, start, count, column, out)
        column += STRIP * lanes
    if column + HALF * lanes <= width:
        _sum_half(rows, index, weight, start, count, column, out)
        column += HALF * lanes
    while column + lanes <= width:
        _sum_one(rows, index, weight, start, count, column, out)
        column += lanes
    for k in range(column, width):
        total = out.dtype.type(0)
        for n in range(start, start + count):
            total += weight[n] * rows[index[n], np.uint64(k)]
        out[k] = total


def _back_strip(registers: int) -> Any:
    """`back_strip(grad_out, index, weight, start, count, column, said, grad_said, dots)`: a strip of `rows_back`."""

    @intrinsic
    def back_strip(typingctx, grad_out, index, weight, start, count, column, said, grad_said, dots):
        def emit(context, builder, signature, args):
            index, weight, said, out, dots = (data_of(context, builder, signature, args, i) for i in (1, 2, 6, 7, 8))
            start, count, column = args[3], args[4], args[5]
            table = Table(context, builder, signature.args[0], args[0], index, column, registers)
            vectors = table.vectors
            mine, out = table.numbers(builder.gep(said, [column])), builder.gep(out, [column])
            first = builder.icmp_signed("==", column, INT64(0))
            table.ask(builder.gep(said, [builder.add(column, table.width)]))  # the next row's

            def body(n, values):
                at = builder.add(start, n)
                table.ask(table.row(builder.add(at, INT64(AHEAD))))
                number = vectors.spread(builder.load(builder.gep(weight, [at])))
                numbers = table.numbers(table.row(at))
                products, place = [vectors.constant(0)] * CHAINS, builder.gep(dots, [at])
                for r, (x, own) in enumerate(zip(numbers, mine, strict=True)):
                    products[r % CHAINS] = vectors.multiply_add(x, own, products[r % CHAINS])
                dot = reduce(builder.fadd, products)
                before = builder.select(first, vectors.number(0), builder.load(place))
                builder.store(builder.fadd(before, vectors.fold(dot, builder.fadd)), place)
                return [vectors.multiply_add(x, number, total) for x, total in zip(numbers, values, strict=True)]

            table.ask(out, to_write=True)
            table.store(each(builder, count, 1, [vectors.constant(0)] * registers, body), out)
            return context.get_dummy_value()

        whole = types.int64
        return types.void(grad_out, index, weight, whole, whole, whole, said, grad_said, dots), emit

    return back_strip


_back_strips, _back_half, _back_one = _back_strip(STRIP), _back_strip(HALF), _back_strip(1)


@njit(cache=True)
def rows_back(grad_out, index, weight, start, count, said, grad_said, dots):
    """grad_said = Σ weight[n] grad_out[index[n]];  dots[n] = grad_out[index[n]] · said, over a run, as `sum_rows`.

    Args:
        said, grad_said: (d,); the second to be filled.
        dots: filled in the places of the run.
    """
    width, lanes = grad_out.shape[1], BYTES // grad_out.itemsize
    column = 0
    while column + STRIP * lanes <= width:
        _back_strips(grad_out, index, weight, start, count, column, said, grad_said, dots)
        column += STRIP * lanes
    if column + HALF * lanes <= width:
        _back_half(grad_out, index, weight, start, count, column, said, grad_said, dots)
        column += HALF * lanes
    while column + lanes <= width:
        _back_one(grad_out, index, weight, start, count, column, said, grad_said, dots)
        column += lanes
    if column < width or column == 0:
        for n in range(start, start + count):
            total = dots[n] if column else said.dtype.type(0)
            for k in range(column, width):
                total += grad_out[index[n], np.uint64(k)] * said[k]
            dots[n] = total
        for k in range(column, width):
            total = said.dtype.type(0)
            for n in range(start, start + count):
                total += weight[n] * grad_out[index[n], np.uint64(k)]
            grad_said[k] = total
