"""A compact set of non-negative 64-bit integers that Numba kernels can ask: open addressing, at most half full."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

EMPTY = np.int64(-1)


@njit(cache=True)
def mix(value):
    """SplitMix64's finaliser: every bit of the result depends on every bit of `value`.

    Source: `Fast Splittable Pseudorandom Number Generators <https://doi.org/10.1145/2660193.2660195>`_.
    """
    x = np.uint64(value)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


@njit(cache=True)
def _fill(keys, table):
    last = np.uint64(len(table) - 1)
    for key in keys:
        slot = mix(key) & last
        while table[slot] != EMPTY and table[slot] != key:
            slot = (slot + np.uint64(1)) & last
        table[slot] = key


@njit(cache=True)
def contains(table, key):
    """Whether `key` is in the set."""
    last = np.uint64(len(table) - 1)
    slot = mix(key) & last
    while table[slot] != EMPTY:
        if table[slot] == key:
            return True
        slot = (slot + np.uint64(1)) & last
    return False


def build_hash_set(keys: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """The table of a set of keys.

    >>> table = build_hash_set(np.array([3, 5, 3]))
    >>> contains(table, 5), contains(table, 4)
    (True, False)
    """
    size = 1 << max(4, int(2 * len(keys)).bit_length())
    table = np.full(size, EMPTY)
    _fill(np.asarray(keys, dtype=np.int64), table)
    return table
