"""Numbers: robustly scaled, their heavy tails compressed, with a flag for the missing."""

from __future__ import annotations

from typing import Self

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from relwise.nn.attributes.base import FeatureEncoder, float_features, to_numpy

# The interquartile range of a normal distribution in standard deviations.
_IQR_OF_NORMAL = 1.349
# A spread smaller than this share of the values it is taken from is rounding error.
_NO_SPREAD = 1e-12
# asinh(z) = 20 is a value 240 million spreads away: beyond it there is nothing left to tell apart.
_LIMIT = 20.0


class NumericEncoder(FeatureEncoder):
    """One number per node.

        z = asinh((x - median) / s),   s = IQR / 1.349, else the standard deviation, else 1
        output = LeakyReLU(W [z, missing] + b)

    Median and interquartile range do not move with a few wild values, but wild values are still there to be
    encoded: `asinh` is the identity near 0 and the logarithm far out, so that a revenue of a billion neither
    swamps the network nor (as a clamp would) looks the same as one of a million.

    Args:
        dim: how many numbers it gives per node.

    >>> encoder = NumericEncoder.fit(np.array([1.0, 2.0, 3.0, np.nan]), dim=8)
    >>> encoder.prepare(np.array([2.0, np.nan, 1e300])).tolist()
    [[0.0, 0.0], [0.0, 1.0], [20.0, 0.0]]
    >>> encoder(encoder.prepare(np.array([2.0]))).shape
    torch.Size([1, 8])
    """

    statistics: Tensor

    def __init__(self, dim: int) -> None:
        super().__init__(2, dim)
        self.register_buffer("statistics", torch.tensor([1.0, 0.0, 1.0], dtype=torch.float64))

    @classmethod
    def fit(cls, values: npt.NDArray, dim: int) -> Self:
        """An encoder scaled to `values`: float64 (n,), NaN where missing (an infinity is missing too)."""
        encoder = cls(dim)
        encoder.statistics.copy_(torch.from_numpy(robust_statistics(values)))
        return encoder

    def prepare(self, values: npt.NDArray) -> Tensor:
        """(n, 2): z and the missing flag."""
        values = np.asarray(values, dtype=np.float64)
        return float_features(~np.isfinite(values), robust_scale(values, to_numpy(self.statistics)))


def robust_statistics(values: npt.NDArray) -> npt.NDArray[np.float64]:
    """(3,) unit, centre and spread of the finite values; centre and spread are measured in the unit.

    The unit is the power of two above the largest magnitude: dividing by it is exact and keeps the arithmetic
    on numbers near 1e300 from overflowing. A column without spread gets the spread 1, that is, its unit.

    Args:
        values: (n,) numbers; what is not finite is left out.

    >>> robust_statistics(np.array([2.0, 2.0, 2.0, np.nan])).tolist()
    [4.0, 0.5, 1.0]
    """
    finite = np.asarray(values, dtype=np.float64)
    finite = finite[np.isfinite(finite)]
    largest = float(np.abs(finite).max(initial=0.0))
    if largest == 0.0:
        return np.array([1.0, 0.0, 1.0])
    # frexp: largest = m * 2**e, 0.5 <= m < 1. 2**1024 and 2**-1074 / 2 are no floats, hence the bounds.
    unit = 2.0 ** float(np.clip(np.frexp(largest)[1], -1022, 1023))
    low, centre, high = (float(quantile) for quantile in np.quantile(finite / unit, [0.25, 0.5, 0.75]))
    if high - low > _NO_SPREAD * max(abs(low), abs(high)):
        return np.array([unit, centre, (high - low) / _IQR_OF_NORMAL])
    deviation = float(np.std(finite / unit))
    return np.array([unit, centre, deviation if deviation > _NO_SPREAD else 1.0])


def robust_scale(values: npt.NDArray, statistics: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """asinh((x - centre) / spread), bounded by ±20; what is missing stays NaN.

    Args:
        values: (n,) numbers.
        statistics: (3,) from `robust_statistics`.
    """
    unit, centre, spread = statistics
    with np.errstate(over="ignore"):  # an infinity here is a value far out, and is bounded below
        return np.clip(np.arcsinh((values / unit - centre) / spread), -_LIMIT, _LIMIT)
