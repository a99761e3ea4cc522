"""Numba implementations of attention over edges that bear attributes (see `edge_attention.py`).

A target is one thread's, and so is a row in the transpose: no atomics, the same bits with any number of threads.
"""

from __future__ import annotations

import numpy as np
from numba import njit, prange

from relwise.kernels.compiling import INNER, PARALLEL
from relwise.kernels.cpu import exponentials
from relwise.kernels.products import row_product
from relwise.kernels.tile import multiply_add
from relwise.kernels.vector import balanced, exp_of_negative

BLOCKS = 128  # a constant, and many: threads that are held up leave less to wait for


@njit(**INNER)
def edge_logits(at_target, row_logit, edge_logit, row, slot, kept, slope, head, logit):
    """Write one head's logits of one target's edges, minus infinity where masked; returns their maximum."""
    zero, lowest = logit.dtype.type(0), logit.dtype.type(-np.inf)
    for e in range(len(row)):
        own = edge_logit[np.uint32(slot[e]), head] if slot[e] >= 0 else zero
        logit[e] = row_logit[np.uint32(row[e]), head] + own
    top = lowest
    for e in range(len(row)):
        value = at_target + logit[e]
        value = value if value > 0 else value * slope
        value = value if kept[e] else lowest
        logit[e] = value
        top = value if value > top else top
    return top if top > lowest else zero


@njit(**PARALLEL)
def forward(
    target_logit, row_logit, rows, edge_logit, edge_value, indptr, row, fact, keep, slot, slope, out, said, logsumexp
):
    heads, width, small = target_logit.shape[1], rows.shape[1], edge_value.shape[1]
    slope, share, none = out.dtype.type(slope), out.dtype.type(1 / heads), out.dtype.type(np.inf)
    blocks = balanced(indptr, BLOCKS)
    for block in prange(BLOCKS):
        longest = 0
        for i in range(blocks[block], blocks[block + 1]):
            longest = max(longest, indptr[i + 1] - indptr[i])
        alpha, weight, kept = np.empty(longest, out.dtype), np.empty(longest, out.dtype), np.empty(longest, np.bool_)
        for i in range(blocks[block], blocks[block + 1]):
            first, count = indptr[i], indptr[i + 1] - indptr[i]
            row_i, slot_i, fact_i = row[first : first + count], slot[first : first + count], fact[first : first + count]
            for e in range(count):
                kept[e] = keep[np.uint32(fact_i[e])]
                weight[e] = 0
            alpha_i = alpha[:count]
            for head in range(heads):
                top = edge_logits(
                    target_logit[i, head], row_logit, edge_logit, row_i, slot_i, kept, slope, head, alpha_i
                )
                total = exponentials(top, alpha_i)
                any_kept = total != 0
                logsumexp[i, head] = top + np.log(total) if any_kept else none
                scale = share / total if any_kept else total
                for e in range(count):
                    weight[e] = multiply_add(alpha_i[e], scale, weight[e])
            out_i, said_i = out[i], said[i]
            for k in range(width):
                out_i[k] = 0
            for k in range(small):
                said_i[k] = 0
            for e in range(count):
                w = weight[e]
                # Masked edges are left out, not multiplied by zero: a NaN there stays there.
                if w == 0:
                    continue
                says = rows[np.uint32(row_i[e])]
                for k in range(width):
                    out_i[k] = multiply_add(w, says[k], out_i[k])
                if slot_i[e] >= 0:
                    own = edge_value[np.uint32(slot_i[e])]
                    for k in range(small):
                        said_i[k] = multiply_add(w, own[k], said_i[k])


@njit(**PARALLEL)
def backward_by_target(
    grad_out, grad_said, target_logit, row_logit, rows, edge_logit, edge_value, logsumexp,
    indptr, row, fact, keep, slot, slope,
    grad_target, grad_edge_logit, grad_edge_value, weight, grad_logit,
):  # fmt: skip
    """All but the gradients by row; leaves ᾱ in `weight` (E,) and the logits' gradients in `grad_logit` (E, L)."""
    heads, small = target_logit.shape[1], edge_value.shape[1]
    slope, share = rows.dtype.type(slope), rows.dtype.type(1 / heads)
    zero, one = rows.dtype.type(0), rows.dtype.type(1)
    blocks = balanced(indptr, BLOCKS)
    for block in prange(BLOCKS):
        longest = 0
        for i in range(blocks[block], blocks[block + 1]):
            longest = max(longest, indptr[i + 1] - indptr[i])
        by_weight = np.empty(longest, rows.dtype)
        for i in range(blocks[block], blocks[block + 1]):
            first, last = indptr[i], indptr[i + 1]
            grad_i, grad_said_i = grad_out[i], grad_said[i]
            for e in range(first, last):
                weight[e] = 0
                if not keep[np.uint32(fact[e])]:
                    continue
                total = row_product(grad_i, rows[np.uint32(row[e])])
                if slot[e] >= 0:
                    total += row_product(grad_said_i, edge_value[np.uint32(slot[e])])
                by_weight[e - first] = total * share
            for head in range(heads):
                inner = zero
                for e in range(first, last):
                    grad_logit[e, head] = 0
                    if not keep[np.uint32(fact[e])]:
                        continue
                    logit = target_logit[i, head] + row_logit[np.uint32(row[e]), head]
                    logit += edge_logit[np.uint32(slot[e]), head] if slot[e] >= 0 else zero
                    below = one if logit > 0 else slope
                    alpha = exp_of_negative(multiply_add(logit, below, -logsumexp[i, head]))
                    weight[e] += alpha * share
                    inner += alpha * by_weight[e - first]
                    grad_logit[e, head] = alpha * below
                total = zero
                for e in range(first, last):
                    # Zero where masked: α is.
                    grad = grad_logit[e, head]
                    grad = grad * (by_weight[e - first] - inner) if grad != 0 else zero
                    grad_logit[e, head] = grad
                    total += grad
                    if slot[e] >= 0:
                        grad_edge_logit[np.uint32(slot[e]), head] = grad
                grad_target[i, head] = total
            for e in range(first, last):
                if slot[e] >= 0:
                    grad_value = grad_edge_value[np.uint32(slot[e])]
                    for k in range(small):
                        grad_value[k] = weight[e] * grad_said_i[k]


@njit(**PARALLEL)
def backward_by_row(grad_out, row_indptr, row_target, by_row, weight, grad_logit, grad_row, grad_rows):
    """The gradients by row: sums over the transpose, each row one thread's."""
    blocks = balanced(row_indptr, BLOCKS)
    for block in prange(BLOCKS):
        for r in range(blocks[block], blocks[block + 1]):
            grad, logit = grad_rows[r], grad_row[r]
            for n in range(row_indptr[r], row_indptr[r + 1]):
                e, i = np.uint32(by_row[n]), np.uint32(row_target[n])
                w, above, one = weight[e], grad_out[i], grad_logit[e]
                for head in range(len(logit)):
                    logit[head] += one[head]
                if w != 0:
                    for k in range(len(grad)):
                        grad[k] = multiply_add(w, above[k], grad[k])
