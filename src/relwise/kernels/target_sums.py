"""What edges add to numbers of their targets: those of one or two heads at once, one edge after the other.

A compiler adds each number by itself. Here those of a target lie side by side and are one vector.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

from relwise.kernels.compiling import OUTER
from relwise.kernels.registers import INT32, INT64, data_of, each
from relwise.kernels.tile import emit_multiply_add

SUMS = 2  # numbers that are added up by target and head


def _add_heads(together: int) -> Any:
    """`add_by_target` of so many heads, from `head` on."""

    @intrinsic
    def add_heads(typingctx, index, count, alpha, beta, beta_start, dots, head, heads, part):
        def emit(context, builder, signature, args):
            index, dots, part = (data_of(context, builder, signature, args, i) for i in (0, 5, 8))
            count, beta_start, head, heads = args[1], args[4], args[6], args[7]
            lines = []
            for own in range(together):
                for argument, begin in ((2, INT64(0)), (3, beta_start)):
                    array = context.make_array(signature.args[argument])(context, builder, args[argument])
                    width = cgutils.unpack_tuple(builder, array.shape)[1]
                    line = builder.mul(builder.add(head, INT64(own)), width)
                    lines.append(builder.gep(array.data, [builder.add(line, begin)]))
            dtype = signature.args[2].dtype
            number, size = context.get_value_type(dtype), dtype.bitwidth // 8
            kind = ir.VectorType(number, len(lines))

            def body(n, _):
                shares, g = kind(ir.Undefined), kind(ir.Undefined)
                for place, line in enumerate(lines):
                    shares = builder.insert_element(shares, builder.load(builder.gep(line, [n])), INT32(place))
                g = builder.insert_element(g, builder.load(builder.gep(dots, [n])), INT32(0))
                g = builder.shuffle_vector(g, g, ir.VectorType(INT32, len(lines))([0] * len(lines)))
                target = builder.zext(builder.load(builder.gep(index, [n])), INT64)
                at = builder.mul(builder.add(builder.mul(target, heads), head), INT64(SUMS))
                place = builder.bitcast(builder.gep(part, [at]), kind.as_pointer())
                total = emit_multiply_add(builder, shares, g, builder.load(place, align=size))
                builder.store(total, place, align=size)
                return []

            each(builder, count, 1, [], body)
            return context.get_dummy_value()

        whole = types.int64
        return types.void(index, whole, alpha, beta, whole, dots, whole, whole, part), emit

    return add_heads


_add_one, _add_two = _add_heads(1), _add_heads(2)


@njit(**OUTER)
def add_by_target(index, count, alpha, beta, beta_start, dots, part):
    """part[index[n], l] += (alpha[l, n] dots[n], beta[l, beta_start + n] dots[n]) for n below `count`, in their order.

    Args:
        index: uint32.
        alpha, beta: (L, ...), C-ordered.
        part: (N · L · SUMS,).
    """
    heads, head = len(alpha), np.int64(0)
    while head + 1 < heads:
        _add_two(index, count, alpha, beta, beta_start, dots, head, heads, part)
        head += 2
    if head < heads:
        _add_one(index, count, alpha, beta, beta_start, dots, head, heads, part)
