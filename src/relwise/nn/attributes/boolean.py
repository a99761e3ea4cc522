"""True or false, with a flag for the missing."""

from __future__ import annotations

from typing import Self

import numpy as np
import numpy.typing as npt
from torch import Tensor

from relwise.nn.attributes.base import FeatureEncoder, float_features


class BooleanEncoder(FeatureEncoder):
    """One yes or no per node.

        output = LeakyReLU(W [z, missing] + b),   z = 1 for true, -1 for false, 0 where missing

    Nothing is learnt of the column: a missing value lies as far from true as from false.

    Args:
        dim: how many numbers it gives per node.

    >>> encoder = BooleanEncoder.fit(np.array([1.0, 0.0, np.nan]), dim=8)
    >>> encoder.prepare(np.array([1.0, 0.0, np.nan])).tolist()
    [[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0]]
    """

    def __init__(self, dim: int) -> None:
        super().__init__(2, dim)

    @classmethod
    def fit(cls, values: npt.NDArray, dim: int) -> Self:
        """An encoder; of `values`, float64 (n,) of 0 and 1 with NaN where missing, it needs to know nothing."""
        return cls(dim)

    def prepare(self, values: npt.NDArray) -> Tensor:
        """(n, 2): z and the missing flag."""
        values = np.asarray(values, dtype=np.float64)
        return float_features(~np.isfinite(values), np.where(values > 0, 1.0, -1.0))
