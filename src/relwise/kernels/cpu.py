"""Numba implementations of the attention operator for the CPU.

Every target (and, in the backward pass, every row) is written by one thread alone and summed in a fixed order:
no atomics, and the same result with any number of threads. Work is divided into blocks of about equal numbers of
edges, so that nodes of high degree do not leave a core idle.
"""

from __future__ import annotations

import numpy as np
from numba import get_num_threads, njit, prange

# Without "nnan" and "ninf": a NaN in the input must come out as NaN.
FAST = {"reassoc", "contract", "nsz", "arcp"}
BLOCKS_PER_THREAD = 8


def equal_blocks(indptr: np.ndarray) -> np.ndarray:
    """Boundaries that divide the ranges of `indptr` into blocks of about equal size."""
    count = BLOCKS_PER_THREAD * get_num_threads()
    # A node costs something even without edges: weigh it as one.
    weight = indptr.astype(np.int64) + np.arange(len(indptr))
    bounds = np.searchsorted(weight, np.linspace(0, weight[-1], count + 1))
    bounds[0], bounds[-1] = 0, len(indptr) - 1
    return bounds


@njit(parallel=True, fastmath=FAST, cache=True)
def attend(target_logit, row_logit, rows, indptr, row, keep, slope, blocks, out, alpha):
    """Softmax over each target's kept edges, and the weighted sum of their rows. Fills `out` and `alpha`."""
    heads, width = target_logit.shape[1], rows.shape[1]
    # Every constant in the arrays' own precision: one float64 would make the inner loops half as wide.
    lowest, zero = out.dtype.type(-np.inf), out.dtype.type(0)
    slope, share = out.dtype.type(slope), out.dtype.type(1 / heads)
    for block in prange(len(blocks) - 1):
        for i in range(blocks[block], blocks[block + 1]):
            first, last = indptr[i], indptr[i + 1]
            for k in range(width):
                out[i, k] = 0
            for head in range(heads):
                top = lowest
                for e in range(first, last):
                    if keep[e]:
                        logit = target_logit[i, head] + row_logit[row[e], head]
                        if logit < 0:
                            logit *= slope
                        alpha[e, head] = logit
                        # Written so that a NaN becomes the top, and spoils the softmax as it should.
                        if not logit <= top:
                            top = logit
                total = zero
                for e in range(first, last):
                    if keep[e]:
                        weight = np.exp(alpha[e, head] - top)
                        alpha[e, head] = weight
                        total += weight
                for e in range(first, last):
                    if keep[e]:
                        alpha[e, head] /= total
                    else:
                        alpha[e, head] = 0
            for e in range(first, last):
                if keep[e]:
                    weight = alpha[e, 0]
                    for head in range(1, heads):
                        weight += alpha[e, head]
                    weight *= share
                    r = row[e]
                    for k in range(width):
                        out[i, k] += weight * rows[r, k]


@njit(parallel=True, fastmath=FAST, cache=True)
def rows_backward(grad_out, rows, alpha, row_indptr, row_target, row_position, blocks, grad_rows, grad_weight):
    """One pass over the transposed adjacency: the gradient of the rows and of the edges' weights together."""
    heads, width = alpha.shape[1], rows.shape[1]
    share = rows.dtype.type(1 / heads)
    for block in prange(len(blocks) - 1):
        for r in range(blocks[block], blocks[block + 1]):
            for k in range(width):
                grad_rows[r, k] = 0
            for e in range(row_indptr[r], row_indptr[r + 1]):
                position, i = row_position[e], row_target[e]
                weight = alpha[position, 0]
                for head in range(1, heads):
                    weight += alpha[position, head]
                weight *= share
                dot = grad_out[i, 0] * rows[r, 0]
                grad_rows[r, 0] += weight * grad_out[i, 0]
                for k in range(1, width):
                    grad_rows[r, k] += weight * grad_out[i, k]
                    dot += grad_out[i, k] * rows[r, k]
                grad_weight[position] = dot * share


@njit(parallel=True, fastmath=FAST, cache=True)
def logits_backward(target_logit, row_logit, alpha, grad_weight, indptr, row, slope, blocks, grad_target, grad_logit):
    """Backward through softmax and LeakyReLU: scalars only. Fills `grad_target` and each edge's `grad_logit`."""
    heads = alpha.shape[1]
    slope = alpha.dtype.type(slope)
    for block in prange(len(blocks) - 1):
        for i in range(blocks[block], blocks[block + 1]):
            for head in range(heads):
                grad_target[i, head] = 0
                for e in range(indptr[i], indptr[i + 1]):
                    grad_target[i, head] += alpha[e, head] * grad_weight[e]
                inner = grad_target[i, head]
                grad_target[i, head] = 0
                for e in range(indptr[i], indptr[i + 1]):
                    grad = alpha[e, head] * (grad_weight[e] - inner)
                    if target_logit[i, head] + row_logit[row[e], head] <= 0:
                        grad *= slope
                    grad_logit[e, head] = grad
                    grad_target[i, head] += grad


@njit(parallel=True, fastmath=FAST, cache=True)
def sum_by_row(grad_logit, row_indptr, row_position, blocks, grad_row):
    """(P, L) the sum of the edges' logit gradients over each row's edges."""
    heads = grad_logit.shape[1]
    for block in prange(len(blocks) - 1):
        for r in range(blocks[block], blocks[block + 1]):
            for head in range(heads):
                grad_row[r, head] = 0
            for e in range(row_indptr[r], row_indptr[r + 1]):
                for head in range(heads):
                    grad_row[r, head] += grad_logit[row_position[e], head]
