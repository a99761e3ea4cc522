"""Attention into targets with so many edges that one core would work at them while the others wait.

Their edges are cut into pieces of `HUB`, which any thread may take; what the pieces find is put together in their
order. The backward pass needs nothing of the kind: its slices cut rows wherever they please.
"""

from __future__ import annotations

import numpy as np
from numba import njit, prange

from relwise.kernels.attention_forward import (
    activate,
    end_index,
    gather,
    kept_only,
    sum_pieces,
)
from relwise.kernels.compiling import INNER, OUTER, PARALLEL
from relwise.kernels.cpu import HUB
from relwise.kernels.lanes import ROOM, add_scaled
from relwise.kernels.softmax import exponentials_of, highest_of
from relwise.kernels.vector import AHEAD, add_to


@njit(**OUTER)
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


@njit(**INNER)
def piece_attention(piece, target_logit, row_logit, row, fact, keep, slope, tops, totals, sloped):
    """The maximum of each head's logits in a piece, and what `exponentials_of` finds above it."""
    i, first, last = piece[0], piece[1], piece[2]
    scratch, index = np.empty((2, last - first + ROOM), tops.dtype), np.empty(last - first + AHEAD, np.uint32)
    logit, alpha = scratch[0], scratch[1]
    count = kept_only(row, fact, keep, first, last, index, np.int64(0))
    for head in range(len(tops)):
        gather(row_logit, head, index, count, logit)
        own = target_logit[i, head]
        tops[head] = highest_of(logit, np.int64(0), count, own, slope)
        totals[head], sloped[head] = exponentials_of(logit, np.int64(0), count, own, slope, tops[head], alpha)


@njit(**INNER)
def piece_sum(piece, target_logit, row_logit, rows, row, fact, keep, slope, logsumexp, out):
    """out = what a piece adds to its target's weighted sum."""
    i, first, last = piece[0], piece[1], piece[2]
    scratch, index = np.empty((3, last - first + ROOM), out.dtype), np.empty(last - first + AHEAD, np.uint32)
    logit, alpha, weight = scratch[0], scratch[1], scratch[2]
    count, heads = kept_only(row, fact, keep, first, last, index, np.int64(0)), target_logit.shape[1]
    end_index(index, count)
    for head in range(heads):
        gather(row_logit, head, index, count, logit)
        exponentials_of(logit, np.int64(0), count, target_logit[i, head], slope, logsumexp[i, head], alpha)
        add_scaled(alpha, 0, count, out.dtype.type(1 / heads), head == 0, weight)
    sum_pieces(rows, index, weight, np.int64(0), count, np.empty(len(out), out.dtype), out)


@njit(**PARALLEL)
def attend_hubs(pieces, target_logit, row_logit, rows, row, fact, keep, slope, add, out, logsumexp, slopes):
    """What `attention_forward.attend` does, for the targets that it left out."""
    heads, width, count = target_logit.shape[1], rows.shape[1], len(pieces)
    slope, none, zero = out.dtype.type(slope), out.dtype.type(np.inf), out.dtype.type(0)
    tops, totals = np.empty((count, heads), out.dtype), np.empty((count, heads), out.dtype)
    sloped = np.empty((count, heads), out.dtype)
    sums = np.empty((count, width), out.dtype)
    for piece in prange(count):
        piece_attention(
            pieces[piece], target_logit, row_logit, row, fact, keep, slope, tops[piece], totals[piece], sloped[piece]
        )  # fmt: skip

    for head in range(heads):
        begin = 0
        for piece in range(count):
            i = pieces[piece, 0]
            if piece + 1 < count and pieces[piece + 1, 0] == i:
                continue
            top, total, below = tops[begin, head], zero, zero
            for part in range(begin + 1, piece + 1):
                top = max(top, tops[part, head])
            for part in range(begin, piece + 1):
                scale = np.exp(tops[part, head] - top)
                total, below = total + totals[part, head] * scale, below + sloped[part, head] * scale
            logsumexp[i, head] = top + np.log(total) if total != 0 else none
            slopes[i, head] = below / total if total != 0 else zero
            begin = piece + 1

    for piece in prange(count):
        piece_sum(pieces[piece], target_logit, row_logit, rows, row, fact, keep, slope, logsumexp, sums[piece])

    first = 0
    for piece in range(count):
        i = pieces[piece, 0]
        if piece and pieces[piece - 1, 0] != i:
            first = piece
        if piece > first:
            add_to(sums[first], sums[piece])
        if piece + 1 == count or pieces[piece + 1, 0] != i:
            if add:
                activate(sums[first], slope, out[i])
            else:
                for k in range(width):
                    out[i, k] = sums[first, k]
