"""The hash behind all counter-based draws: a number that looks random, made of numbers that say what it is for."""

from __future__ import annotations

import numpy as np
from numba import njit

from relwise.kernels.compiling import OUTER


@njit(**OUTER)
def mix(value):
    """SplitMix64's finaliser: every bit of the result depends on every bit of `value`.

    Source: `Fast Splittable Pseudorandom Number Generators <https://doi.org/10.1145/2660193.2660195>`_.
    """
    x = np.uint64(value)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))
