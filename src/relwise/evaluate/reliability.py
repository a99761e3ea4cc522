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
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from relwise.evaluate.metrics import best_threshold, f1_at

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


def reliability_report(
    truth: npt.ArrayLike, probability: npt.ArrayLike, valid_truth: npt.ArrayLike, valid_probability: npt.ArrayLike
) -> dict[str, Any]:
    """What JSON tells of how far probabilities can be taken at their word; None for what does not exist.

    Args:
        truth, probability: (n,) of the edges measured.
        valid_truth, valid_probability: (m,) of the validation edges, on which a threshold is chosen.

    Returns:
        `ece`, `brier`, `f1_at_half`, `threshold` (with the best F1 on validation), `f1_at_threshold`, `f1_best` (no
        threshold does better on the edges measured), `bins`.

    >>> reliability_report([False, True], [0.25, 0.75], [False, True], [0.2, 0.6])["f1_at_threshold"]
    1.0
    """
    threshold = best_threshold(valid_truth, valid_probability)
    values = {
        "ece": expected_calibration_error(truth, probability),
        "brier": brier_score(truth, probability),
        "f1_at_half": f1_at(truth, probability),
        "threshold": threshold,
        "f1_at_threshold": f1_at(truth, probability, threshold),
        "f1_best": f1_at(truth, probability, best_threshold(truth, probability)),
    }
    bins = [asdict(one) for one in reliability(truth, probability)]
    return {**{key: None if math.isnan(value) else value for key, value in values.items()}, "bins": bins}


def with_prior(probability: npt.ArrayLike, fitted: npt.ArrayLike, prior: float) -> npt.NDArray[np.float64]:
    """The same probabilities where another share of the pairs asked about is true.

    Bayes' rule on the odds (Saerens et al. 2002, "Adjusting the outputs of a classifier to new a priori
    probabilities"):

        odds' = odds · (prior / (1 - prior)) / (fitted / (1 - fitted))

    Args:
        probability: (n,).
        fitted: the share of true edges among those that the probabilities were fitted on; or (n,) shares.
        prior: the share assumed.

    >>> with_prior([0.5], fitted=0.5, prior=0.1).round(3).tolist()
    [0.1]
    """
    values = np.asarray(probability, dtype=np.float64)
    share = np.asarray(fitted, dtype=np.float64)
    ratio = (prior / (1 - prior)) / (share / (1 - share))
    return values * ratio / (values * ratio + 1 - values)
