"""A sieve of keys: bits by which most look-ups end that find nothing, in one line of memory that stays in a cache."""

from __future__ import annotations

import numpy as np
from numba import njit

from relwise.kernels.compiling import INNER, OUTER
from relwise.kernels.mixing import mix

PLACES = 16  # for each key: one in sixteen other keys passes
NOTHING = np.empty(0, np.uint8)  # a sieve that all keys pass
LARGEST = 2_000_000  # keys of a sieve of rows: 4 MB, which most look-ups find in a cache


@njit(**OUTER)
def sieve(keys):  # pragma: no cover (compiled)
    """Bits, in bytes, that are set for every key and for few other ones.

    Args:
        keys: (k,) uint64.
    """
    places = 1024
    while places < PLACES * len(keys):
        places *= 2
    bits = np.zeros(places // 8, np.uint8)
    for key in keys:
        bit = place_in(bits, key)
        bits[bit >> np.uint64(3)] |= np.uint8(1) << np.uint8(bit & np.uint64(7))
    return bits


def sieve_of_rows(indptr: np.ndarray, partners: np.ndarray) -> np.ndarray:
    """A sieve of each row's partners, by `row_key`; `NOTHING` where it would not stay in a cache.

    >>> bits = sieve_of_rows(np.array([0, 1, 3]), np.array([7, 5, 9], np.int32))
    >>> len(bits), int(np.unpackbits(bits).sum())
    (128, 3)
    """
    if len(partners) > LARGEST:
        return NOTHING
    first = np.repeat(indptr[:-1], np.diff(indptr)).astype(np.uint64)
    return sieve((first << np.uint64(32)) | partners.astype(np.uint64))


@njit(**INNER)
def row_key(first, node):  # pragma: no cover (compiled)
    """The key of a node in the row that begins at `first`."""
    return (np.uint64(first) << np.uint64(32)) | np.uint64(node)


@njit(**INNER)
def place_in(bits, key):  # pragma: no cover (compiled)
    """The bit of a key."""
    return mix(key) & np.uint64(8 * len(bits) - 1)


@njit(**INNER)
def passes(bits, key):  # pragma: no cover (compiled)
    """Whether a key may be one of the sieve's; one that is always passes."""
    if len(bits) == 0:
        return True
    bit = place_in(bits, key)
    return (bits[bit >> np.uint64(3)] >> np.uint8(bit & np.uint64(7)) & np.uint8(1)) != 0
