"""Which candidates of a pool are known edges: the known partners of an edge's anchor against the pool, exactly.

A row of partners is read once against a small table of the pool that stays in the nearest cache, so a candidate costs
no look-up in memory. A hub's row, longer than its pool is worth, is searched by halves instead.
"""

from __future__ import annotations

import numpy as np
from numba import njit

SCAN = 16  # partners read for each candidate, at most: a search by halves costs about as much


@njit(cache=True)
def is_partner(partners, first, last, node):
    """Whether `node` is in `partners[first:last]`, which ascends."""
    while first < last:
        middle = (first + last) >> 1
        if partners[middle] < node:
            first = middle + 1
        elif partners[middle] > node:
            last = middle
        else:
            return True
    return False


@njit(cache=True)
def table_size(pool):
    """Places for `enter`: a power of two, mostly empty, in the nearest cache for pools of some hundreds."""
    size = 1024
    while size < 32 * pool:
        size *= 2
    return size


@njit(cache=True)
def enter(table, link, candidates):
    """Put a pool into `table`, where a node's low bits lead to a slot, and `link` to further ones; else -1.

    Nodes are drawn uniformly, so that their low bits are as good as any hash.
    """
    mask = len(table) - 1
    for slot in range(len(candidates)):
        place = candidates[slot] & mask
        link[slot] = table[place]
        table[place] = slot


@njit(cache=True)
def leave(table, candidates):
    """Empty `table` of a pool."""
    mask = len(table) - 1
    for slot in range(len(candidates)):
        table[candidates[slot] & mask] = -1


@njit(cache=True)
def find_refused(partners, first, last, anchor, candidates, table, link, slots):
    """Write to `slots` which candidates are the anchor itself or among `partners[first:last]`; returns how many.

    The anchor must not be among its own partners.
    """
    count = 0
    if last - first > SCAN * len(candidates):
        for slot in range(len(candidates)):
            if candidates[slot] == anchor or is_partner(partners, first, last, candidates[slot]):
                slots[count] = slot
                count += 1
        return count
    mask = np.uint32(len(table) - 1)
    count = _match(anchor, candidates, table, link, slots, 0)
    position = first
    while position + 4 <= last:
        # Four at a time: mostly all are -1, and one jump is cheaper than four.
        together = table[np.uint32(partners[position]) & mask] & table[np.uint32(partners[position + 1]) & mask]
        together &= table[np.uint32(partners[position + 2]) & mask] & table[np.uint32(partners[position + 3]) & mask]
        if together >= 0:
            for near in range(position, position + 4):
                count = _match(partners[near], candidates, table, link, slots, count)
        position += 4
    for near in range(position, last):
        count = _match(partners[near], candidates, table, link, slots, count)
    return count


@njit(cache=True)
def _match(node, candidates, table, link, slots, count):
    slot = table[node & (len(table) - 1)]
    while slot >= 0:
        if candidates[slot] == node:
            slots[count] = slot
            count += 1
        slot = link[slot]
    return count
