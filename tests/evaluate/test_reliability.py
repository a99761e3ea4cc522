"""Calibration errors against their formulas in loops, and scikit-learn's Brier score."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from sklearn.metrics import brier_score_loss

from relwise.evaluate.reliability import brier_score, expected_calibration_error, reliability, with_prior


def edges(seed: int, n: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    probability = rng.random(n).round(2)
    return rng.random(n) < probability**2, probability


@pytest.mark.parametrize("n", [1, 7, 15, 16, 1000])
def test_bins_hold_all_edges_in_equal_parts(n: int) -> None:
    truth, probability = edges(0, n)
    bins = reliability(truth, probability, bins=15)
    assert sum(part.count for part in bins) == n
    assert max(part.count for part in bins) - min(part.count for part in bins) <= 1
    assert all(a.high <= b.low for a, b in itertools.pairwise(bins))
    order = np.argsort(probability, kind="stable")
    start, error = 0, 0.0
    for part in bins:
        rows = order[start : start + part.count]
        start += part.count
        assert part.mean_probability == pytest.approx(probability[rows].mean())
        assert part.share_true == pytest.approx(truth[rows].mean())
        error += part.count / n * abs(probability[rows].mean() - truth[rows].mean())
    assert expected_calibration_error(truth, probability) == pytest.approx(error)


def test_probabilities_that_come_true_have_no_error() -> None:
    rng = np.random.default_rng(1)
    probability = rng.random(200_000)
    truth = rng.random(200_000) < probability
    assert expected_calibration_error(truth, probability) < 0.005
    assert expected_calibration_error(truth, probability**3) > 0.2


def test_brier_is_scikit_learns() -> None:
    truth, probability = edges(2, 500)
    assert brier_score(truth, probability) == pytest.approx(brier_score_loss(truth, probability))
    assert math.isnan(brier_score([], []))
    assert math.isnan(expected_calibration_error([], []))


def test_a_prior_is_what_a_resample_shows() -> None:
    """Where nine of ten false edges are added again, frequencies are what Bayes' rule says."""
    rng = np.random.default_rng(3)
    kind = rng.integers(4, size=400_000)
    truth = rng.random(len(kind)) < np.array([0.1, 0.4, 0.6, 0.95])[kind]
    share = truth.mean()
    weight = np.where(truth, 1.0, 10.0)
    prior = np.average(truth, weights=weight)
    for one in range(4):
        mine = kind == one
        seen = truth[mine].mean()
        told = with_prior([seen], fitted=float(share), prior=float(prior))[0]
        assert told == pytest.approx(np.average(truth[mine], weights=weight[mine]), abs=1e-6)
    assert with_prior([0.3], 0.5, 0.5)[0] == pytest.approx(0.3)
