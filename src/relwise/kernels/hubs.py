"""Attention into targets with so many edges that one core would work at them while the others wait.

Their edges are cut into pieces of `HUB`, which any thread may take; what the pieces find is put together in their
order. The backward pass needs nothing of the kind: its slices cut rows wherever they please.
"""

from __future__ import annotations

import numpy as np
from numba import njit, prange

from relwise.kernels.cpu import CHUNK, HUB, add_weights, edge_logits, exponentials, look_up, weighted_sum
from relwise.kernels.vector import AHEAD, FAST


@njit(cache=True)
def hub_pieces(indptr):
    """(m, 3) target, first and last edge of each piece of the targets with more than `HUB` edges."""
    count = 0
    for i in range(len(indptr) - 1):
        degree = indptr[i + 1] - indptr[i]
        if degree > HUB:
            count += -(-degree // HUB)
    pieces = np.empty((count, 3), np.int64)
    at = 0
    for i in range(len(indptr) - 1):
        if indptr[i + 1] - indptr[i] > HUB:
            for first in range(indptr[i], indptr[i + 1], HUB):
                pieces[at, 0], pieces[at, 1], pieces[at, 2] = i, first, min(first + HUB, indptr[i + 1])
                at += 1
    return pieces


@njit(parallel=True, fastmath=FAST, cache=True)
def attend_hubs(pieces, target_logit, row_logit, rows, row, fact, keep, slope, out, logsumexp):
    """What `cpu.attend` does, for the targets that it left out."""
    heads, none, zero = target_logit.shape[1], out.dtype.type(np.inf), out.dtype.type(0)
    slope, share = out.dtype.type(slope), out.dtype.type(1 / heads)
    tops, totals = np.empty((len(pieces), heads), out.dtype), np.empty((len(pieces), heads), out.dtype)
    sums = np.empty((len(pieces), rows.shape[1]), out.dtype)
    for piece in prange(len(pieces)):
        i, first, last = pieces[piece]
        alpha, kept = np.empty(last - first, out.dtype), np.empty(last - first, np.bool_)
        look_up(keep, fact[first:last], kept)
        for head in range(heads):
            at_target = target_logit[i, head]
            tops[piece, head] = edge_logits(at_target, row_logit[:, head], row[first:last], kept, slope, alpha)
            totals[piece, head] = exponentials(tops[piece, head], alpha)

    for head in range(heads):
        begin = 0
        for piece in range(len(pieces)):
            i = pieces[piece, 0]
            if piece + 1 < len(pieces) and pieces[piece + 1, 0] == i:
                continue
            top, total = tops[begin, head], zero
            for part in range(begin + 1, piece + 1):
                top = max(top, tops[part, head])
            for part in range(begin, piece + 1):
                total += totals[part, head] * np.exp(tops[part, head] - top)
            logsumexp[i, head] = top + np.log(total) if total != 0 else none
            begin = piece + 1

    for piece in prange(len(pieces)):
        i, first, last = pieces[piece]
        alpha, kept = np.empty(last - first, out.dtype), np.empty(last - first, np.bool_)
        weight = np.zeros(last - first, out.dtype)
        index, value = np.empty(CHUNK + AHEAD, np.uint32), np.empty(CHUNK, out.dtype)
        look_up(keep, fact[first:last], kept)
        for head in range(heads):
            edge_logits(target_logit[i, head], row_logit[:, head], row[first:last], kept, slope, alpha)
            exponentials(logsumexp[i, head], alpha)
            add_weights(share, alpha, weight, False)
        weighted_sum(rows, row[first:last], weight, index, value, np.empty_like(sums[piece]), sums[piece])

    for piece in range(len(pieces)):
        out[pieces[piece, 0]] = 0
    for piece in range(len(pieces)):
        out[pieces[piece, 0]] += sums[piece]
