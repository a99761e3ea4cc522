"""Rows of known partners: for each relation and anchor the nodes that are tied to it, in ascending order.

The pairs of row and partner are sorted where they stand, as one 64-bit number each: nothing else of the edges' size is
made but what stays.
"""

from __future__ import annotations

import numpy as np
from numba import njit, prange

from relwise.kernels.compiling import INNER, OUTER, PARALLEL


@njit(**PARALLEL)
def pair_keys(heads, relations, tails, kinds, num_nodes, out):  # pragma: no cover (compiled)
    """Fill `out` (2 n,) with `(kind · N + anchor) · N + partner` for both ends of each edge.

    Args:
        heads, relations, tails: (n,).
        kinds: (2, R) uint64, the kind of the rows of what is put at a relation's head, and at its tail.
        num_nodes: uint64, N.
    """
    n = len(heads)
    for e in prange(n):
        relation, head, tail = relations[e], np.uint64(heads[e]), np.uint64(tails[e])
        out[e] = (kinds[0, relation] * num_nodes + tail) * num_nodes + head
        out[n + e] = (kinds[1, relation] * num_nodes + head) * num_nodes + tail


@njit(**OUTER)
def rows_of_pairs(pairs, num_nodes):  # pragma: no cover (compiled)
    """From sorted pairs to rows. A pair that stands twice counts once; a node that is its own partner is left out.

    Returns:
        keys: (rows,) uint64 `kind · N + anchor`, ascending; of those without other partners, too.
        indptr: (rows + 2,) int64; the row after the last is empty.
        partners: int32.
    """
    rows, kept = 0, 0
    key, before = np.uint64(0), np.uint64(0)
    for n in range(len(pairs)):
        pair = pairs[n]
        if n and pair == before:
            continue
        here = pair // num_nodes
        rows += n == 0 or here != key
        kept += here % num_nodes != pair % num_nodes
        key, before = here, pair
    keys, indptr, partners = np.empty(rows, np.uint64), np.empty(rows + 2, np.int64), np.empty(kept, np.int32)
    rows, kept = 0, 0
    for n in range(len(pairs)):
        pair = pairs[n]
        if n and pair == before:
            continue
        here = pair // num_nodes
        if n == 0 or here != key:
            keys[rows], indptr[rows] = here, kept
            rows += 1
        if here % num_nodes != pair % num_nodes:
            partners[kept] = pair % num_nodes
            kept += 1
        key, before = here, pair
    indptr[rows] = indptr[rows + 1] = kept
    return keys, indptr, partners


@njit(**OUTER)
def buckets(keys):  # pragma: no cover (compiled)
    """(shift, starts): the keys whose bits from `shift` on are b stand at `starts[b]:starts[b + 1]`, few of them."""
    shift = np.uint64(0)
    highest = keys[-1] if len(keys) else np.uint64(0)
    while (highest >> shift) > np.uint64(2 * len(keys)):
        shift += np.uint64(1)
    starts = np.zeros(np.int64(highest >> shift) + 2, np.int32)
    for key in keys:
        starts[np.int64(key >> shift) + 1] += 1
    for b in range(1, len(starts)):
        starts[b] += starts[b - 1]
    return shift, starts


@njit(**INNER)
def place_of(keys, shift, starts, key):  # pragma: no cover (compiled)
    """The place of a key among ascending ones, of which `buckets` are known; their number where it is none of them."""
    bucket = key >> shift
    if bucket >= np.uint64(len(starts) - 1):
        return len(keys)
    low, high = starts[bucket], starts[bucket + np.uint64(1)]
    end = high
    while low < high:
        middle = (low + high) >> 1
        if keys[middle] < key:
            low = middle + 1
        else:
            high = middle
    return np.int64(low) if low < end and keys[low] == key else len(keys)


@njit(**PARALLEL)
def find_rows(keys, shift, starts, relations, anchors, kinds, num_nodes, out):  # pragma: no cover (compiled)
    """Fill `out` (n,) with the place of each `kinds[relation] · N + anchor` among the keys; their number where none."""
    for e in prange(len(out)):
        out[e] = place_of(keys, shift, starts, kinds[relations[e]] * num_nodes + np.uint64(anchors[e]))


@njit(**PARALLEL)
def find_open(rows, indptr, relations, anchors, ranges, out):  # pragma: no cover (compiled)
    """Fill `out` (n,): whether a row leaves out some node of its relation's range (R, 2), the anchor aside."""
    for e in prange(len(out)):
        low, high, anchor = ranges[relations[e], 0], ranges[relations[e], 1], np.int64(anchors[e])
        others = high - low - (low <= anchor < high)
        out[e] = others > indptr[rows[e] + 1] - indptr[rows[e]]
