"""Building blocks of the CPU kernels: an exponential and a logarithm that compile to vector instructions, prefetching
of rows, work in even blocks, and when the compiler may reorder sums."""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic, overload

from relwise.kernels.compiling import INNER
from relwise.kernels.tile import multiply_add

# Of small functions that sum along a row; all else says what is added to what, and what at once (`multiply_add`).
# LLVM optimizes what a kernel calls, and the body of its parallel loop, again each time that it is linked, and a
# process that has just compiled a kernel runs another copy than one that has loaded it: where anything of its
# arithmetic were the compiler's choice, bits would be a matter of who came first.
# Without "nnan" and "ninf": a NaN in the input must come out as NaN.
REORDERED = {"reassoc", "contract", "nsz", "arcp"}
LINE = 64  # bytes of a cache line
AHEAD = 24  # edges between a prefetch and its use: less, and memory is slower than the work on so many rows


def _prefetch(nearness: int) -> Any:
    def prefetch(typingctx, array, index):
        def generate(context, builder, signature, arguments):
            row_type = signature.args[0]
            row = context.make_array(row_type)(context, builder, arguments[0])
            strides = cgutils.unpack_tuple(builder, row.strides, row_type.ndim)
            shape = cgutils.unpack_tuple(builder, row.shape, row_type.ndim)
            byte, word, half = ir.IntType(8).as_pointer(), ir.IntType(64), ir.IntType(32)
            at = builder.zext(arguments[1], word) if arguments[1].type.width < 64 else arguments[1]
            start = builder.gep(builder.bitcast(row.data, byte), [builder.mul(at, strides[0])])
            function = cgutils.get_or_insert_function(
                builder.module, ir.FunctionType(ir.VoidType(), [byte, half, half, half]), "llvm.prefetch.p0"
            )
            how = [half(0), half(nearness), half(1)]  # to read, how near to the core, data
            builder.call(function, [start, *how])
            if row_type.ndim == 2:
                size = builder.mul(shape[1], strides[1])
                for line in range(1, 8):  # longer rows are streams, which the hardware sees coming
                    inside = builder.icmp_unsigned("<", word(line * LINE), size)
                    offset = builder.select(inside, word(line * LINE), word(0))
                    builder.call(function, [builder.gep(start, [offset]), *how])
            return context.get_dummy_value()

        return types.void(array, index), generate

    return intrinsic(prefetch)


prefetch: Any = _prefetch(3)
"""`prefetch(array, index)`: ask for `array[index]` before it is read: a number, or the first 512 bytes of a row.

Rows are gathered from all over a table that is larger than a core's own cache. Left to itself a core waits for
each; asked for ahead, they overlap: 1.3 times as fast out of the last cache, twice as fast out of memory.
"""
prefetch_early: Any = _prefetch(2)
"""The same of what is read only after much else: into the second cache, not over what the nearest one is to hold."""


def _same_bits(given: Any, found: Any, kind: ir.Type) -> Any:
    def same_bits(typingctx, number):
        def generate(context, builder, signature, arguments):
            return builder.bitcast(arguments[0], kind)

        return found(given), generate

    return intrinsic(same_bits)


_float_of_bits = _same_bits(types.int32, types.float32, ir.FloatType())
_bits_of_float = _same_bits(types.float32, types.int32, ir.IntType(32))


def exp_of_negative(x):
    """e^x for x <= 0; 0 for minus infinity, NaN for NaN."""
    return np.exp(x)


