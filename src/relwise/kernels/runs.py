"""Runs of edges with a node, a relation and, where it matters, the node's side in common: their products, and sums.

In vector registers, as `relwise.kernels.rows` whose tables these are.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from relwise.kernels.rows import INT64, _columns, _multiply, _Rows, _spread, _sum, _tables, _zero


def _run_products(paired: bool) -> Any:
    @intrinsic
    def run_products(typingctx, nodes, index, first, last, relations, relation, node, is_tail, out):
        # pragma: no cover (emits code)
        def emit(context, builder, signature, args):
            number = context.get_value_type(out.dtype)
            states, weights = _tables(context, builder, signature, args, number, 0, 4)
            index, products = (context.make_array(signature.args[i])(context, builder, args[i]).data for i in (1, 8))
            w, h, first, last = weights.start(args[5]), states.start(args[6]), args[2], args[3]
            sign = builder.select(builder.trunc(args[7], ir.IntType(1)), number(-1.0), number(1.0))
            half = builder.lshr(weights.width, INT64(1))
            size = half if paired else weights.width
            for begin, lanes, count in _columns(builder, size, number, 4 if paired else 8, 2, 1):
                reals = [builder.add(begin, INT64(v * lanes)) for v in range(count)]
                columns = [*reals, *(builder.add(column, half) for column in reals)] if paired else reals
                a, c = (
                    [rows.load(at, column, lanes) for column in columns] for rows, at in ((states, h), (weights, w))
                )
                query = _times(builder, a, c, _spread(builder, sign, lanes) if paired else None)
                before, loop, after = builder.block, *(builder.append_basic_block(name) for name in ("run", "products"))
                builder.branch(loop)
                builder.position_at_end(loop)
                n = builder.phi(INT64)
                start = states.start(builder.zext(builder.load(builder.gep(index, [n])), INT64))
                total = None
                for factor, column in zip(query, columns, strict=True):
                    total = _multiply(builder, factor, states.load(start, column, lanes), total)
                place = builder.gep(products, [n])
                is_first = builder.icmp_signed("==", begin, INT64(0))
                so_far = builder.select(is_first, number(0.0), builder.load(place))
                total = _sum(builder, total, so_far) if lanes > 1 else builder.fadd(so_far, total)
                builder.store(total, place)
                following = builder.add(n, INT64(1))
                n.add_incoming(first, before)
                n.add_incoming(following, loop)
                builder.cbranch(builder.icmp_signed("<", following, last), loop, after)
                builder.position_at_end(after)
            return context.get_dummy_value()

        arguments = (nodes, index, types.int64, types.int64, relations, types.uint64, types.uint64, types.boolean, out)
        return types.void(*arguments), emit

    return run_products


def _times(builder: Any, left: list[Any], right: list[Any], sign: Any) -> list[Any]:
    """left · right; of complex numbers, where `sign` is -1, left · conj(right)."""
    if sign is None:
        return [_multiply(builder, a, c) for a, c in zip(left, right, strict=True)]
    half = len(left) // 2
    parts = zip(
        left[:half], left[half:], right[:half], (_multiply(builder, sign, d) for d in right[half:]), strict=True
    )
    products = [
        (_multiply(builder, b, d, _multiply(builder, a, c), -1), _multiply(builder, b, c, _multiply(builder, a, d)))
        for a, b, c, d in parts
    ]
    return [real for real, _ in products] + [imaginary for _, imaginary in products]


run_products: Any = _run_products(False)
complex_run_products: Any = _run_products(True)
"""The products of a run's edges: `out[n] = Σ nodes[node] · relations[relation] · nodes[index[n]]`, from the rows' own.

Of complex numbers `complex_rows` with the run's node as the head, or where `is_tail` as the tail.

Args:
    nodes, index: (N, d), (n,) uint32.
    first, last: int64, the run in `index` and `out`: at least one.
    relations, relation, node: (R, d), uint64, uint64.
    is_tail: whether the run's node is the tail of its edges.
    out: (n,).
