"""Some of many, each set of so many as likely as any other: one pass, and no memory beside the answer."""

from __future__ import annotations

import numpy as np
from numba import njit

from relwise.kernels.compiling import OUTER
from relwise.kernels.mixing import mix

GOLDEN = 0x9E3779B97F4A7C15


@njit(**OUTER)
def choose(seed, eligible, count, chosen):  # pragma: no cover (compiled)
    """Mark `count` of the eligible: each in turn with probability (still wanted) / (eligible and yet to come).

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