@overload(exp_of_negative, inline="always")
def _(x):
    if x != types.float32:
        return lambda x: np.exp(x)
    c = [np.float32(v) for v in (1, 1, 1 / 2, 1 / 6, 1 / 24, 1 / 120, 1 / 720, 1 / 5040)]
    c0, c1, c2, c3, c4, c5, c6, c7 = c
    log2_e, minus_ln_2, lowest, minus_half, zero = (
        np.float32(v) for v in (1.4426950408889634, -np.log(2), -87, -0.5, 0)
    )
    bias, shift = np.int32(127), np.int32(23)

    def exp32(x):
        # e^x = 2^n e^f with |f| <= ln(2) / 2, e^f by its series: 3e-8 off at most, and no call in the loop.
        held = x if x > lowest else lowest
        n = np.int32(multiply_add(held, log2_e, minus_half))  # towards zero, hence to the nearest
        f = multiply_add(np.float32(n), minus_ln_2, x)
        power = multiply_add(f, multiply_add(f, c7, c6), c5)
        power = multiply_add(f, multiply_add(f, multiply_add(f, power, c4), c3), c2)
        power = multiply_add(f, multiply_add(f, power, c1), c0)
        value = power * _float_of_bits((n + bias) << shift)
        return zero if x < lowest else value

    return exp32


def log_of_sum(x):
    """log(x) for finite x >= 1, a sum of exponentials whose highest is 1; NaN for NaN."""
    return np.log(x)


@overload(log_of_sum, inline="always")
def _(x):
    if x != types.float32:
        return lambda x: np.log(x)
    # log(1 + m) = m - m²/2 + m³ (...), as Cephes' logf has it: 2e-7 off at most, relative to the result.
    factors = (
        7.0376836292e-2, -1.1514610310e-1, 1.1676998740e-1, -1.2420140846e-1, 1.4249322787e-1, -1.6668057665e-1,
        2.0000714765e-1, -2.4999993993e-1, 3.3333331174e-1,
    )  # fmt: skip
    c0, c1, c2, c3, c4, c5, c6, c7, c8 = (np.float32(v) for v in factors)
    ln_2, minus_half, one = np.float32(np.log(2)), np.float32(-0.5), np.float32(1)
    root, shift = np.int32(0x3F3504F3), np.int32(23)

    def log32(x):
        bits = _bits_of_float(x)
        n = (bits - root) >> shift  # x = 2^n (1 + m), with 1 + m between the roots of 1/2 and 2
        m = _float_of_bits(bits - (n << shift)) - one
        series = multiply_add(m, multiply_add(m, multiply_add(m, c0, c1), c2), c3)
        series = multiply_add(m, multiply_add(m, multiply_add(m, series, c4), c5), c6)
        series = multiply_add(m, multiply_add(m, series, c7), c8)
        value = m + multiply_add(m * m, multiply_add(m, series, minus_half), np.float32(n) * ln_2)
        return x if x != x else value

    return log32


@njit(**INNER)
def turned(matrix):
    """(m, n) of (n, m): what is added up along columns stands together."""
    out = np.empty((matrix.shape[1], matrix.shape[0]), matrix.dtype)
    for k in range(len(matrix)):
        for n in range(len(out)):
            out[n, k] = matrix[k, n]
    return out


@njit(**INNER)
def balanced(indptr, count):
    """Boundaries that divide the ranges of `indptr` into `count` blocks of about equal work."""
    bounds = np.empty(count + 1, np.int64)
    last = len(indptr) - 1
    total = np.int64(indptr[last]) + last  # a range costs something even when empty: it weighs one
    bounds[0] = 0
    for block in range(1, count):
        wanted, low, high = total * block // count, np.int64(0), np.int64(last)
        while low < high:
            middle = (low + high) // 2
            if np.int64(indptr[middle]) + middle < wanted:
                low = middle + 1
            else:
                high = middle
        bounds[block] = low
    bounds[count] = last
    return bounds


# Numba's own ways take far longer to compile: an array expression brings along what formats the message of an error of
# shapes, `np.searchsorted` an order of complex numbers.


@njit(**INNER)
def add_to(out, line):
    """out += line."""
    for k in range(len(out)):
        out[k] += line[k]


@njit(**INNER)
def first_from(values, begin, end, least):
    """The first place of begin:end, where values ascend, of one that is `least` or more; `end` if there is none."""
    while begin < end:
        middle = (begin + end) // 2
        if values[middle] < least:
            begin = middle + 1
        else:
            end = middle
    return begin
