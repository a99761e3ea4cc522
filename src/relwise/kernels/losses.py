"""Cross entropy of true and false edges in turn, from the rows of their ends: losses, and gradients by the logits.

A false edge is a true one of which an end is replaced. Of such a pair one row is gathered for both logits, those of
the end that stays and of the relation are multiplied once, and each row is in the nearest cache for the other edge.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, prange, types
from numba.extending import intrinsic

from relwise.kernels.compiling import PARALLEL
from relwise.kernels.lanes import ROOM
from relwise.kernels.registers import Vectors, data_of, each
from relwise.kernels.runs import complex_run_products, run_products
from relwise.kernels.vector import AHEAD, prefetch

PAIRS = 256  # whose numbers stand in scratch at a time: in the nearest cache


def _soft_steps(typingctx, value, sign, count, scale, chance):  # pragma: no cover (emits code)
    def emit(context, builder, signature, args):
        vectors = Vectors(context, builder, signature.args[0])
        value, sign, chance = (data_of(context, builder, signature, args, i) for i in (0, 1, 4))
        count, scale = args[2], vectors.spread(args[3])
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
            # log(1 + a) + log(1 + b) = log((1 + a)(1 + b)): one logarithm for all.
            factor = builder.select(within, small, zero)
            factor = factor if wide == vectors.type else builder.fpext(factor, wide)
            above = builder.select(builder.and_(within, positive), t, zero)
            return [builder.fadd(values[0], above), builder.fmul(values[1], builder.fadd(first, factor))]

        total, product = each(builder, count, vectors.lanes, [zero, first], body)
        found = vectors.fold(total, builder.fadd), vectors.fold(product, builder.fmul)
        return context.make_tuple(builder, signature.return_type, found)

    number = value.dtype
    return types.Tuple((number, types.float64))(value, sign, types.int64, number, chance), emit


soft_steps: Any = intrinsic(_soft_steps)
"""`soft_steps(value, sign, count, scale, chance)`: of the first so many t = sign · value, at most 1000,

    chance = sigmoid(t),   value = sign · scale · chance;   returns Σ max(t, 0) and Π (1 + e^-|t|)

The first and the logarithm of the second make Σ softplus(t). All arrays have `ROOM` beyond the end.
"""


@njit(**PARALLEL)
def pair_losses(nodes, relations, kinds, other, paired, grad, losses, counts):  # pragma: no cover (compiled)
    """Losses of n edges, true and false in turn: softplus(-s) and softplus(s).

    Args:
        nodes, relations: (N, d), (R, d).
        kinds, other: (n,) relations; (2 n,) tails, then heads: int32.
        paired: whether numbers are complex.
        grad: (n,) to be filled with the gradients of the mean by the logits.
        losses: (pieces,) float64, to be filled with the sums of so many equal parts of the edges.
        counts: (pieces, 2, bins), added to: how many probabilities of true edges (0) and of false ones (1) lie in each
            of so many equal parts of 0..1.
    """
    edges, pairs, pieces, bins = len(grad), len(grad) // 2, len(losses), counts.shape[2]
    one, scale = grad.dtype.type(1), grad.dtype.type(1 / edges)
    for piece in prange(pieces):
        anchor, index = np.empty(PAIRS, np.uint32), np.empty(2 * PAIRS, np.uint32)
        turned, apart = np.empty(PAIRS, np.bool_), np.empty(PAIRS, np.bool_)
        value, sign, chance = np.empty((3, 2 * PAIRS + ROOM), grad.dtype)
        for n in range(2 * PAIRS):
            sign[n] = one if n % 2 else -one
        loss, end = 0.0, (piece + 1) * pairs // pieces
        for first in range(piece * pairs // pieces, end, PAIRS):
            count = min(PAIRS, end - first)
            for m in range(count):
                e = np.uint64(2 * (first + m))
                head, tail, head_2, tail_2 = other[edges + e], other[e], other[edges + e + 1], other[e + 1]
                by_head = head == head_2
                anchor[m], turned[m] = head if by_head else tail, not by_head
                index[2 * m], index[2 * m + 1] = tail if by_head else head, tail_2 if by_head else head_2
                apart[m] = (kinds[e] != kinds[e + 1]) | (not by_head and tail != tail_2)
            for m in range(count):
                ahead = min(m + AHEAD // 2, count - 1)
                prefetch(nodes, anchor[ahead])
                prefetch(nodes, index[2 * ahead])
                prefetch(nodes, index[2 * ahead + 1])
                e, last = np.uint64(2 * (first + m)), 2 * m + (1 if apart[m] else 2)
                run = nodes, index, 2 * m, last, relations, np.uint64(kinds[e]), np.uint64(anchor[m]), turned[m], value
                if paired:
                    complex_run_products(*run)
                else:
                    run_products(*run)
                if apart[m]:  # in nothing alike
                    own, what = np.uint64(other[edges + e + 1]), np.uint64(kinds[e + 1])
                    index[2 * m + 1] = other[e + 1]
                    run = nodes, index, last, last + 1, relations, what, own, False, value
                    if paired:
                        complex_run_products(*run)
                    else:
                        run_products(*run)
            total, product = soft_steps(value, sign, 2 * count, scale, chance)
            loss += total + np.log(product)
            for n in range(2 * count):
                grad[2 * first + n] = value[n]
                place = (chance[n] if n % 2 else one - chance[n]) * bins
                counts[piece, n % 2, np.int64(place) if place < bins else bins - 1] += 1  # also where it is NaN
        losses[piece] = loss
