"""How many of some numbers lie between given ones: a histogram of any bounds."""

from __future__ import annotations

import numpy as np
from numba import njit, prange

SLICES = 16


@njit(parallel=True, cache=True)
def count_between(numbers, bounds):  # pragma: no cover (compiled)
    """(k + 1,) how many numbers are below the first bound, from it to the second, ..., from the last on.

    Args:
        numbers: (n,); what is no number is counted with the last.
        bounds: (k,), ascending.

    >>> count_between(np.array([0.5, 2.0, 7.0, np.nan]), np.array([1.0, 2.0])).tolist()
    [1, 0, 3]
    """
    counts = np.zeros((SLICES, len(bounds) + 1), np.int64)
    for piece in prange(SLICES):
        count = counts[piece]
        for n in range(piece * len(numbers) // SLICES, (piece + 1) * len(numbers) // SLICES):
            value, first, left = numbers[n], np.uint64(0), np.uint64(len(bounds))
            # Added, not jumped over: where a number lies is anybody's guess.
            while left > np.uint64(0):
                half = left >> np.uint64(1)
                above = np.uint64(not value < bounds[first + half])
                first += above * (half + np.uint64(1))
                left = above * (left - half - np.uint64(1)) + (np.uint64(1) - above) * half
            count[first] += 1
    return counts.sum(axis=0)
