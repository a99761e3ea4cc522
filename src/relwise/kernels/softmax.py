"""The attention of edges that are laid out: the softmax over each target's edges, averaged over heads.

Most targets have so few edges that a vector register or two hold the logits of a head. Then the softmaxes of both
heads, the usual number, never leave the registers, and their maxima and sums are found together. Longer runs, and other
numbers of heads, go over scratch: for the maximum, for the exponentials, for the weights.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

from relwise.kernels.compiling import INNER
from relwise.kernels.cpu import CHUNK
from relwise.kernels.lanes import add_scaled, exponentials, highest
from relwise.kernels.registers import BYTES, INT64, Vectors, data_of
from relwise.kernels.vector import log_of_sum

HEADS = 2  # whose softmaxes are found together


def _softmax(registers: int) -> Any:
    """`softmax_of_run`, of runs that so many registers hold."""

    def softmax(typingctx, logits, own, at, start, count, slope, share, weight, found):
        def emit(context, builder, signature, args):
            vectors, pair = Vectors(context, builder, signature.args[0]), Vectors(context, builder, signature.args[0])
            pair.of_lanes(HEADS)
            logits, own, weight, found = (data_of(context, builder, signature, args, i) for i in (0, 1, 7, 8))
            length, size = (_width(context, builder, signature, args, i) for i in (0, 8))
            at, start, count, slope = args[2], args[3], args[4], vectors.spread(args[5])
            one, zero, lowest = vectors.constant(1), vectors.constant(0), vectors.constant(float("-inf"))
            steps = [INT64(register * vectors.lanes) for register in range(registers)]
            places = [builder.add(start, step) for step in steps]
            within = [vectors.below(builder.sub(count, step)) for step in steps]

            values, slopes, tops = [], [], [lowest] * HEADS  # the first two of each head's registers
            for head in range(HEADS):
                shift = vectors.spread(builder.load(builder.gep(own, [builder.add(at, INT64(head))])))
                for place, inside in zip(places, within, strict=True):
                    x = builder.fadd(vectors.load(logits, builder.add(builder.mul(length, INT64(head)), place)), shift)
                    slopes.append(builder.select(builder.fcmp_ordered(">", x, zero), one, slope))
                    values.append(builder.select(inside, builder.fmul(x, slopes[-1]), lowest))
                    tops[head] = vectors.higher(values[-1], tops[head])
            top = vectors.folds(tops, vectors.higher)
            # Minus infinity from minus infinity would be no number.
            there = builder.fcmp_ordered(">", top, pair.constant(float("-inf")))
            top = builder.select(there, top, pair.constant(0))

            totals, sloped = [zero] * HEADS, [zero] * HEADS
            for n, (x, below) in enumerate(zip(values, slopes, strict=True)):
                head = n // registers
                values[n] = vectors.exp(builder.fsub(x, vectors.lane(top, head)))
                totals[head] = builder.fadd(totals[head], values[n])
                sloped[head] = vectors.multiply_add(values[n], below, sloped[head])
            sums = vectors.folds([*totals, *sloped], builder.fadd)
            total, below = pair.shuffled(sums, sums, [0, 1]), pair.shuffled(sums, sums, [2, 3])
            any_kept = builder.fcmp_unordered("!=", total, pair.constant(0))  # NaN is not
            scale = builder.select(any_kept, builder.fdiv(pair.spread(args[6]), total), pair.constant(0))
            for register, place in enumerate(places):
                mean = zero
                for head in range(HEADS):
                    mean = vectors.multiply_add(values[head * registers + register], vectors.lane(scale, head), mean)
                vectors.store(mean, weight, place)
            for kind, numbers in enumerate((top, total, below)):
                pair.store(numbers, found, builder.add(at, builder.mul(size, INT64(kind))))
            return context.get_dummy_value()

        whole, number = types.int64, logits.dtype
        return types.void(logits, own, whole, whole, whole, number, number, weight, found), emit

    return intrinsic(softmax)


def _width(context, builder, signature, args, i: int):
    return cgutils.unpack_tuple(builder, context.make_array(signature.args[i])(context, builder, args[i]).shape)[1]


softmax_of_run, softmax_of_longer_run = _softmax(1), _softmax(2)
"""`softmax_of_run(logits, own, at, start, count, slope, share, weight, found)`: of a target's two heads.

    weight[n] = Σ_l share e^(x_ln - top_l) / Σ_n e^(x_ln - top_l)    with x_ln = LeakyReLU(logits[l, n] + own[at + l])

