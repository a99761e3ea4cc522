"""Which edges state one of a set of facts: a look-up for each, nothing made of the edges' size."""

from __future__ import annotations

import numpy as np
from numba import njit, prange

from relwise.kernels.compiling import PARALLEL
from relwise.kernels.partners import place_of
from relwise.kernels.sieve import passes


@njit(**PARALLEL)
def count_facts(keys, bits, shift, starts, heads, relations, tails, directed, num_nodes):  # pragma: no cover (compiled)
    """How many of the edges have one of the keys (`data.edges.edge_keys`).

    Args:
        keys: (k,) uint64, ascending; `shift` and `starts` as `partners.buckets` gives them, `bits` as `sieve` does.
        heads, relations, tails: (n,).
        directed: (R,) bool.
        num_nodes: uint64, N.
    """
    count = 0
    for e in prange(len(heads)):
        relation, first, second = relations[e], np.uint64(heads[e]), np.uint64(tails[e])
        if not directed[relation] and second < first:
            first, second = second, first
        key = (np.uint64(relation) * num_nodes + first) * num_nodes + second
        if passes(bits, key):
            count += place_of(keys, shift, starts, key) < len(keys)
    return count
