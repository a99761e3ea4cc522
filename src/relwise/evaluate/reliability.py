"""How far probabilities can be taken at their word: expected calibration error, Brier score, reliability bins.

| measure | question | best |
| --- | --- | --- |
| ECE | how far is the probability from the share that is true, on average over bins of equally many edges? | 0 |
| Brier | mean squared distance of the probability from the truth, 0 or 1 | 0 |

Naeini et al. 2015, ["Obtaining well calibrated probabilities using Bayesian binning"]
(https://ojs.aaai.org/index.php/AAAI/article/view/9602); Brier 1950, "Verification of forecasts expressed in terms of
probability".
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

BINS = 15  # as is usual (Guo et al. 2017)


@dataclass(frozen=True)
class Bin:
    """Edges of like probability.

    Args:
        low, high: the lowest and the highest probability in it.
        count: how many edges.
        mean_probability: what was promised.
        share_true: what came true.
    """

    low: float
    high: float
    count: int
    mean_probability: float
    share_true: float


def reliability(truth: npt.ArrayLike, probability: npt.ArrayLike, bins: int = BINS) -> list[Bin]:
    """Bins of equally many edges (equal within one), by probability; equal probabilities may be parted.

    Args:
        truth: (n,) whether each edge holds.
        probability: (n,).
        bins: how many at most.

    >>> [(b.count, b.mean_probability, b.share_true) for b in reliability([False, True], [0.25, 0.75], bins=2)]
    [(1, 0.25, 0.0), (1, 0.75, 1.0)]
    """
    labels, values = np.asarray(truth, dtype=bool), np.asarray(probability, dtype=np.float64)
    order = np.argsort(values, kind="stable")
    parts = np.array_split(order, max(1, min(bins, len(order))))
    return [
        Bin(
            float(values[part[0]]), float(values[part[-1]]), len(part),
            float(values[part].mean()), float(labels[part].mean()),
        )
        for part in parts if len(part)
    ]  # fmt: skip


def expected_calibration_error(truth: npt.ArrayLike, probability: npt.ArrayLike, bins: int = BINS) -> float:
    """`Σ_b n_b / n · |mean probability_b - share true_b|`; NaN where there is no edge.

    >>> expected_calibration_error([False, True], [0.25, 0.75], bins=2)
    0.25
    """
    found = reliability(truth, probability, bins)
    total = sum(part.count for part in found)
    if not total:
        return math.nan
    return sum(part.count * abs(part.mean_probability - part.share_true) for part in found) / total


def brier_score(truth: npt.ArrayLike, probability: npt.ArrayLike) -> float:
    """`mean (probability - truth)²`; NaN where there is no edge.

    >>> brier_score([False, True], [0.5, 1.0])
    0.125
    """
    labels, values = np.asarray(truth, dtype=np.float64), np.asarray(probability, dtype=np.float64)
    return float(((values - labels) ** 2).mean()) if len(labels) else math.nan


def with_prior(probability: npt.ArrayLike, fitted: float, prior: float) -> npt.NDArray[np.float64]:
    """The same probabilities where another share of the pairs asked about is true.

    Bayes' rule on the odds (Saerens et al. 2002, "Adjusting the outputs of a classifier to new a priori
    probabilities"):

        odds' = odds · (prior / (1 - prior)) / (fitted / (1 - fitted))

    Args:
        probability: (n,).
        fitted: the share of true edges among those that the probabilities were fitted on.
        prior: the share assumed.

    >>> with_prior([0.5], fitted=0.5, prior=0.1).round(3).tolist()
    [0.1]
    """
    values = np.asarray(probability, dtype=np.float64)
    ratio = (prior / (1 - prior)) / (fitted / (1 - fitted))
    return values * ratio / (values * ratio + 1 - values)
