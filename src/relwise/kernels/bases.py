"""Numba kernels of a layer whose matrices are sums of bases, W_r = Σ_b c_rb V_b: nothing of P × d or N × B × d.

What a target hears is Σ_e w_e W_r x_j = Σ_b (Σ_e w_e c_rb x_j) V_b. So states are summed first, a segment of one
relation at a time, and each segment's sum is added to the target's B sums, (B, d) numbers; a few hundred targets'
at a time are then multiplied with the bases stacked. Backward goes by source the same way, with the few hundred
sources' products with the bases in a scratch table.

No atomics, and the same bits with any number of threads: the edges of each few hundred nodes are cut into as many
slices as the graph says, wherever the cuts may fall. What a slice finds for a node that began in an earlier one waits
in `carried`, to be added in order: so no node, whatever its degree, keeps the other threads waiting.
"""

from __future__ import annotations

import numpy as np
from numba import njit, prange

from relwise.kernels.compiling import INNER, OUTER, PARALLEL
from relwise.kernels.cpu import CHUNK, attention_again, back_to_row, look_up, row_of, weighted_sum
from relwise.kernels.products import row_product
from relwise.kernels.tile import multiply_add
from relwise.kernels.vector import AHEAD, add_to, first_from, prefetch

SLICES = 16  # of the edges of a chunk of nodes, forward: a constant
FEW = 16  # edges of a segment up to which they are summed one by one


@njit(**INNER)
def sum_into(x, source, weight, begin, end, segment, segment_edge, relation, coefficient, index, value, lines, z):
    """z[b] += Σ coefficient[relation, b] weight[e] x[source[e]] over the edges begin:end of one target.

    Args:
        segment: the segment that edge `begin` is of.
        index, value: scratch as in `cpu.weighted_sum`.
        lines: scratch, (2, d).
        z: (B, d).
    """
    width, bases, line = x.shape[1], len(z), lines[0]
    e = begin
    while e < end:
        stop = min(end, segment_edge[segment + 1])
        for ahead in range(e + AHEAD, min(stop + AHEAD, e + FEW + AHEAD, len(source))):
            prefetch(x, np.uint32(source[ahead]))
        if stop - e > FEW:
            weighted_sum(x, source[e:stop], weight[e:stop], index, value, lines[1], line)
        else:
            line[:] = 0
            for n in range(e, stop):
                w = weight[n]
                if w != 0:
                    state = x[np.uint32(source[n])]
                    for k in range(width):
                        line[k] = multiply_add(w, state[k], line[k])
        c = coefficient[relation[segment]]
        for b in range(0, bases - 1, 2):
            one, other, v, w = z[b], z[b + 1], c[b], c[b + 1]
            for k in range(width):
                one[k] = multiply_add(v, line[k], one[k])
                other[k] = multiply_add(w, line[k], other[k])
        if bases % 2:
            one, v = z[bases - 1], c[bases - 1]
            for k in range(width):
                one[k] = multiply_add(v, line[k], one[k])
        e = stop
        segment += 1


@njit(**PARALLEL)
def sum_by_basis(x, source, weight, indptr, segment_edge, relation, coefficient, first, last, z):
    """z[i - first, b] = Σ_e coefficient[r_e, b] weight[e] x[source[e]] of the targets first:last.

    Args:
        x: (N, d).
        source, weight: (E,) by target.
        indptr: (N + 1,) of the edges into each target.
        segment_edge, relation: (S + 1,) and (S,), as in `BasisPlan`.
        coefficient: (R, B).
        z: (last - first, B, d), to be filled.
    """
    carried = np.zeros((SLICES, z.shape[1], z.shape[2]), z.dtype)
    start, edges = np.int64(indptr[first]), np.int64(indptr[last]) - indptr[first]
    for piece in prange(SLICES):
        index, value = np.empty(CHUNK + AHEAD, np.uint32), np.empty(CHUNK, z.dtype)
        lines = np.empty((2, z.shape[2]), z.dtype)
        begin, end = start + piece * edges // SLICES, start + (piece + 1) * edges // SLICES
        i = first_from(indptr, first, last, begin) if piece else first
        until = first_from(indptr, first, last, end) if piece + 1 < SLICES else last
        segment = row_of(segment_edge, begin) if begin < end else 0
        stop = min(end, np.int64(indptr[i]))
        sum_into(
            x, source, weight, begin, stop, segment, segment_edge, relation, coefficient, index, value, lines,
            carried[piece],
        )  # fmt: skip
        for target in range(i, until):
            begin, stop = np.int64(indptr[target]), min(end, np.int64(indptr[target + 1]))
            while begin < stop and segment_edge[segment + 1] <= begin:
                segment += 1
            into = z[target - first]
            into[:] = 0
            sum_into(
                x, source, weight, begin, stop, segment, segment_edge, relation, coefficient, index, value, lines, into
            )
    for piece in range(1, SLICES):
        begin, end = start + piece * edges // SLICES, start + (piece + 1) * edges // SLICES
        i = first_from(indptr, first, last, begin)
        if begin < min(end, indptr[i]):
            for b in range(z.shape[1]):
                add_to(z[i - 1 - first, b], carried[piece, b])