over n = start...start + count - 1, of which there are no more than a register holds, or two.

Args:
    logits: (2, ...), C-ordered.
    own: (m,) the targets' parts of the logits.
    weight: filled in the same places as `logits`.
    found: (3, m), filled at `at` and `at + 1` with the maxima, the sums of exponentials, and those of each times
        LeakyReLU's slope there; zeros where there is none.
"""


@njit(**INNER)
def exponentials_of(logit, start, stop, own, slope, top, alpha):
    """alpha = e^(LeakyReLU(logit + own) - top) over start:stop; their sum, and that of each times LeakyReLU's slope.

    Each `CHUNK` is summed by itself.
    """
    total, sloped = alpha.dtype.type(0), alpha.dtype.type(0)
    for piece in range(start, stop, CHUNK):
        found = exponentials(logit, piece, min(CHUNK, stop - piece), own, slope, top, alpha)
        total, sloped = total + found[0], sloped + found[1]
    return total, sloped


@njit(**INNER)
def highest_of(logit, start, stop, own, slope):
    """The maximum of LeakyReLU(logit + own) over start:stop; 0 where that is minus infinity, as where there is none."""
    top = highest(logit, start, stop - start, own, slope)
    # Minus infinity from minus infinity would be no number.
    return top if top > -np.inf else logit.dtype.type(0)


@njit(error_model="numpy", **INNER)
def softmax_of_any_run(logits, own, at, start, stop, slope, share, alpha, weight, found):
    """`softmax_of_run`, of any number of heads and edges."""
    for head in range(len(logits)):
        logit, shift = logits[head], own[at + head]
        top = highest_of(logit, start, stop, shift, slope)
        total, sloped = exponentials_of(logit, start, stop, shift, slope, top, alpha)
        scale = share / total if total != 0 else weight.dtype.type(0)  # NaN is not
        add_scaled(alpha, start, stop - start, scale, head == 0, weight)
        found[0, at + head], found[1, at + head], found[2, at + head] = top, total, sloped


# A division that may raise is another way out, for whose sake references of arrays would be counted in the loop.
@njit(error_model="numpy", **INNER)
def weigh_targets(target_logit, logits, slope, first, last, stops, alpha, weight, found, logsumexp, slopes):
    """The weights of the laid out edges of targets first:last, averaged over heads; `logits` are their rows' parts.

    Args:
        found: scratch, 3 numbers a target and head.
    """
    heads = target_logit.shape[1]
    begin, end, lanes = first * heads, last * heads, BYTES // weight.itemsize
    # Every constant in the arrays' own precision: one float64 would make the inner loops half as wide.
    share, none, zero = weight.dtype.type(1 / heads), weight.dtype.type(np.inf), weight.dtype.type(0)
    own, start, at = target_logit.reshape(target_logit.size)[begin:end], np.int64(0), np.int64(0)
    for target in range(first, last):
        stop = stops[target - first]
        count = stop - start
        if heads == HEADS and count <= lanes:
            softmax_of_run(logits, own, at, start, count, slope, share, weight, found)
        elif heads == HEADS and count <= 2 * lanes:
            softmax_of_longer_run(logits, own, at, start, count, slope, share, weight, found)
        else:
            softmax_of_any_run(logits, own, at, start, stop, slope, share, alpha, weight, found)
        start, at = stop, at + heads
    of_sums, of_slopes = logsumexp.reshape(logsumexp.size)[begin:end], slopes.reshape(slopes.size)[begin:end]
    tops, totals, below = found[0], found[1], found[2]
    for n in range(len(of_sums)):  # by itself: a logarithm and a division of a whole register
        total = totals[n]
        of_sums[n] = tops[n] + log_of_sum(total) if total != 0 else none
        of_slopes[n] = below[n] / total if total != 0 else zero
