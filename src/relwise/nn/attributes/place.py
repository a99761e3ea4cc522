"""Places: latitude and longitude as a point on the sphere, at several scales."""

from __future__ import annotations

from typing import Self

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from relwise.nn.attributes.base import FeatureEncoder, any_missing, float_features, to_numpy

# Wavelengths of 4, 2, 1, 1/2, 1/4 and 1/8 times the spread of the places.
_SCALES = 6
# In radii of the Earth: 60 cm. Places no further apart than this are one place.
_NO_SPREAD = 1e-7


class PlaceEncoder(FeatureEncoder):
    """One place on the Earth per node.

        p = (cos lat cos lon, cos lat sin lon, sin lat)
        waves = sin, cos of 2π (p - centre) / w   for w = 4 s, 2 s, s, s/2, s/4, s/8
        output = LeakyReLU(W [p, waves, missing] + b)

    On the sphere there is no seam at 180° and no stretching towards the poles: near is near. `s` is the root
    mean square distance of the places from their centre, in radii of the Earth, so that shops of one city are
    told apart as well as airports of all continents.

    Args:
        dim: how many numbers it gives per node.

    >>> encoder = PlaceEncoder.fit(np.array([[40.6, -73.8], [51.5, -0.1], [np.nan, np.nan]]), dim=8)
    >>> features = encoder.prepare(np.array([[0.0, 180.0], [0.0, -180.0], [90.0, 0.0]]))
    >>> features[:, :3].round(decimals=3).abs().tolist()
    [[1.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]
    """

    centre: Tensor
    spread: Tensor

    def __init__(self, dim: int) -> None:
        super().__init__(3 + 3 * 2 * _SCALES + 1, dim)
        self.register_buffer("centre", torch.zeros(3, dtype=torch.float64))
        self.register_buffer("spread", torch.ones((), dtype=torch.float64))

    @classmethod
    def fit(cls, values: npt.NDArray, dim: int) -> Self:
        """An encoder scaled to `values`: float64 (n, 2) degrees latitude and longitude, NaN where missing."""
        encoder = cls(dim)
        points = _on_sphere(values)
        points = points[~any_missing(points)]
        if len(points):
            centre = points.mean(axis=0)
            spread = float(np.sqrt(((points - centre) ** 2).sum(axis=1).mean()))
            encoder.centre.copy_(torch.from_numpy(centre))
            encoder.spread.fill_(spread if spread > _NO_SPREAD else 1.0)
        return encoder

    def prepare(self, values: npt.NDArray) -> Tensor:
        """(n, 40): the point, its waves, and the missing flag; missing where either coordinate is."""
        points = _on_sphere(values)
        waves_per_radius = 2.0 ** np.arange(-2, _SCALES - 2) / to_numpy(self.spread)
        turns = 2 * np.pi * (points - to_numpy(self.centre))[:, :, None] * waves_per_radius
        return float_features(any_missing(points), points, np.sin(turns), np.cos(turns))


def _on_sphere(values: npt.NDArray) -> npt.NDArray[np.float64]:
    """(n, 3) points on the unit sphere, NaN where a coordinate is not finite."""
    degrees = np.asarray(values, dtype=np.float64).reshape(-1, 2)
    missing = any_missing(degrees)[:, None]
    latitude, longitude = np.radians(np.where(missing, np.nan, degrees)).T
    return np.stack(
        [np.cos(latitude) * np.cos(longitude), np.cos(latitude) * np.sin(longitude), np.sin(latitude)], axis=1
    )
