"""Moments: where they stand in the run of time, and in the year, the week and the day."""

from __future__ import annotations

from typing import Self

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from relwise.nn.attributes.base import FeatureEncoder, float_features, to_numpy
from relwise.nn.attributes.numeric import robust_scale, robust_statistics

_DAY = np.timedelta64(1, "D")


class TimestampEncoder(FeatureEncoder):
    """One moment per node.

        trend = the days since 1970, scaled like a number (see `NumericEncoder`)
        cycles = sin, cos of 2π times the share that has passed of the year, the week, the day
        output = LeakyReLU(W [trend, cycles, missing] + b)

    A cycle given as sine and cosine has no seam: the 31st of December lies beside the 1st of January.

    Args:
        dim: how many numbers it gives per node.

    >>> moments = np.array(["2013-07-02T12:00", "2013-07-02T12:00", "NaT"], dtype="datetime64[us]")
    >>> encoder = TimestampEncoder.fit(moments, dim=8)
    >>> encoder.prepare(moments)[:, [0, 1, 2, 7]].round(decimals=2).abs().tolist()  # trend, year, missing
    [[0.0, 0.0, 1.0, 0.0], [0.0, 0.0, 1.0, 0.0], [0.0, 0.0, 0.0, 1.0]]
    """

    statistics: Tensor

    def __init__(self, dim: int) -> None:
        super().__init__(8, dim)
        self.register_buffer("statistics", torch.tensor([1.0, 0.0, 1.0], dtype=torch.float64))

    @classmethod
    def fit(cls, values: npt.NDArray, dim: int) -> Self:
        """An encoder scaled to `values`: datetime64[us] (n,), NaT where missing."""
        encoder = cls(dim)
        encoder.statistics.copy_(torch.from_numpy(robust_statistics(_days(values))))
        return encoder

    def prepare(self, values: npt.NDArray) -> Tensor:
        """(n, 8): the trend, sine and cosine of year, week and day, and the missing flag."""
        moments = np.asarray(values, dtype="datetime64[us]")
        missing = np.isnat(moments)
        moments = np.where(missing, np.datetime64(0, "us"), moments)
        days = moments.astype("datetime64[D]")
        year = moments.astype("datetime64[Y]")
        begins, ends = year.astype("datetime64[D]"), (year + np.timedelta64(1, "Y")).astype("datetime64[D]")
        of_day = (moments - days) / _DAY
        of_year = ((days - begins) / _DAY + of_day) / ((ends - begins) / _DAY)
        of_week = ((days.astype(np.int64) + 3) % 7 + of_day) / 7  # day 0, 1970-01-01, was a Thursday
        turns = 2 * np.pi * np.stack([of_year, of_week, of_day], axis=1)
        cycles = np.stack([np.sin(turns), np.cos(turns)], axis=2)
        return float_features(missing, robust_scale(_days(moments), to_numpy(self.statistics)), cycles)


def _days(values: npt.NDArray) -> npt.NDArray[np.float64]:
    """(n,) days since 1970 with their fraction, NaN for NaT."""
    moments = np.asarray(values, dtype="datetime64[us]")
    return np.where(np.isnat(moments), np.nan, moments.astype(np.int64) / 86_400e6)