@njit(**OUTER)
def combine(said, c, line):
    """line = Σ_b c[b] said[b]."""
    width, bases = len(line), len(said)
    line[:] = 0
    for b in range(0, bases - 1, 2):
        one, other, v, w = said[b], said[b + 1], c[b], c[b + 1]
        for k in range(width):
            line[k] = multiply_add(w, other[k], multiply_add(v, one[k], line[k]))
    if bases % 2:
        one, v = said[bases - 1], c[bases - 1]
        for k in range(width):
            line[k] = multiply_add(v, one[k], line[k])


@njit(**INNER)
def combine_backward(grad, said, c, grad_said, grad_c):
    """grad_said[b] += c[b] grad;  grad_c[b] += said[b] · grad."""
    for b in range(len(said)):
        out, v = grad_said[b], c[b]
        for k in range(len(grad)):
            out[k] = multiply_add(v, grad[k], out[k])
        grad_c[b] += row_product(said[b], grad)


@njit(**PARALLEL)
def sources_backward(
    grad_out, target_logit, row_logit, logsumexp, source_row, relation, row_edge, source_edge, row_source, target,
    fact, keep, slope, coefficient, first, last, said,
    grad_said, grad_weight, beta, inner, of_coefficient,
):  # fmt: skip
    """What `cpu.logits_backward` needs, of the sources first:last, whose rows are sums of products with the bases.

    Args:
        source_row, relation, row_edge, source_edge, row_source, target, fact: of `BasisPlan`.
        coefficient: (R, B).
        said: (last - first, B, d) x_j V_b.
        grad_said: (last - first, B, d), to be filled.
        grad_weight: (E,), filled for the edges of these sources: of the weights.
        beta: (L, E), filled for them: α times LeakyReLU's slope.
        inner: (slices, N, L) added to: each slice's part of Σ α · grad_weight.
        of_coefficient: (slices, R, B) added to: each slice's part of the gradient.
    """
    slices, heads, width = len(inner), inner.shape[2], said.shape[2]
    slope, share = said.dtype.type(slope), said.dtype.type(1 / heads)
    carried = np.zeros((slices, said.shape[1], width), said.dtype)
    start, edges = np.int64(source_edge[first]), np.int64(source_edge[last]) - source_edge[first]
    for piece in prange(slices):
        begin, end = start + piece * edges // slices, start + (piece + 1) * edges // slices
        own = first_from(source_edge, first, last, begin) if piece else first
        until = first_from(source_edge, first, last, end) if piece + 1 < slices else last
        grad_said[own - first : until - first] = 0
        alpha, scratch = np.empty((heads, CHUNK), said.dtype), np.empty((3, CHUNK), said.dtype)
        weight, of_row, of_target = scratch[0], scratch[1], scratch[2]
        lines, kept = np.empty((3, width), said.dtype), np.empty(CHUNK, np.bool_)
        row, grad_row, line = lines[0], lines[1], lines[2]
        part, of_c = inner[piece], of_coefficient[piece]
        q = row_of(row_edge, begin) if begin < end else 0
        asked = begin
        for at in range(begin, end, CHUNK):
            count = min(CHUNK, end - at)
            to = target[at : at + count]
            look_up(keep, fact[at : at + count], kept[:count])
            weight[:count] = 0
            for head in range(heads):
                for n in range(count):
                    i = np.uint32(to[n])
                    alpha[head, n] = target_logit[i, head]
                    of_target[n] = logsumexp[i, head]
                n, p = 0, q
                while n < count:
                    stop = min(count, row_edge[p + 1] - at)
                    of_row[n:stop] = row_logit[source_row[p], head]
                    n, p = stop, p + 1
                attention_again(
                    of_row[:count], of_target[:count], kept, slope, share, alpha[head, :count],
                    beta[head, at : at + count], weight,
                )  # fmt: skip
            n = 0
            while n < count:
                stop = min(count, row_edge[q + 1] - at)
                # Rows are often of one edge or two: the next rows' edges are asked for with this one's.
                if stop - n > AHEAD:
                    asked = max(asked, at + stop)
                while asked < min(at + stop + AHEAD, len(target)):
                    prefetch(grad_out, np.uint32(target[asked]))
                    asked += 1
                j, r = row_source[q], relation[q]
                if at + n == begin or at + n == row_edge[q]:
                    combine(said[j - first], coefficient[r], row)
                    grad_row[:] = 0
                back_to_row(grad_out, row, weight[n:stop], to[n:stop], line, grad_row, grad_weight[at + n : at + stop])
                n = stop
                ends = at + n == row_edge[q + 1]
                if ends or at + n == end:
                    into = grad_said[j - first] if j >= own else carried[piece]
                    combine_backward(grad_row, said[j - first], coefficient[r], into, of_c[r])
                q += ends
            for n in range(count):
                i, grad = np.uint32(to[n]), grad_weight[at + n] * share
                grad_weight[at + n] = grad
                for head in range(heads):
                    part[i, head] = multiply_add(alpha[head, n], grad, part[i, head])
    for piece in range(1, slices):
        begin, end = start + piece * edges // slices, start + (piece + 1) * edges // slices
        j = first_from(source_edge, first, last, begin)
        if begin < min(end, source_edge[j]):
            for b in range(said.shape[1]):
                add_to(grad_said[j - 1 - first, b], carried[piece, b])
