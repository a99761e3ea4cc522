"""What edges add to numbers of their targets: a few numbers at once, one edge after the other.

A compiler adds each number by itself. Here those of a target and head lie side by side and are one vector.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from relwise.kernels.lanes import INT32, INT64, data_of, each

SUMS = 4  # places of what is added up by target and head: three numbers, and one that makes them a vector


def _add_by_target(typingctx, index, count, alpha, beta, beta_start, dots, head, heads, part):
    def emit(context, builder, signature, args):
        index, alpha, beta, dots, part = (data_of(context, builder, signature, args, i) for i in (0, 2, 3, 5, 8))
        count, beta_start, head, heads = args[1], args[4], args[6], args[7]
        number = context.get_value_type(signature.args[2].dtype)
        four, size = ir.VectorType(number, 4), signature.args[2].dtype.bitwidth // 8

        def body(n, _):
            g = builder.load(builder.gep(dots, [n]))
            a, b = builder.load(builder.gep(alpha, [n])), builder.load(builder.gep(beta, [builder.add(beta_start, n)]))
            added = four([0.0] * 4)
            for place, value in enumerate((builder.fmul(a, g), builder.fmul(b, g), b)):
                added = builder.insert_element(added, value, INT32(place))
            target = builder.zext(builder.load(builder.gep(index, [n])), INT64)
            at = builder.shl(builder.add(builder.mul(target, heads), head), INT64(2))
            place = builder.bitcast(builder.gep(part, [at]), four.as_pointer())
            builder.store(builder.fadd(builder.load(place, align=size), added), place, align=size)
            return []

        each(builder, count, 1, [], body)
        return context.get_dummy_value()

    whole = types.int64
    return types.void(index, whole, alpha, beta, whole, dots, whole, whole, part), emit


add_by_target: Any = intrinsic(_add_by_target)
"""`add_by_target(index, count, alpha, beta, beta_start, dots, head, heads, part)`: four numbers at once.

    part[index[n] · heads + head] += (alpha[n] dots[n], beta[beta_start + n] dots[n], beta[beta_start + n], 0)

for n below `count`, one after the other; `part` holds four numbers for each target and head.
"""
