"""Numba implementations of the scoring operators for the CPU.

Both products are linear in each of their three rows. Hence all edges that have a node, a relation and, where it
matters, the node's side in common (a *run*) need one weighted sum of their other ends, `S = Σ g_e t_e`: the node's
gradient takes `w · S` of it, and the relation's `h · S`, each once a run. So backward gathers one row an end of an
edge, which is the least there is, and the relations' gradient costs no gather of its own. Each run's end is a jump that
the processor guesses wrong: where relations are few, ends are sorted by them too, so that runs are long.

No atomics, and the same bits with any number of threads: the sorted ends are cut in pieces whose number depends on the
input's size alone, wherever they fall, so that a hub is shared out too.
"""

from __future__ import annotations

import numpy as np
from numba import njit, prange

from relwise.kernels.compiling import INNER, PARALLEL
from relwise.kernels.rows import complex_rows, triple_rows
from relwise.kernels.runs import add_complex_run, add_run
from relwise.kernels.vector import AHEAD, prefetch

PIECES = 64  # of the edges; many, so that a thread that is held up leaves less to wait for
FEWEST = 16  # the same where each piece has a sum of its own for every relation
SMALLEST = 512  # edges of a piece, for which beginning one is worth while
CHUNK = 256  # entries whose indices stand in scratch at a time: in the nearest cache


