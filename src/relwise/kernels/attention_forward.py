"""Numba implementation of the attention operator's forward pass on the CPU.

By target: no atomics, and the same bits with any number of threads. What masked edges carry is never read. The edges
of a few targets at a time are laid out one after the other, without the masked ones, so that look-ups are long loops
and the next target's rows are asked for while this one's are summed. Targets with more than `HUB` edges are left to
`kernels/hubs.py`.
"""

from __future__ import annotations

import numpy as np
from numba import njit, prange

from relwise.kernels.compiling import INNER, OUTER, PARALLEL
from relwise.kernels.cpu import BLOCKS, CHUNK, HUB
from relwise.kernels.lanes import ROOM
from relwise.kernels.row_sums import add_rows, sum_rows
from relwise.kernels.softmax import weigh_targets
from relwise.kernels.vector import AHEAD, balanced

BATCH = 1024  # edges laid out at a time, or those of one target: in the nearest cache


@njit(**OUTER)
def longest(indptr, begin, end):
    """The most edges that a target of begin:end has, up to `HUB`."""
    most = 0
    for i in range(begin, end):
        degree = indptr[i + 1] - indptr[i]
        if most < degree <= HUB:
            most = degree
    return most


@njit(**INNER)
def kept_only(node, fact, keep, begin, stop, index, at):
    """Write `node` of the kept edges begin:stop to `index` from `at` on; returns where they end.

    Without any `keep` all are: there is nothing to look up.
    """
    if len(keep) == 0:
        for n in range(stop - begin):
            index[np.uint32(at + n)] = node[np.uint32(begin + n)]
        return at + stop - begin
    for e in range(begin, stop):
        # Unsigned, here and below: a signed index is first asked whether it counts from the end.
        index[np.uint32(at)] = node[e]
        at += keep[np.uint32(fact[e])]
    return at


@njit(**INNER)
def end_index(index, at):
    """Repeat the last of `index` where it is asked for ahead."""
    last = index[at - 1] if at else index.dtype.type(0)
    for n in range(at, at + AHEAD):
        index[n] = last


@njit(**INNER)
def lay_out(indptr, row, fact, keep, first, end, most, index, stops):
    """Write the rows of the kept edges of targets first, first + 1, ... to `index`, and to `stops` where each's end.

    Returns the first target that found no room.
    """
    i, at, edges = first, np.int64(0), 0
    while i < end and i - first < len(stops):
        begin, stop = indptr[i], indptr[i + 1]
        if stop - begin <= HUB:
            edges += stop - begin
            if edges > most:
                break
            at = kept_only(row, fact, keep, begin, stop, index, at)
        stops[i - first] = at
        i += 1
    end_index(index, at)
    return i


@njit(**INNER)
def stand_together(indptr, first, end, most, stops):
    """`lay_out` where nothing is masked: the rows stand in `row` from `indptr[first]` on. Ends before a hub."""
    i, begin = first, np.int64(indptr[first])
    while i < end and i - first < len(stops):
        stop = np.int64(indptr[i + 1])
        if stop - indptr[i] > HUB or stop - begin > most:
            break
        stops[i - first] = stop - begin
        i += 1
    return i


@njit(**OUTER)
def gather(table, head, index, count, out):
    """out[n] = table[index[n], head]."""
    for n in range(count):
        out[n] = table[index[n], np.uint32(head)]


@njit(**INNER)
def sum_pieces(rows, index, weight, start, stop, line, out):
    """out = Σ weight[n] rows[index[n]] over start:stop.

    Each `CHUNK` by itself, here and above, or float32 would lose digits over thousands of edges.
    """
    for k in range(len(out)):
        out[k] = 0
    for piece in range(start, stop, CHUNK):
        sum_rows(rows, index, weight, piece, min(CHUNK, stop - piece), line, 0)
        for k in range(len(out)):
            out[k] += line[k]


@njit(**INNER)
def activate(found, slope, out):
    """out = LeakyReLU(out + found)."""
    for k in range(len(out)):
        value = out[k] + found[k]
        out[k] = value if value > 0 else value * slope


@njit(**INNER)
def sum_long(rows, index, weight, start, stop, slope, add, lines, out, target):
    """The sum of a target with more than `CHUNK` edges."""
    if add:
        sum_pieces(rows, index, weight, start, stop, lines[0], lines[1])
        activate(lines[1], slope, out[target])
    else:
        sum_pieces(rows, index, weight, start, stop, lines[0], out[target])


@njit(**INNER)
def sum_targets(rows, index, weight, indptr, first, last, stops, slope, add, lines, out):
    """The weighted sums of targets first:last, by what `weigh_targets` found; added to `out` and activated if `add`."""
    width, start, numbers = rows.shape[1], np.int64(0), out.reshape(out.size)
    for target in range(first, last):
        stop, at = np.int64(stops[target - first]), target * width
        if add and indptr[target + 1] - indptr[target] > HUB:
            continue  # of which nothing is laid out
        if stop - start > CHUNK:
            sum_long(rows, index, weight, start, stop, slope, add, lines, out, target)
        elif add:
            add_rows(rows, index, weight, start, stop - start, numbers, at, slope)
        else:
            sum_rows(rows, index, weight, start, stop - start, numbers, at)
        start = stop


@njit(**INNER)
def attend_targets(target_logit, row_logit, rows, indptr, row, fact, keep, slope, add, i, end, out, logsumexp, slopes):
    """`attend`, of the targets i:end."""
    heads, most = target_logit.shape[1], max(BATCH, longest(indptr, i, end))
    index, stops = np.empty(most + AHEAD, np.uint32), np.empty(BATCH, np.int64)
    logits, scratch = np.empty((heads, most + ROOM), out.dtype), np.empty((2, most + ROOM), out.dtype)
    alpha, weight, lines = scratch[0], scratch[1], np.empty((2, rows.shape[1]), out.dtype)
    found = np.empty((3, BATCH * heads), out.dtype)
    in_place = len(keep) == 0 and indptr[end] + AHEAD <= len(row)
    while i < end:
        first = i
        if in_place:
            i = stand_together(indptr, first, end, most, stops)
            if i == first:
                i += 1  # a hub
                continue
            index = row[indptr[first] :]
        else:
            i = lay_out(indptr, row, fact, keep, first, end, most, index, stops)
        for head in range(heads):
            gather(row_logit, head, index, stops[i - first - 1], logits[head])
        weigh_targets(target_logit, logits, slope, first, i, stops, alpha, weight, found, logsumexp, slopes)
        sum_targets(rows, index, weight, indptr, first, i, stops, slope, add, lines, out)


@njit(**PARALLEL)
def attend(target_logit, row_logit, rows, indptr, row, fact, keep, slope, add, out, logsumexp, slopes):
    """Softmax over each target's kept edges, and the weighted sum of their rows; targets beyond `HUB` are left out.

    Args:
        add: whether the sum is added to what stands in `out`, and LeakyReLU taken of both.
        out: (N, d), to be filled.
        logsumexp: (N, L), to be filled: α = e^(logit - logsumexp); infinite where no edge is kept.
        slopes: (N, L), to be filled: Σ β of each target, α times LeakyReLU's slope there, which backward needs.
    """
    slope = out.dtype.type(slope)
    blocks = balanced(indptr, BLOCKS)
    for block in prange(BLOCKS):
        i, end = blocks[block], blocks[block + 1]
        attend_targets(
            target_logit, row_logit, rows, indptr, row, fact, keep, slope, add, i, end, out, logsumexp, slopes
        )  # fmt: skip
