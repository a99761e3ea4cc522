"""Arithmetic on rows of tables in vector registers: the innermost loops of the scoring operators.

Numba takes each row for an array of its own, whose references it counts, and keeps sums of rows in memory; both took
longer than the arithmetic. This emits LLVM's vector instructions instead, for whatever processor there is.

Tables are C-ordered, of float64, float32, or of bfloat16 as uint16; indices are not checked. A *paired* row holds
complex numbers: all real parts, then all imaginary ones.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from relwise.kernels.tile import emit_multiply_add

INT16, INT32, INT64 = ir.IntType(16), ir.IntType(32), ir.IntType(64)
BYTES = 64  # of a vector: a register of AVX-512; other processors take several


class _Rows:
    """The rows of a table, read and written as vectors of the number type that is computed in."""

    def __init__(self, context: Any, builder: Any, kind: types.Array, array: Any, number: ir.Type) -> None:
        made = context.make_array(kind)(context, builder, array)
        self.builder, self.data, self.number = builder, made.data, number
        self.width = cgutils.unpack_tuple(builder, made.shape)[-1]
        self.length = cgutils.unpack_tuple(builder, made.shape)[0]

    def start(self, index: Any) -> Any:
        """Where a row begins."""
        return self.builder.gep(self.data, [self.builder.mul(index, self.width)])

    def load(self, start: Any, column: Any, lanes: int) -> Any:
        builder, place = self.builder, self.builder.gep(start, [column])
        stored = place.type.pointee
        place = builder.bitcast(place, _vector(stored, lanes).as_pointer())
        vector = builder.load(place, align=2 if stored == INT16 else 4)
        if stored != INT16:
            return vector
        wide = _vector(INT32, lanes)  # bfloat16 is the upper half of float32
        shift = wide([16] * lanes) if lanes > 1 else wide(16)
        return builder.bitcast(builder.shl(builder.zext(vector, wide), shift), _vector(self.number, lanes))

    def add(self, start: Any, column: Any, value: Any) -> None:
        builder = self.builder
        place = builder.bitcast(builder.gep(start, [column]), value.type.as_pointer())
        builder.store(builder.fadd(builder.load(place, align=4), value), place, align=4)


def _full(number: ir.Type) -> int:
    """The lanes of a vector of so many bytes."""
    return BYTES // (8 if number == ir.DoubleType() else 4)


def _vector(number: ir.Type, lanes: int) -> ir.Type:
    return ir.VectorType(number, lanes) if lanes > 1 else number


def _zero(number: ir.Type, lanes: int) -> Any:
    return _vector(number, lanes)([0.0] * lanes if lanes > 1 else 0.0)


def _spread(builder: Any, number: Any, lanes: int) -> Any:
    """A vector of the same number in all lanes."""
    if lanes == 1:
        return number
    unset = ir.VectorType(number.type, lanes)(ir.Undefined)
    alone = builder.insert_element(unset, number, INT32(0))
    return builder.shuffle_vector(alone, unset, ir.VectorType(INT32, lanes)([0] * lanes))


def _multiply(builder: Any, left: Any, right: Any, added: Any = None, sign: int = 1) -> Any:
    """added ± left · right."""
    if added is None:
        return builder.fmul(left, right)
    return emit_multiply_add(builder, left if sign > 0 else builder.fneg(left), right, added)


def _columns(builder: Any, size: Any, number: ir.Type, *most: int) -> Iterator[tuple[Any, int, int]]:
    """Emit loops over the columns of a row, so many vectors at a time, then fewer, then number by number.

    Yields, to be filled: (first column, lanes of a vector, vectors).
    """
    full = _full(number)
    at = cgutils.alloca_once_value(builder, INT64(0))
    for lanes, count in (*((full, vectors) for vectors in most), (1, 1)):
        check, body, after = (builder.append_basic_block(name) for name in ("columns", "vectors", "rest"))
        builder.branch(check)
        builder.position_at_end(check)
        column = builder.load(at)
        following = builder.add(column, INT64(lanes * count))
        builder.cbranch(builder.icmp_signed("<=", following, size), body, after)
        builder.position_at_end(body)
        yield column, lanes, count
        builder.store(following, at)
        builder.branch(check)
        builder.position_at_end(after)


def _tables(context: Any, builder: Any, signature: Any, args: Any, number: ir.Type, *which: int) -> list[_Rows]:
    return [_Rows(context, builder, signature.args[i], args[i], number) for i in which]


def _product(paired: bool) -> Any:
    @intrinsic
    def product(typingctx, nodes, head, relations, relation, tail):  # pragma: no cover (emits code)
        def emit(context, builder, signature, args):
            number = context.get_value_type(signature.return_type)
            states, weights = _tables(context, builder, signature, args, number, 0, 2)
            h, w, t = states.start(args[1]), weights.start(args[3]), states.start(args[4])
            width = weights.width
            half = builder.lshr(width, INT64(1))
            total = cgutils.alloca_once_value(builder, _zero(number, _full(number)))
            rest = cgutils.alloca_once_value(builder, _zero(number, 1))
            for begin, lanes, count in _columns(builder, half if paired else width, number, 4 if paired else 8, 2, 1):
                kept = total if lanes > 1 else rest
                added = builder.load(kept)
                for v in range(count):
                    column = builder.add(begin, INT64(v * lanes))
                    a, c, x = (r.load(s, column, lanes) for r, s in ((states, h), (weights, w), (states, t)))
                    if not paired:
                        added = _multiply(builder, _multiply(builder, a, c), x, added)
                        continue
                    column = builder.add(column, half)
                    b, d, y = (r.load(s, column, lanes) for r, s in ((states, h), (weights, w), (states, t)))
                    real = _multiply(builder, b, d, _multiply(builder, a, c), -1)
                    imaginary = _multiply(builder, b, c, _multiply(builder, a, d))
                    added = _multiply(builder, imaginary, y, _multiply(builder, real, x, added))
                builder.store(added, kept)
            return _sum(builder, builder.load(total), builder.load(rest))

        return relations.dtype(nodes, types.uint64, relations, types.uint64, types.uint64), emit

    return product


triple_rows: Any = _product(False)
complex_rows: Any = _product(True)
"""`Σ nodes[head] · relations[relation] · nodes[tail]`; of complex numbers `Re Σ ... · conj(nodes[tail])`.

