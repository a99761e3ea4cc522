"""A tile of a matrix product, held in vector registers: the innermost loop of fused operations that need products.

Numba writes no vector instructions of its own and keeps sums in memory. This emits LLVM's, for whatever processor
there is: `ROWS × COLUMNS` sums that stay in registers over the whole depth, the way of `Anatomy of
High-Performance Matrix Multiplication <https://doi.org/10.1145/1356052.1356053>`_ (Goto and van de Geijn, 2008).

Each sum is one chain of multiply-adds in the order of the depth, `chain(...((0 + a0 b0) + a1 b1)...)`: its bits
depend on the two vectors alone, never on where they stand or on what is multiplied beside them. `dot` gives them too.
"""

from __future__ import annotations

import platform
from typing import Any

from llvmlite import binding, ir
from numba import njit, types
from numba.core import cgutils, config
from numba.extending import intrinsic

from relwise.kernels.compiling import OUTER

SETTINGS: Any = config  # Numba sets its attributes as it reads the environment
FLOAT, INT32, INT64 = ir.FloatType(), ir.IntType(32), ir.IntType(64)


def _features() -> set[str]:
    """What Numba may use of the processor (NUMBA_CPU_NAME and NUMBA_CPU_FEATURES say so, else the host)."""
    if SETTINGS.CPU_FEATURES is not None:
        return {feature[1:] for feature in SETTINGS.CPU_FEATURES.split(",") if feature.startswith("+")}
    return set() if SETTINGS.CPU_NAME else {name for name, there in binding.get_host_cpu_features().items() if there}


def _shape(features: set[str], machine: str) -> tuple[int, int, int, bool]:
    """(floats in a vector, rows, vectors in a row, whether multiply-add is one instruction).

    Rows × vectors sums, one row's vectors and one spread-out number fill the registers: 32 or 16 of them.

    >>> _shape({"avx512f", "avx2", "fma"}, "x86_64"), _shape({"avx2", "fma"}, "x86_64"), _shape(set(), "x86_64")
    ((16, 6, 4, True), (8, 6, 2, True), (4, 6, 2, False))
    """
    if "avx512f" in features:
        return 16, 6, 4, True
    if "fma" in features:
        return 8, 6, 2, True
    return (4, 6, 4, True) if machine in ("aarch64", "arm64") else (4, 6, 2, False)


LANES, ROWS, VECTORS, FUSED = _shape(_features(), platform.machine())
COLUMNS = LANES * VECTORS
VECTOR = ir.VectorType(FLOAT, LANES)


def _multiply_tile(typingctx, left, block, right, out):  # pragma: no cover (emits code)
    def emit(context, builder, signature, args):
        left, right, out = (context.make_array(signature.args[i])(context, builder, args[i]) for i in (0, 2, 3))
        depth = cgutils.unpack_tuple(builder, right.shape)[0]
        first = builder.gep(left.data, [builder.mul(args[1], builder.mul(depth, INT64(ROWS)))])
        before, loop, after = builder.block, builder.append_basic_block("depth"), builder.append_basic_block("store")
        builder.branch(loop)

        builder.position_at_end(loop)
        k, zero = builder.phi(INT64), VECTOR([0.0] * LANES)
        sums = [builder.phi(VECTOR) for _ in range(ROWS * VECTORS)]
        place = builder.gep(right.data, [builder.mul(k, INT64(COLUMNS))])
        columns = [_load(builder, place, VECTOR, v * LANES) for v in range(VECTORS)]
        place = builder.gep(first, [builder.mul(k, INT64(ROWS))])
        rows = [_spread(builder, builder.load(builder.gep(place, [INT64(i)])), LANES) for i in range(ROWS)]
        added = [emit_multiply_add(builder, row, column, sums[i * VECTORS + v])
                 for i, row in enumerate(rows) for v, column in enumerate(columns)]  # fmt: skip
        following = builder.add(k, INT64(1))
        for value, start, step in ((k, INT64(0), following), *zip(sums, [zero] * len(sums), added, strict=True)):
            value.add_incoming(start, before)
            value.add_incoming(step, loop)
        builder.cbranch(builder.icmp_signed("<", following, depth), loop, after)

        builder.position_at_end(after)
        for i, total in enumerate(added):
            place = builder.gep(out.data, [INT64(i * LANES)])
            builder.store(total, builder.bitcast(place, VECTOR.as_pointer()), align=4)
        return context.get_dummy_value()

    return types.void(left, block, right, out), emit


multiply_tile: Any = intrinsic(_multiply_tile)
"""`out[i, j] = Σ_k left[block, k, i] · right[k, j]`, without bounds checks.

Args:
    left: (blocks, d, ROWS) float32, C-ordered; d at least 1.
    block: which of them.
    right: (d, COLUMNS) float32, C-ordered.
    out: (ROWS, COLUMNS) float32, C-ordered: filled.
"""


def _counter(comparison: str) -> Any:
    @intrinsic
    def count(typingctx, scores, start, value):  # pragma: no cover (emits code)
        def emit(context, builder, signature, args):
            array = context.make_array(signature.args[0])(context, builder, args[0])
            numbers = _load(builder, builder.gep(array.data, [args[1]]), ir.VectorType(FLOAT, COLUMNS), 0)
            holds = builder.fcmp_ordered(comparison, numbers, _spread(builder, args[2], COLUMNS))
            bits = builder.ctpop(builder.bitcast(holds, ir.IntType(COLUMNS)))
            return bits if COLUMNS == 64 else builder.zext(bits, INT64)

        return types.int64(scores, types.int64, types.float32), emit

    return count


count_above = _counter(">")
"""`count_above(scores, start, value)`: how many of COLUMNS numbers, C-ordered, are above a value. NaN never is."""
count_from = _counter(">=")
"""`count_from(scores, start, value)`: how many of COLUMNS numbers, C-ordered, are at least a value. NaN never is."""


def emit_multiply_add(builder, left, right, total):
    """left · right + total in one rounding, where the processor has that; never now this way and now that."""
    if not FUSED:
        return builder.fadd(builder.fmul(left, right), total)
    number = total.type.element if isinstance(total.type, ir.VectorType) else total.type
    lanes = f"v{total.type.count}" if number != total.type else ""
    name = f"llvm.fma.{lanes}f{32 if number == FLOAT else 64}"
    function = cgutils.get_or_insert_function(builder.module, ir.FunctionType(total.type, [total.type] * 3), name)
    return builder.call(function, [left, right, total])


def _multiply_add(typingctx, left, right, total):  # pragma: no cover (emits code)
    def emit(context, builder, signature, args):
        return emit_multiply_add(builder, *args)

    return (total(total, total, total), emit) if left == right == total else None


multiply_add: Any = intrinsic(_multiply_add)
"""`multiply_add(left, right, total)`: left · right + total, all of one type; rounded once where the processor can."""


@njit(**OUTER)
def dot(left, right):  # pragma: no cover (compiled)
    """The product of two float32 vectors, with the bits that a tile gives it."""
    total = left.dtype.type(0)
    for k in range(len(left)):
        total = multiply_add(left[k], right[k], total)
    return total


def _load(builder, start, vector, offset):
    place = builder.gep(start, [INT64(offset)])
    return builder.load(builder.bitcast(place, vector.as_pointer()), align=4)


def _spread(builder, number, lanes):
    """A vector of the same number in all lanes."""
    unset = ir.VectorType(FLOAT, lanes)(ir.Undefined)
    alone = builder.insert_element(unset, number, INT32(0))
    return builder.shuffle_vector(alone, unset, ir.VectorType(INT32, lanes)([0] * lanes))
