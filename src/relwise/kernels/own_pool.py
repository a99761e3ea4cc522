"""Negatives on the CPU where each edge has a pool of its own: see `relwise.kernels.pool`.

An edge's steps wait for one another, and the last ends in a jump nobody can foresee. So each step is taken for a few
edges together: what is waited for on one edge's account is waited for beside the next one's.
"""

from __future__ import annotations

import numpy as np
from numba import njit, prange

from relwise.kernels.compiling import INNER, PARALLEL
from relwise.kernels.known import LONG, match_sixteen, search_sixteen
from relwise.kernels.nearest import SLOTS, nearest, round_down
from relwise.kernels.pool import DRAWS, LINES, PARTS, draw, find_places, redraw
from relwise.kernels.rows import four_products
from relwise.kernels.vector import prefetch

GANG = 16  # edges that are worked on together
AHEAD = 16  # candidates between a prefetch and its use: of the usual pool of ten, that is the next edge's


@njit(**PARALLEL)
def choose_own(seed, edges, index, replaced, order, query, nodes, wanted, bound, pool, chosen, refused):
    """Fill `chosen` (n,) with the node of each edge's own pool whose probability is nearest to `wanted`; -1 for none.

    Args:
        seed, edges, index, replaced: as of `pool.propose`, which proposes the same pools.
        order: (m,) positions in `index` to work on; `refused` is filled at these, too.
        query: (m, d) whose product with a node's state is the logit of the corrupted edge.
        nodes: (N, d) node states.
        wanted: (n,) wanted probability.
        bound: (n,) its logit, in float64.
        pool: k.
    """
    for part in prange(PARTS):
        begin, stop = len(order) * part // PARTS, len(order) * (part + 1) // PARTS
        _choose_part(
            seed, edges, index, replaced, order, query, nodes, wanted, bound, pool, chosen, refused, begin, stop
        )


@njit(**INNER)
def _choose_part(seed, edges, index, replaced, order, query, nodes, wanted, bound, pool, chosen, refused, begin, stop):
    room = -(-pool // SLOTS) * SLOTS
    candidates, logits = np.empty(GANG * room, np.int32), np.empty(GANG * room, nodes.dtype)
    places = np.empty((GANG, 5), np.int64)
    for slot in range(len(candidates)):
        candidates[slot] = 0  # what fills up pools is asked for, too
    for first in range(begin, stop, GANG):
        last = min(first + GANG, stop)
        find_places(edges, index, replaced, order, first, last, places, LINES)
        _draw(seed, order, first, last, places, pool, room, candidates)
        ask_for(nodes, candidates, 0, AHEAD)
        _refuse(seed, order, first, last, places, edges.partners, pool, room, candidates, refused)
        _score(query, nodes, first, last, pool, room, candidates, logits)
        for p in range(first, last):
            i, own = order[p], (p - first) * room
            chosen[i] = candidates[own]
            if candidates[own] >= 0:
                chosen[i] = candidates[own + nearest(logits, own, own + room, wanted[i], round_down(bound[i], logits))]


# Stretches of arrays are given by numbers: a slice is an array of its own, and its references are counted.
@njit(**INNER)
def _draw(seed, order, first, last, places, pool, room, candidates):
    for p in range(first, last):
        own, low, high = (p - first) * room, places[p - first, 1], places[p - first, 2]
        for slot in range(pool):
            candidates[own + slot] = draw(seed, order[p], slot * DRAWS, low, high)


@njit(**INNER)
def _refuse(seed, order, first, last, places, partners, pool, room, candidates, refused):
    """Draw anew what each edge refuses of its pool (-1: nothing is left)."""
    for p in range(first, last):
        i, own = order[p], (p - first) * room
        anchor, begin, end = places[p - first, 0], places[p - first, 3], places[p - first, 4]
        refused[i] = 0
        for start in range(0, pool, SLOTS):
            if end - begin > LONG:
                bits = search_sixteen(candidates, own + start, anchor, partners, begin, end)
            else:
                bits = match_sixteen(candidates, own + start, anchor, partners, begin, end)
            if bits != 0:
                for slot in range(start, min(start + SLOTS, pool)):
                    if bits >> np.uint32(slot - start) & np.uint32(1):
                        place = anchor, places[p - first, 1], places[p - first, 2], begin, end
                        node = np.int64(candidates[own + slot])
                        candidates[own + slot], times = redraw(seed, i, slot, node, place, partners)
                        refused[i] += times


@njit(**INNER)
def _score(query, nodes, first, last, pool, room, candidates, logits):
    """The logits of each edge's pool, filled up with that of the first candidate."""
    end = (last - first) * room
    for p in range(first, last):
        own = (p - first) * room
        if candidates[own] < 0:
            continue
        for slot in range(pool, min(pool + 3, room)):
            candidates[own + slot] = candidates[own]
        for four in range(own, own + pool, 4):
            ask_for(nodes, candidates, min(four + AHEAD, end), min(four + AHEAD + 4, end))
            four_products(query, p, nodes, candidates, four, logits)
        for slot in range(pool, room):
            logits[own + slot] = logits[own]


@njit(**INNER)
def ask_for(nodes, candidates, begin, end):
    for slot in range(begin, end):
        prefetch(nodes, np.uint32(candidates[slot]))