"""


def _weighted_sum(builder: Any, rows: _Rows, index: Any, value: Any, first: Any, last: Any,
                  columns: Sequence[Any], lanes: int) -> list[Any]:  # fmt: skip
    """Σ value[n] rows[index[n], column] over n in first..last - 1, of a vector at each column."""
    before, loop, after = builder.block, builder.append_basic_block("run"), builder.append_basic_block("sum")
    builder.branch(loop)
    builder.position_at_end(loop)
    n, zero = builder.phi(INT64), _zero(rows.number, lanes)
    sums = [builder.phi(zero.type) for _ in columns]
    start = rows.start(builder.zext(builder.load(builder.gep(index, [n])), INT64))
    weight = _spread(builder, builder.load(builder.gep(value, [n])), lanes)
    added = [_multiply(builder, weight, rows.load(start, column, lanes), total)
             for column, total in zip(columns, sums, strict=True)]  # fmt: skip
    following = builder.add(n, INT64(1))
    for phi, begin, step in ((n, first, following), *zip(sums, [zero] * len(sums), added, strict=True)):
        phi.add_incoming(begin, before)
        phi.add_incoming(step, loop)
    builder.cbranch(builder.icmp_signed("<", following, last), loop, after)
    builder.position_at_end(after)
    return added


def _add_run(paired: bool) -> Any:
    @intrinsic
    def add_run(typingctx, nodes, index, value, first, last, relations, relation, node, is_tail, line, part):
        # pragma: no cover (emits code)
        def emit(context, builder, signature, args):
            number = context.get_value_type(signature.args[2].dtype)
            states, weights, out, part = _tables(context, builder, signature, args, number, 0, 5, 9, 10)
            index, value = (context.make_array(signature.args[i])(context, builder, args[i]).data for i in (1, 2))
            first, last, is_tail = args[3], args[4], builder.trunc(args[8], ir.IntType(1))
            w, h, line, grad = (rows.start(at) for rows, at in (
                (weights, args[6]), (states, args[7]), (out, INT64(0)), (part, args[6])))  # fmt: skip
            of_relation = builder.and_(builder.not_(is_tail), builder.icmp_signed(">", part.length, INT64(0)))
            width = out.width
            half = builder.lshr(width, INT64(1))
            for begin, lanes, count in _columns(builder, half if paired else width, number, 4 if paired else 8, 2, 1):
                reals = [builder.add(begin, INT64(v * lanes)) for v in range(count)]
                columns = [*reals, *(builder.add(column, half) for column in reals)] if paired else reals
                sums = _weighted_sum(builder, states, index, value, first, last, columns, lanes)
                sign = _spread(builder, builder.select(is_tail, number(-1.0), number(1.0)), lanes)
                _each(builder, weights, w, sums, columns, lanes, sign if paired else None, out, line)
                with builder.if_then(of_relation):
                    _each(builder, states, h, sums, columns, lanes, sign if paired else None, part, grad)
            return context.get_dummy_value()

        arguments = (nodes, index, value, types.int64, types.int64, relations, types.uint64, types.uint64,
                     types.boolean, line, part)  # fmt: skip
        return types.void(*arguments), emit

    return add_run


def _each(builder: Any, rows: _Rows, start: Any, sums: list[Any], columns: list[Any], lanes: int, sign: Any,
          out: _Rows, target: Any) -> None:  # fmt: skip
    """Add row · sums to the target; of complex numbers conj(row) · sums, or where `sign` is -1, row · sums."""
    factors = [rows.load(start, column, lanes) for column in columns]
    if sign is None:
        products = [_multiply(builder, factor, total) for factor, total in zip(factors, sums, strict=True)]
    else:
        half = len(sums) // 2
        x, y, s, z = factors[:half], factors[half:], sums[:half], sums[half:]
        y = [_multiply(builder, sign, value) for value in y]
        products = [_multiply(builder, y[v], z[v], _multiply(builder, x[v], s[v])) for v in range(half)]
        products += [_multiply(builder, y[v], s[v], _multiply(builder, x[v], z[v]), -1) for v in range(half)]
    for column, product in zip(columns, products, strict=True):
        out.add(target, column, product)


add_run: Any = _add_run(False)
add_complex_run: Any = _add_run(True)
"""Add what a run's sum `s = Σ value[n] nodes[index[n]]` is worth to its node, and to its relation if that is the head.

`line[0] += relations[relation] · s` and `part[relation] += nodes[node] · s`; of complex numbers `conj(relation) · s`
and `conj(node) · s`, and `relation · s` where the node is the tail.

Args:
    nodes, index, value: (N, d), (n,) uint32, (n,).
    first, last: int64, the run in `index` and `value`: at least one.
    relations, relation, node: (R, d), uint64, uint64.
    is_tail: whether the run's node is the tail of its edges.
    line: (1, d).
    part: (R, d), or (0, d) where the relations' gradient is not asked for.
"""
