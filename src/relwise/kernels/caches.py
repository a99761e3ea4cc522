"""Caches of negatives on the CPU: N1 nodes for each row of known partners, refreshed in one pass over 2 N1 or more.

A row is what all edges of one relation, end and anchor have in common. Every draw is a function of (seed, row, number
of the draw) or (seed, edge) alone: the same result with any number of threads.
"""

from __future__ import annotations

import numpy as np
from numba import njit, prange

from relwise.kernels.compiling import OUTER, PARALLEL
from relwise.kernels.known import is_partner
from relwise.kernels.mixing import mix
from relwise.kernels.pool import DRAWS, PARTS, draw, look_up, redraw
from relwise.kernels.products import row_products

# Draws of different kinds must not be the same function of the seed.
FILL, TAKE, REFRESH, KEEP = 1, 2, 3, 4


@njit(**OUTER)
def sub_seed(seed, kind):
    """The seed for one kind of draw."""
    return mix(np.uint64(seed) + np.uint64(kind))


@njit(**OUTER)
def distinct_rows(edges, index, open_, end, seen):
    """The first edge of `index` in each row that is not `seen` yet, where `end` is open; marks them as seen."""
    found, count = np.empty(len(index), np.int64), 0
    for e in index:
        row = edges.rows[end, e]
        if open_[end, e] and not seen[row]:
            seen[row] = True
            found[count] = e
            count += 1
    return found[:count].copy()


@njit(**OUTER)
def _unknown(seed, row, slot, place, partners):
    """A node, drawn uniformly, that makes an unknown edge, and how many proposals were refused on the way."""
    node = draw(seed, row, slot * DRAWS, place[1], place[2])
    if node == place[0] or is_partner(partners, place[3], place[4], node):
        return redraw(seed, row, slot, node, place, partners)
    return node, 0


@njit(**PARALLEL)
def fill(seed, edges, which, end, cache, refused):
    """Draw the caches of rows that have none yet (-1).

    Args:
        which: (m,) an edge of each row.
        end: which of its ends is replaced.
        cache: (rows, N1) int32.
        refused: (m,) filled with the refusals; -1 where the row had a cache.
    """
    seed = sub_seed(seed, FILL)
    for i in prange(len(which)):
        row, place = edges.rows[end, which[i]], look_up(edges, which[i], end)
        refused[i] = -1
        if cache[row, 0] < 0:
            refused[i] = 0
            for slot in range(cache.shape[1]):
                cache[row, slot], count = _unknown(seed, row, slot, place, edges.partners)
                refused[i] += count


@njit(**OUTER)
def take(seed, edges, index, replaced, cache, chosen):
    """Fill `chosen` (n,) with a node of each edge's cache, drawn uniformly."""
    seed = sub_seed(seed, TAKE)
    for i in range(len(index)):
        chosen[i] = cache[edges.rows[replaced[i], index[i]], draw(seed, i, 0, 0, cache.shape[1])]


@njit(**PARALLEL)
def refresh(seed, edges, which, end, query, nodes, extra, cache, refused):
    """Join `extra` new nodes to each cache and keep N1 of all, drawn without replacement in proportion to e^score.

    By the Gumbel trick: the N1 highest of score - log(-log(u)), u uniform.

    Args:
        which: (m,) an edge of each row; no row twice.
        end: which of its ends is replaced.
        query: (m, d) of these edges.
        nodes: (N, d) node states.
        extra: N2.
        cache: (rows, N1) int32, filled.
        refused: (m,) filled with how many proposals were refused.
    """
    kept, size = cache.shape[1], cache.shape[1] + extra
    drawing, keeping = sub_seed(seed, REFRESH), sub_seed(seed, KEEP)
    for part in prange(PARTS):
        candidates, scores, keys = np.empty(size, np.int32), np.empty(size, nodes.dtype), np.empty(size, np.float64)
        for i in range(len(which) * part // PARTS, len(which) * (part + 1) // PARTS):
            row, place = edges.rows[end, which[i]], look_up(edges, which[i], end)
            refused[i] = 0
            for slot in range(kept):
                candidates[slot] = cache[row, slot]
            for slot in range(extra):
                candidates[kept + slot], count = _unknown(drawing, row, slot, place, edges.partners)
                refused[i] += count
            row_products(query[i], nodes, candidates, scores)
            for slot in range(size):
                keys[slot] = np.float64(scores[slot]) - np.log(-np.log(uniform(keeping, row, slot)))
            _keep_highest(candidates, keys, cache[row])


@njit(**OUTER)
def uniform(seed, row, slot):
    """Uniform on the open interval from 0 to 1, in steps of 2^-32."""
    return (draw(seed, row, slot, 0, 1 << 32) + 0.5) / 4294967296.0


@njit(**OUTER)
def _keep_highest(candidates, keys, out):
    """Fill `out` with the candidates of the highest keys, in their order; of equal keys the first."""
    least = np.partition(keys, len(keys) - len(out))[len(keys) - len(out)]
    room = len(out)
    for key in keys:
        if key > least:
            room -= 1
    place = 0
    for slot in range(len(keys)):
        if keys[slot] > least or (keys[slot] == least and room > 0):
            if keys[slot] == least:
                room -= 1
            out[place] = candidates[slot]
            place += 1
