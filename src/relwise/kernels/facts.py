"""Which edges state one of a set of facts: a look-up for each, nothing made of the edges' size."""

from __future__ import annotations

import numpy as np
from numba import njit, prange

from relwise.kernels.compiling import INNER
from relwise.kernels.mixing import mix
from relwise.kernels.partners import place_of

PLACES = 16  # of a sieve for each key: one in sixteen other keys passes


@njit(**INNER)
def _bit(key, places):  # pragma: no cover (compiled)
    """A key's place in a sieve of so many, a power of two."""
    return mix(key) & (places - np.uint64(1))


@njit(cache=True)
def sieve(keys):  # pragma: no cover (compiled)
    """Bits, in bytes, that are set for every key and for few other ones: `PLACES` for each, which stay in a cache.

    Args:
        keys: (k,) uint64.
    """
    places = 1024
    while places < PLACES * len(keys):
        places *= 2
    bits = np.zeros(places // 8, np.uint8)
    for key in keys:
        bit = _bit(key, np.uint64(places))
        bits[bit >> np.uint64(3)] |= np.uint8(1) << np.uint8(bit & np.uint64(7))
    return bits


@njit(parallel=True, cache=True)
def count_facts(keys, bits, shift, starts, heads, relations, tails, directed, num_nodes):  # pragma: no cover (compiled)
    """How many of the edges have one of the keys (`data.edges.edge_keys`).

    Args:
        keys: (k,) uint64, ascending; `shift` and `starts` as `partners.buckets` gives them, `bits` as `sieve` does.
        heads, relations, tails: (n,).
        directed: (R,) bool.
        num_nodes: uint64, N.
    """
    count, places = 0, np.uint64(8 * len(bits))
    for e in prange(len(heads)):
        relation, first, second = relations[e], np.uint64(heads[e]), np.uint64(tails[e])
        if not directed[relation] and second < first:
            first, second = second, first
        key = (np.uint64(relation) * num_nodes + first) * num_nodes + second
        bit = _bit(key, places)
        if bits[bit >> np.uint64(3)] >> np.uint8(bit & np.uint64(7)) & np.uint8(1):
            count += place_of(keys, shift, starts, key) < len(keys)
    return count
