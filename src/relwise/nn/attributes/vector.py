"""Given vectors: features or embeddings made elsewhere, standardised, with a flag for the missing."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from relwise.nn.attributes.base import FeatureEncoder, any_missing, float_features, to_numpy

# A deviation smaller than this share of the column's largest value is rounding error.
_NO_SPREAD = 1e-7
# Beyond 10 deviations a value is bounded, so that one wild entry cannot swamp the vector.
_LIMIT = 10.0


class VectorEncoder(FeatureEncoder):
    """One vector of k numbers per node.

        z = (x - mean) / deviation, per column, bounded by ±10
        output = LeakyReLU(W [z, missing] + b)

    Args:
        dim: how many numbers it gives per node.
        width: k.

    >>> encoder = VectorEncoder.fit(np.array([[1, 5], [3, 5], [np.nan, np.nan]], dtype=np.float32), dim=8)
    >>> encoder.prepare(np.array([[3, 5], [np.nan, np.nan]], dtype=np.float32)).tolist()
    [[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, dim: int, width: int) -> None:
        super().__init__(width + 1, dim)
        self.width = width
        self.register_buffer("mean", torch.zeros(width, dtype=torch.float64))
        self.register_buffer("deviation", torch.ones(width, dtype=torch.float64))

    @classmethod
    def fit(cls, values: npt.NDArray, dim: int) -> Self:
        """An encoder scaled to `values`: float32 (n, k), a row of NaN where missing."""
        encoder = cls(dim, values.shape[1])
        rows = values[~any_missing(values)].astype(np.float64)
        if len(rows):
            deviation = rows.std(axis=0)
            degenerate = deviation <= _NO_SPREAD * np.abs(rows).max(axis=0)
            encoder.mean.copy_(torch.from_numpy(rows.mean(axis=0)))
            encoder.deviation.copy_(torch.from_numpy(np.where(degenerate, 1.0, deviation)))
        return encoder

    def prepare(self, values: npt.NDArray) -> Tensor:
        """(n, k + 1): z and the missing flag; a vector with any number missing is missing."""
        if values.ndim != 2 or values.shape[1] != self.width:
            raise ValueError(f"the vectors are of shape {values.shape}, not (n, {self.width})")
        missing = any_missing(values)
        rows = np.where(missing[:, None], 0.0, values)
        scaled = (rows - to_numpy(self.mean)) / to_numpy(self.deviation)
        return float_features(missing, np.clip(scaled, -_LIMIT, _LIMIT))

    def config(self) -> dict[str, Any]:
        return {"dim": self.out_dim, "width": self.width}
