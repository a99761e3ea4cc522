"""Pools that the edges of a block have in common, on the CPU: drawn, and what each edge refuses of them marked.

As in `relwise.kernels.pool` every draw is a function of (seed, edge, number of the draw) alone. There an edge draws
anew what it refuses; here it leaves it out, so that a whole block is scored by one product of matrices.
"""

from __future__ import annotations

import numpy as np
from numba import njit, prange

from relwise.kernels.compiling import INNER, PARALLEL
from relwise.kernels.pool import DRAWS, draw, look_up, redraw


@njit(**INNER)
def _fill(seed, owner, low, high, nodes, slots):
    """Draw a block's candidates into `nodes` (k,); `slots` (high - low,) says where each stands, -1 elsewhere.

    Returns:
        How many there are: all nodes of the range, once each, where they fit; else k, of which some may stand twice.
    """
    if high - low <= len(nodes):
        for slot in range(high - low):
            nodes[slot], slots[slot] = low + slot, slot
        return high - low
    for slot in range(len(nodes)):
        node = draw(seed, owner, slot * DRAWS, low, high)
        nodes[slot] = node
        if slots[node - low] < 0:
            slots[node - low] = slot
    return len(nodes)


@njit(**PARALLEL)
def draw_blocks(seed, edges, index, replaced, order, blocks, candidates, refused, taken, slot_taken):
    """Draw a pool for each block, and mark what of it makes a known edge or a self-loop, or stands there twice.

    Args:
        seed: of the draws.
        edges: a `Corruptible`.
        index: (n,) which of them.
        replaced: (n,) the end that is replaced.
        order: (n,) positions in `index`, block after block: of one replaced end and its type each.
        blocks: (B + 1,) where each block begins.
        candidates: (B, k) filled with nodes; where a type has fewer than k, the rest is its first, and refused.
        refused: (n, k) filled, by place in `order`.
        taken: (n,) filled, by place in `order`: for each edge one node of those not refused, even where its pool has
            none left; -1 where every edge is known.
        slot_taken: (n,) where it stands in the pool, -1 where it is not from there.
    """
    pool = candidates.shape[1]
    for b in prange(len(blocks) - 1):
        begin, end = blocks[b], blocks[b + 1]
        first = order[begin]
        side = replaced[first]
        _, low, high, _, _ = look_up(edges, index[first], side)
        slots = np.full(high - low, -1, np.int32)
        count = _fill(seed, np.int64(first), low, high, candidates[b], slots)
        for slot in range(count, pool):
            candidates[b, slot] = low
        for p in range(begin, end):
            place = look_up(edges, index[order[p]], side)
            for slot in range(pool):
                refused[p, slot] = slot >= count or slots[candidates[b, slot] - low] != slot
            if low <= place[0] < high and slots[place[0] - low] >= 0:
                refused[p, slots[place[0] - low]] = True
            for known in range(place[3], place[4]):
                node = edges.partners[known]
                if low <= node < high and slots[node - low] >= 0:
                    refused[p, slots[node - low]] = True
            slot_taken[p] = -1
            for turn in range(pool):
                slot = (p - begin + turn) % pool  # another one for each edge of the block
                if not refused[p, slot]:
                    slot_taken[p] = slot
                    break
            if slot_taken[p] >= 0:
                taken[p] = candidates[b, slot_taken[p]]
            else:
                taken[p], _ = redraw(seed, order[p], 0, np.int64(candidates[b, 0]), place, edges.partners)
