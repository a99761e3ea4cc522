"""Some of many, each set of so many as likely as any other; and where what was chosen stands."""

from __future__ import annotations

import numpy as np
from numba import njit, prange

from relwise.kernels.compiling import OUTER, PARALLEL
from relwise.kernels.mixing import mix

GOLDEN = 0x9E3779B97F4A7C15
PIECES = 64


@njit(**OUTER)
def choose(seed, eligible, count, chosen):  # pragma: no cover (compiled)
    """Mark `count` of the eligible: each in turn with probability (still wanted) / (eligible and yet to come). One
    pass, and no memory beside the answer.

    This is Knuth's Algorithm S (The Art of Computer Programming, 3.4.2), exact in number; its chances are to within
    2^-32.

    Args:
        seed: uint64.
        eligible: (n,) bool, `count` of them at least; n is below 2^31.
        count: how many.
        chosen: (n,) bool, to be filled.
    """
    left, wanted = np.uint64(0), np.uint64(count)
    for one in eligible:
        left += np.uint64(one)
    for i in range(len(eligible)):
        bits = mix(np.uint64(seed) + np.uint64(GOLDEN) * np.uint64(i + 1)) >> np.uint64(32)
        # Without a jump: which way it goes is chance, and the processor would guess wrong.
        may = np.uint64(eligible[i])
        taken = np.uint64((bits * left) >> np.uint64(32) < wanted) & may
        chosen[i] = taken != 0
        wanted -= taken
        left -= may


@njit(**PARALLEL)
def places(chosen, of, eligible):  # pragma: no cover (compiled)
    """Where `chosen[of[i]]` and `eligible[i]`, ascending: (m,) int64.

    Args:
        chosen: (k,) bool.
        of: (n,) in 0..k - 1, not checked.
        eligible: (n,) bool.
    """
    n, counts = len(of), np.zeros(PIECES + 1, np.int64)
    for piece in prange(PIECES):
        count = np.int64(0)
        for i in range(piece * n // PIECES, (piece + 1) * n // PIECES):
            count += np.int64(chosen[np.uint64(of[i])]) & np.int64(eligible[np.uint64(i)])
        counts[piece + 1] = count
    for piece in range(PIECES):
        counts[piece + 1] += counts[piece]
    out = np.empty(counts[PIECES], np.int64)
    for piece in prange(PIECES):
        at, end = np.uint64(counts[piece]), np.uint64(counts[piece + 1])
        for i in range(piece * n // PIECES, (piece + 1) * n // PIECES):
            if at < end:  # behind it another piece writes
                out[at] = i
                at += np.uint64(chosen[np.uint64(of[i])]) & np.uint64(eligible[np.uint64(i)])
    return out