def divide(edges: int, relations: int) -> tuple[int, bool]:
    """How many pieces the edges are cut in, and whether each sums the relations' gradient by itself.

    Those sums are at most an eighth of a row an edge; where relations are more than that, their gradient is a second
    pass over the edges, sorted by relation.

    >>> divide(76_000, 2), divide(76_000, 237), divide(76_000, 3_000), divide(1, 1)
    ((64, True), (20, True), (64, False), (1, False))
    """
    pieces = max(1, min(PIECES, edges // SMALLEST))
    fewer = min(pieces, max(FEWEST, edges // (16 * max(relations, 1))))
    return (fewer, True) if 8 * fewer * relations <= edges else (pieces, False)


@njit(**INNER)
def look_up(keys, size, out):  # pragma: no cover (compiled)
    """Copy keys to `out` in 32 bits; whether all are in 0..size - 1."""
    inside = True
    for e in range(len(keys)):
        inside &= np.uint64(keys[e]) < np.uint64(size)
        out[e] = keys[e]
    return inside


@njit(**PARALLEL)
def forward(nodes, relations, head, relation, tail, paired, pieces, out):  # pragma: no cover (compiled)
    """Fill `out` (n,) with the products; returns (nodes, relations): whether all their indices are in range."""
    fits = np.ones((2, pieces), np.bool_)
    for piece in prange(pieces):
        h, r, t = np.empty(CHUNK, np.uint32), np.empty(CHUNK, np.uint32), np.empty(CHUNK, np.uint32)
        begin, end = piece * len(head) // pieces, (piece + 1) * len(head) // pieces
        for first in range(begin, end, CHUNK):
            last = min(first + CHUNK, end)
            count = last - first
            fits[0, piece] &= look_up(head[first:last], len(nodes), h) & look_up(tail[first:last], len(nodes), t)
            fits[1, piece] &= look_up(relation[first:last], len(relations), r)
            if not (fits[0, piece] and fits[1, piece]):
                break
            for n in range(count):
                edge = nodes, np.uint64(h[n]), relations, np.uint64(r[n]), np.uint64(t[n])
                out[first + n] = complex_rows(*edge) if paired else triple_rows(*edge)
    return fits[0].all(), fits[1].all()


@njit(**INNER)
def cut(indptr, position):  # pragma: no cover (compiled)
    """Where the work is cut at `position`, if opening a row is one piece of work, and each of its entries is another.

    Returns:
        The row, the entry, and whether the row is already open there.
    """
    low, high = np.int64(0), np.int64(len(indptr) - 1)
    while low < high:  # the first row that ends behind the cut
        middle = (low + high) // 2
        if np.int64(indptr[middle + 1]) + middle + 1 <= position:
            low = middle + 1
        else:
            high = middle
    behind = position - np.int64(indptr[low]) - low
    return low, np.int64(indptr[low]) + max(behind - 1, 0), behind > 0


@njit(**PARALLEL)
def join(head, relation, tail, more_heads, more_relations, more_tails, size, relations, by):  # pragma: no cover
    """Edges in 32 bits; with more edges, as many, each of these behind one of the first.

    What replaces an end of an edge stands next to it then, and sorted by their ends both are in one run.

    Returns:
        other: (2 n,) int32, the tails, then the heads.
        kinds: (n,) int32, the relations.
        keys: (2 n,) int32, what the heads, then the tails are sorted by: node · by + relation; without the relation
            where `by` is 1.
        fits: (2,) bool, whether all nodes are in 0..size - 1 and all relations in 0..relations - 1.
    """
    n = len(head) + len(more_heads)
    step = 2 if len(more_heads) else 1
    other, kinds, keys = np.empty(2 * n, np.int32), np.empty(n, np.int32), np.empty(2 * n, np.int32)
    fits, told = np.ones((2, PIECES), np.bool_), by > 1
    for piece in prange(PIECES):
        inside, known = True, True
        for e in range(piece * len(head) // PIECES, (piece + 1) * len(head) // PIECES):
            for which in range(step):
                if which == 0:
                    h, r, t = head[e], relation[e], tail[e]
                else:
                    h, r, t = more_heads[e], more_relations[e], more_tails[e]
                inside &= (np.uint64(h) < np.uint64(size)) & (np.uint64(t) < np.uint64(size))
                known &= np.uint64(r) < np.uint64(relations)
                at = step * e + which
                other[at], other[n + at], kinds[at] = t, h, r
                keys[at], keys[n + at] = h * by + (r if told else 0), t * by + (r if told else 0)
        fits[0, piece], fits[1, piece] = inside, known
    return other, kinds, keys, (fits[0].all(), fits[1].all())


@njit(**PARALLEL)
def backward(
    grad, nodes, factors, factor, other, indptr, order, paired, pieces, out, parts
):  # fmt: skip  # pragma: no cover (compiled)
    """Fill `out` with Σ g · factor · (other end) over each of its rows' entries; of complex numbers see `add_run`.

    For the nodes' gradient the factors are the relations, and the entries are the ends sorted by node; for that of the
    relations the factors are the heads' states, and the entries are the edges sorted by relation.

    Args:
        grad: (n,).
        nodes, factors: (N, d), (R, d).
        factor: (n,) rows of `factors`.
        other: (2 n,) int32, the other end of the n edges' heads, then of their tails; or (n,), of their heads alone.
        indptr, order: the entries of each row of `out` (`sort_by_key`): entry e is edge e's head, n + e its tail. What
            has a factor in common is best together.
        paired: whether numbers are complex.
        pieces: in how many the work is cut.
        out: (N, d) or (R, d), to be filled.
        parts: (pieces, R, d), to be filled with what each piece adds to the factors' own gradient: where numbers are
            not complex, of heads and tails alike, to twice the gradient; or (pieces, 0, d).
    """
    edges, work = len(grad), np.int64(len(order)) + len(out)
    width = out.shape[1]
    carried, owner = np.empty((pieces, width), out.dtype), np.empty(pieces, np.int64)
    for piece in prange(pieces):
        row, entry, is_open = cut(indptr, np.int64(piece) * work // pieces)
        last_row, last_entry, last_is_open = cut(indptr, np.int64(piece + 1) * work // pieces)
        owner[piece] = row if is_open else -1
        index, value = np.zeros(CHUNK + AHEAD, np.uint32), np.empty(CHUNK, out.dtype)
        code, line = np.empty(CHUNK, np.uint32), np.empty((1, width), out.dtype)
        part = parts[piece]
        for r in range(len(part)):
            for k in range(width):
                part[r, k] = 0
        first, stop = entry, entry  # what stands in scratch
        for i in range(row, last_row + last_is_open):
            for k in range(width):
                line[0, k] = 0
            end = last_entry if i == last_row else np.int64(indptr[i + 1])
            while entry < end:
                if entry == stop:
                    first, stop = entry, min(entry + CHUNK, last_entry)
                    for n in range(stop - first):
                        at = np.uint32(order[first + n])
                        is_tail = at >= edges
                        e = at - np.uint32(edges) if is_tail else at
                        index[n] = other[at]
                        value[n] = grad[e]
                        code[n] = 2 * factor[e] + (is_tail if paired else 0)
                    for n in range(stop - first, min(stop + AHEAD, last_entry) - first):
                        index[n] = other[np.uint32(order[first + n])]  # asked for ahead
                n = begin = entry - first
                limit = min(end, stop) - first
                while n < limit and code[n] == code[begin]:
                    prefetch(nodes, index[n + AHEAD])
                    n += 1
                run = nodes, index, value, begin, n, factors, np.uint64(code[begin] >> 1), np.uint64(i)
                if paired:
                    add_complex_run(*run, code[begin] & 1 == 1, line, part)
                else:
                    add_run(*run, code[begin] & 1 == 1, line, part)
                entry = first + n
            # A row that an earlier piece has opened is that piece's; what this one adds waits in `carried`.
            if is_open and i == row:
                for k in range(width):
                    carried[piece, k] = line[0, k]
            else:
                for k in range(width):
                    out[i, k] = line[0, k]
    for piece in range(pieces):
        if owner[piece] >= 0:
            for k in range(width):
                out[owner[piece], k] += carried[piece, k]


@njit(**PARALLEL)
def merge(parts, share, out):  # pragma: no cover (compiled)
    """out = share · Σ parts, in their order."""
    for r in prange(len(out)):
        for k in range(out.shape[1]):
            out[r, k] = 0
        for piece in range(len(parts)):
            for k in range(out.shape[1]):
                out[r, k] += parts[piece, r, k]
        for k in range(out.shape[1]):
            out[r, k] *= share