Args:
    nodes, head, relations, relation, tail: (N, d), uint64, (R, d), uint64, uint64.
"""


def _four_products(typingctx, queries, q, rows, which, first, out):  # pragma: no cover (emits code)
    def emit(context, builder, signature, args):
        number = context.get_value_type(rows.dtype)
        asked, table = _tables(context, builder, signature, args, number, 0, 2)
        which, out = (context.make_array(signature.args[i])(context, builder, args[i]).data for i in (3, 5))
        places = [builder.add(args[4], INT64(i)) for i in range(4)]
        starts = [table.start(builder.sext(builder.load(builder.gep(which, [place])), INT64)) for place in places]
        query = asked.start(args[1])
        wide = [cgutils.alloca_once_value(builder, _zero(number, _full(number))) for _ in starts]
        rest = [cgutils.alloca_once_value(builder, _zero(number, 1)) for _ in starts]
        for begin, lanes, count in _columns(builder, table.width, number, 4, 1):
            for v in range(count):
                column = builder.add(begin, INT64(v * lanes))
                factor = asked.load(query, column, lanes)
                for start, kept in zip(starts, wide if lanes > 1 else rest, strict=True):
                    builder.store(
                        _multiply(builder, factor, table.load(start, column, lanes), builder.load(kept)), kept
                    )
        for place, total, single in zip(places, wide, rest, strict=True):
            place = builder.gep(out, [place])
            builder.store(_sum(builder, builder.load(total), builder.load(single)), place)
        return context.get_dummy_value()

    whole = types.int64
    return types.void(queries, whole, rows, which, whole, out), emit


four_products: Any = intrinsic(_four_products)
"""`out[j] = queries[q] · rows[which[j]]` for the four j from `first` on.

Args:
    queries, q, rows, which, first, out: (m, d), int64, (N, d), (k,) int32, int64, (k,).
"""


def _sum(builder: Any, vector: Any, rest: Any) -> Any:
    """The sum of a vector's lanes and of one number more."""
    number = rest.type
    kind = "f64" if number == ir.DoubleType() else "f32"
    reduce = cgutils.get_or_insert_function(
        builder.module,
        ir.FunctionType(number, [number, vector.type]),
        f"llvm.vector.reduce.fadd.v{vector.type.count}{kind}",
    )
    return builder.call(reduce, [rest, vector], fastmath=("reassoc",))
