"""A counting sort of edges by their ends, in parallel: what brings together all that adds to one row of a gradient."""

from __future__ import annotations

import numpy as np
from numba import njit, prange

from relwise.kernels.compiling import PARALLEL

SLICES = 16  # of the entries, at most; of the keys, for the sum over them


@njit(**PARALLEL)
def sort_by_key(keys, num_keys):  # pragma: no cover (compiled)
    """Positions of an array by its values; in its order where those are equal.

    Args:
        keys: (n,) integers in 0..num_keys - 1, which is not checked; n is below 2**31.
        num_keys: how many values there may be.

    Returns:
        indptr: (num_keys + 1,) int32; `order[indptr[k]:indptr[k + 1]]` have the value k.
        order: (n,) int32.
    """
    total = len(keys)
    # Each slice counts by itself: no more numbers of that than there are entries.
    slices = max(1, min(SLICES, total // max(num_keys, 1)))
    counts = np.empty((slices, num_keys), np.int32)
    for piece in prange(slices):
        begin, end = piece * total // slices, (piece + 1) * total // slices
        count = counts[piece]
        count[:] = 0
        for at in range(begin, end):
            count[np.uint64(keys[at])] += 1
    indptr, order = np.empty(num_keys + 1, np.int32), np.empty(total, np.int32)

    # From counts to places: of each key, the slices' one after the other.
    sums = np.empty(SLICES, np.int64)
    for block in prange(SLICES):
        begin, end, here = block * num_keys // SLICES, (block + 1) * num_keys // SLICES, np.int64(0)
        for piece in range(slices):
            for key in range(begin, end):
                here += counts[piece, key]
        sums[block] = here
    for block in prange(SLICES):
        begin, end, place = block * num_keys // SLICES, (block + 1) * num_keys // SLICES, np.int64(0)
        for before in range(block):
            place += sums[before]
        for key in range(begin, end):
            indptr[key] = place
            for piece in range(slices):
                count = counts[piece, key]
                counts[piece, key] = place
                place += count
    indptr[num_keys] = total

    for piece in prange(slices):
        begin, end = piece * total // slices, (piece + 1) * total // slices
        places = counts[piece]
        for at in range(begin, end):
            key = np.uint64(keys[at])
            order[places[key]] = at
            places[key] += 1
    return indptr, order
