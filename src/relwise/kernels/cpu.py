"""What the Numba kernels of attention over rows and of the layer of bases share, and the latter's softmax.

No atomics, and the same bits with any number of threads: targets are summed by one thread each (those with more than
`HUB` edges in pieces, see `kernels/hubs.py`), and what backward adds up by target is added in slices of the edges
whose number depends on the graph alone.
"""

from __future__ import annotations

import numpy as np
from numba import njit, prange

from relwise.kernels.compiling import INNER, OUTER, PARALLEL
from relwise.kernels.products import row_product
from relwise.kernels.tile import multiply_add
from relwise.kernels.vector import AHEAD, REORDERED, exp_of_negative, first_from, prefetch

BLOCKS = 128  # a constant, and many: threads that are held up by another program leave less to wait for
HUB = 16_384  # edges of one target beyond which it is cut: a fraction of a millisecond's work
CHUNK = 256  # edges whose numbers stand in scratch at a time: in the nearest cache


@njit(**INNER)
def edge_logits(at_target, row_logit, row, kept, slope, alpha):
    """Write one head's logits of one target's edges, minus infinity where masked; returns their maximum."""
    lowest = alpha.dtype.type(-np.inf)
    top = lowest
    # Looked up by itself, here and below: beside other stores it would keep the arithmetic from vector instructions.
    for e in range(len(alpha)):
        # Unsigned, here and below: a signed index is first asked whether it counts from the end.
        alpha[e] = row_logit[np.uint32(row[e])]
    for e in range(len(alpha)):
        logit = at_target + alpha[e]
        logit = logit if logit > 0 else logit * slope
        logit = logit if kept[e] else lowest
        alpha[e] = logit
        top = logit if logit > top else top
    # Where all edges are masked, minus infinity from minus infinity would be no number.
    return top if top > lowest else alpha.dtype.type(0)


@njit(fastmath=REORDERED, **OUTER)
def exponentials(top, alpha):
    """Replace logits by e^(logit - top); returns their sum."""
    total = alpha.dtype.type(0)
    for e in range(len(alpha)):
        value = exp_of_negative(alpha[e] - top)
        alpha[e] = value
        total += value
    return total


@njit(**INNER)
def add_weights(scale, alpha, weight, begin):
    """Add alpha · scale to the edges' weights, or begin them with it."""
    if begin:
        for e in range(len(alpha)):
            weight[e] = alpha[e] * scale
    else:
        for e in range(len(alpha)):
            weight[e] = multiply_add(alpha[e], scale, weight[e])


@njit(**INNER)
def weighted_sum(rows, row, weight, index, value, line, out):
    """out = Σ weight[e] rows[row[e]] over the edges that have a weight; four rows at a time, asked for ahead.

    Args:
        index: scratch, (CHUNK + AHEAD,) uint32.
        value: scratch, (CHUNK,).
        line: scratch, (d,): each chunk is summed by itself, or float32 would lose digits over thousands of edges.
    """
    width = len(out)
    for k in range(width):
        out[k] = 0
    at = 0
    while at < len(row):
        count = 0
        # Masked edges are left out, not multiplied by zero: less to read, and a NaN there stays there.
        while at < len(row) and count < CHUNK:
            index[count], value[count] = row[at], weight[at]
            count += weight[at] != 0
            at += 1
        for n in range(count, count + AHEAD):
            index[n] = index[max(count - 1, 0)]
        for k in range(width):
            line[k] = 0
        n = 0
        while n + 4 <= count:
            for m in range(n + AHEAD - 4, n + AHEAD):
                prefetch(rows, index[m])
            a, b, c, d = rows[index[n]], rows[index[n + 1]], rows[index[n + 2]], rows[index[n + 3]]
            v, w, x, y = value[n], value[n + 1], value[n + 2], value[n + 3]
            for k in range(width):
                both = multiply_add(w, b[k], multiply_add(v, a[k], line[k]))
                line[k] = multiply_add(y, d[k], multiply_add(x, c[k], both))
            n += 4
        while n < count:
            a, v = rows[index[n]], value[n]
            for k in range(width):
                line[k] = multiply_add(v, a[k], line[k])
            n += 1
        for k in range(width):
            out[k] += line[k]


@njit(**INNER)
def look_up(keep, fact, kept):
    """kept[e] = keep[fact[e]]."""
    for e in range(len(kept)):
        kept[e] = keep[np.uint32(fact[e])]


