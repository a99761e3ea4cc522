"""Cross entropy of edges while their ends are at hand, sorted by node: logits, losses and gradients of a chunk of ends.

Each edge is met twice, at its head and at its tail. Both times its logit is the product of the node's row and the
relation's with the row of the other end, which the gradient asks for anyway; its loss is counted at its head.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic

from relwise.kernels.compiling import INNER
from relwise.kernels.lanes import Vectors, data_of, each
from relwise.kernels.rows import complex_run_products, run_products
from relwise.kernels.vector import AHEAD, FAST, prefetch


def _soft_steps(typingctx, value, sign, counted, count, scale, chance):  # pragma: no cover (emits code)
    def emit(context, builder, signature, args):
        vectors = Vectors(context, builder, signature.args[0])
        value, sign, counted, chance = (data_of(context, builder, signature, args, i) for i in (0, 1, 2, 5))
        count, scale = args[3], vectors.spread(args[4])
        one, zero, wide = vectors.constant(1), vectors.constant(0), ir.VectorType(ir.DoubleType(), vectors.lanes)
        first = wide([1.0] * vectors.lanes)

        def body(n, values):
            within, s = vectors.below(builder.sub(count, n)), vectors.load(sign, n)
            t = builder.fmul(s, vectors.load(value, n))
            small = vectors.exp(builder.fneg(vectors.call("fabs", t)))
            positive = builder.fcmp_ordered(">", t, zero)
            p = builder.fdiv(builder.select(positive, one, small), builder.fadd(one, small))
            vectors.store(p, chance, n)
            vectors.store(builder.fmul(builder.fmul(s, scale), p), value, n)
            weight = builder.select(within, vectors.load(counted, n), zero)
            above = builder.select(builder.and_(within, positive), t, zero)
            # log(1 + a) + log(1 + b) = log((1 + a)(1 + b)): one logarithm for all.
            factor = builder.select(within, builder.fmul(weight, small), zero)
            factor = factor if wide == vectors.type else builder.fpext(factor, wide)
            return [
                vectors.multiply_add(weight, above, values[0]),
                builder.fmul(values[1], builder.fadd(first, factor)),
            ]

        total, product = each(builder, count, vectors.lanes, [zero, first], body)
        found = vectors.fold(total, builder.fadd), vectors.fold(product, builder.fmul)
        return context.make_tuple(builder, signature.return_type, found)

    number = value.dtype
    return types.Tuple((number, types.float64))(value, sign, counted, types.int64, number, chance), emit


soft_steps: Any = intrinsic(_soft_steps)
"""`soft_steps(value, sign, counted, count, scale, chance)`: of the first so many t = sign · value, at most 1024,

    chance = sigmoid(t),   value = sign · scale · chance;   returns Σ counted · max(t, 0) and Π (1 + counted · e^-|t|)

The first and the logarithm of the second make Σ softplus(t) of those where `counted` is 1, not 0. All arrays have
`ROOM` beyond the end.
"""


@njit(fastmath=FAST, **INNER)
def logits_of_runs(
    nodes, relations, indptr, row, first, count, paired, index, code, out
):  # fmt: skip  # pragma: no cover (compiled)
    """The logits of so many entries from the first on, some rows' of sorted ends.

    Args:
        nodes, relations: (N, d), (R, d).
        indptr: where each row's entries begin; `row` is the first entry's.
        paired: whether numbers are complex.
        index: uint32, the other ends.
        code: uint32, twice the relation, and 1 more where the row's node is the tail.
        out: their logits.
    """
    n, i = np.int64(0), row
    while n < count:
        while np.int64(indptr[i + 1]) <= first + n:
            i += 1
        begin, end = n, min(count, np.int64(indptr[i + 1]) - first)
        while n < end and code[n] == code[begin]:
            prefetch(nodes, index[n + AHEAD])
            n += 1
        run = nodes, index, begin, n, relations, np.uint64(code[begin] >> 1), np.uint64(i), code[begin] & 1 == 1, out
        if paired:
            complex_run_products(*run)
        else:
            run_products(*run)


@njit(fastmath=FAST, **INNER)
def losses_of(ends, value, scratch, grad, counts):  # pragma: no cover (compiled)
    """Σ softplus(∓s) over the heads among some ends of n edges, true and false in turn; and the gradient of all's mean.

    Args:
        ends: e where the entry is edge e's head, n + e its tail.
        value: the entries' logits s; to be filled with the gradients by them, (σ(s) - truth) / n.
        scratch: (3, as many as entries or more), of the same type.
        grad: (n,), filled at the edges whose heads are here.
        counts: (2, bins), of the heads', added to: how many probabilities of positives (0) and of negatives (1) lie in
            each of so many equal parts.
    """
    edges, bins, count = len(grad), counts.shape[1], len(ends)
    one, zero, scale = value.dtype.type(1), value.dtype.type(0), value.dtype.type(1 / edges)
    sign, is_head, chance = scratch[0], scratch[1], scratch[2]
    for n in range(count):
        at = np.uint32(ends[n])
        e = at if at < edges else at - np.uint32(edges)
        sign[n], is_head[n] = -one if e % 2 == 0 else one, one if at < edges else zero
    total, product = soft_steps(value, sign, is_head, count, scale, chance)
    for n in range(count):
        at = np.uint32(ends[n])
        if at < edges:
            grad[at] = value[n]
            place = (one - chance[n] if at % 2 == 0 else chance[n]) * bins
            counts[at % 2, np.int64(place) if place < bins else bins - 1] += 1  # also where it is NaN
    return total + np.log(product)
