"""Numba implementations of the scoring operators for the CPU.

Both products are linear in each of their three rows. Hence all edges that have a node, the side it stands on and a
relation in common (a *run*) need one weighted sum of their other ends, `S = Σ g_e t_e`: the node's gradient takes
`w · S` of it, and the relation's `h · S`, each once a run. So backward gathers one row an end of an edge, which is the
least there is, and the relations' gradient costs no gather of its own.

No atomics, and the same bits with any number of threads: the sorted ends are cut in pieces whose number depends on the
input's size alone, wherever they fall, so that a hub is shared out too.
"""

from __future__ import annotations

import numpy as np
from numba import njit, prange

from relwise.kernels.vector import AHEAD, FAST, prefetch

PIECES = 64  # of the edges; many, so that a thread that is held up leaves less to wait for
FEWEST = 16  # the same where each piece needs a sum of its own for every relation
CHUNK = 256  # edges whose indices stand in scratch at a time: in the nearest cache


@njit(cache=True, fastmath=FAST)
def product_of_rows(h, w, t, paired):  # pragma: no cover (compiled)
    """Σ h w t; where `paired`, the real part of Σ h w conj(t) of rows that hold real parts, then imaginary parts."""
    total = w.dtype.type(0)
    if not paired:
        for k in range(len(w)):
            total += h[k] * w[k] * t[k]
        return total
    half = len(w) // 2
    a, b, c, d, x, y = h[:half], h[half:], w[:half], w[half:], t[:half], t[half:]
    for k in range(half):
        total += x[k] * (a[k] * c[k] - b[k] * d[k]) + y[k] * (a[k] * d[k] + b[k] * c[k])
    return total


@njit(cache=True)
def look_up(keys, size, out):  # pragma: no cover (compiled)
    """Copy keys to `out` in 32 bits; whether all are in 0..size - 1."""
    inside = True
    for e in range(len(keys)):
        inside &= np.uint64(keys[e]) < np.uint64(size)
        out[e] = keys[e]
    return inside


@njit(parallel=True, fastmath=FAST, cache=True)
def forward(nodes, relations, head, relation, tail, paired, out):  # pragma: no cover (compiled)
    """Fill `out` (n,) with the products; returns (nodes, relations): whether all their indices are in range."""
    fits = np.ones((2, PIECES), np.bool_)
    for piece in prange(PIECES):
        h, t = np.empty(CHUNK + AHEAD, np.uint32), np.empty(CHUNK + AHEAD, np.uint32)
        r = np.empty(CHUNK, np.uint32)
        begin, end = piece * len(head) // PIECES, (piece + 1) * len(head) // PIECES
        for first in range(begin, end, CHUNK):
            last = min(first + CHUNK, end)
            count = last - first
            fits[0, piece] &= look_up(head[first:last], len(nodes), h) & look_up(tail[first:last], len(nodes), t)
            fits[1, piece] &= look_up(relation[first:last], len(relations), r)
            if not (fits[0, piece] and fits[1, piece]):
                break
            h[count : count + AHEAD], t[count : count + AHEAD] = h[count - 1], t[count - 1]
            for n in range(count):
                out[first + n] = product_of_rows(nodes[h[n]], relations[r[n]], nodes[t[n]], paired)
    return fits[0].all(), fits[1].all()