@njit(**OUTER)
def num_slices(num_edges, num_nodes, heads):
    """In how many slices backward adds by target: more for dense graphs, fewer where N × L numbers each are many."""
    return max(4, min(64, max(8, num_edges // max(8 * num_nodes, 1)), (1 << 26) // max(num_nodes * heads, 1)))


@njit(**OUTER)
def row_of(row_indptr, edge):
    """The row that an edge of the transpose belongs to."""
    return first_from(row_indptr, np.int64(0), np.int64(len(row_indptr)), edge + 1) - 1


@njit(**OUTER)
def attention_again(row_logit, logsumexp, kept, slope, share, alpha, beta, weight):
    """From the target's and the row's part of one head's logits to α, and to β, α times LeakyReLU's slope there.

    Args:
        row_logit, logsumexp: (n,) of the edges.
        alpha: (n,) the target's part of each logit; becomes α.
        beta: (n,), to be filled.
        weight: (n,) to which share · α is added.
    """
    one, zero = alpha.dtype.type(1), alpha.dtype.type(0)
    for e in range(len(alpha)):
        logit = alpha[e] + row_logit[e]
        below = one if logit > 0 else slope
        value = exp_of_negative(multiply_add(logit, below, -logsumexp[e]))
        value = value if kept[e] else zero
        alpha[e] = value
        beta[e] = value * below
        weight[e] = multiply_add(value, share, weight[e])


@njit(**INNER)
def back_to_row(grad_out, said, weight, target, line, grad_row, grad_weight):
    """grad_row += Σ weight[e] grad_out[target[e]];  grad_weight[e] = grad_out[target[e]] · said; two edges at a time.

    Args:
        line: scratch, (d,), as in `weighted_sum`.
    """
    width, count = len(said), len(target)
    zero = said.dtype.type(0)
    for k in range(width):
        line[k] = 0
    for n in range(0, count, 2):
        m = min(n + 1, count - 1)
        for ahead in range(n + AHEAD, min(n + AHEAD + 2, count)):
            prefetch(grad_out, np.uint32(target[ahead]))
        v, w = weight[n], weight[m] if m > n else zero
        g, h = grad_out[np.uint32(target[n])], grad_out[np.uint32(target[m])]
        a, b = zero, zero
        # Masked edges are left out, not multiplied by zero: less to read, and a NaN there stays there.
        if v != 0 and w != 0:
            for k in range(width):
                line[k] = multiply_add(w, h[k], multiply_add(v, g[k], line[k]))
            a, b = row_product(g, said), row_product(h, said)
        elif v != 0:
            for k in range(width):
                line[k] = multiply_add(v, g[k], line[k])
            a = row_product(g, said)
        elif w != 0:
            for k in range(width):
                line[k] = multiply_add(w, h[k], line[k])
            b = row_product(h, said)
        grad_weight[m] = b
        grad_weight[n] = a
    for k in range(width):
        grad_row[k] += line[k]


@njit(**PARALLEL)
def add_parts(parts, out):
    """out = Σ over the first axis, in its order; (slices, n) to (n,)."""
    for block in prange(BLOCKS):
        first, last = block * len(out) // BLOCKS, (block + 1) * len(out) // BLOCKS
        # Pieces of their own, counted from 0: from elsewhere each index is first asked whether it counts from the end,
        # and no vector instruction is left.
        total, begin = out[first:last], parts[0, first:last]
        for k in range(len(total)):
            total[k] = begin[k]
        for piece in range(1, len(parts)):
            part = parts[piece, first:last]
            for k in range(len(total)):
                total[k] += part[k]


@njit(**PARALLEL)
def logits_backward(beta, grad_weight, inner, row_indptr, row_target, grad_target, grad_row):
    """Backward through softmax and LeakyReLU, scalars only, over the transposed adjacency.

    Args:
        grad_target: (N, L), to be filled.
        grad_row: (P, L), to be filled.
    """
    edges, heads = len(row_target), len(beta)
    slices = num_slices(edges, len(inner), heads)
    parts = np.empty((slices, len(inner) * heads), inner.dtype)
    carried = np.zeros((slices, heads), inner.dtype)
    for piece in prange(slices):
        part = parts[piece]
        for k in range(len(part)):
            part[k] = 0
        begin, end = piece * edges // slices, (piece + 1) * edges // slices
        r = row_of(row_indptr, begin) if begin < end else 0
        e = begin
        while e < end:
            stop = min(end, row_indptr[r + 1])
            out = carried[piece] if row_indptr[r] < begin else grad_row[r]
            for head in range(heads):
                total = inner.dtype.type(0)
                for n in range(e, stop):
                    i = np.uint32(row_target[n])
                    grad = beta[head, n] * (grad_weight[n] - inner[i, head])
                    part[np.uint64(i) * np.uint64(heads) + np.uint64(head)] += grad
                    total += grad
                out[head] = total
            e, r = stop, r + 1
    for piece in range(slices):
        begin, end = piece * edges // slices, (piece + 1) * edges // slices
        r = row_of(row_indptr, begin) if begin < end else 0
        if begin < end and row_indptr[r] < begin:
            for head in range(heads):
                grad_row[r, head] += carried[piece, head]
    add_parts(parts, grad_target.reshape(len(inner) * heads))
