"""Calibrations find what made the data, draw small relations towards the whole, and keep ranks."""

from __future__ import annotations

import json

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from relwise.evaluate.calibration import METHODS, Calibration, fit_calibration, log_loss
from relwise.evaluate.reliability import expected_calibration_error


def sigmoid(z: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-z))


def edges(n: int, slope: float, offset: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Truths and logits where σ(slope · logit + offset) is right."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 2, n)
    return rng.random(n) < sigmoid(slope * logits + offset), logits


def test_platt_of_one_relation_is_a_logistic_regression() -> None:
    truth, logits = edges(3000, 0.5, 1.0)
    fitted = fit_calibration(truth, logits, np.zeros(3000, int), 1, "platt")
    oracle = LogisticRegression(C=np.inf).fit(logits[:, None], truth).predict_proba(logits[:, None])[:, 1]
    # Slope and offset are sums of the whole's and the relation's own, whose penalty is next to nothing here.
    np.testing.assert_allclose(fitted.probabilities(logits, np.zeros(3000, int)), oracle, atol=2e-3)


def test_temperature_has_no_offset() -> None:
    truth, logits = edges(3000, 0.4, 0.0)
    fitted = fit_calibration(truth, logits, np.zeros(3000, int), 1, "temperature")
    assert fitted.offsets.tolist() == [0.0]
    assert fitted.slopes[0] == pytest.approx(0.4, abs=0.05)


@pytest.mark.parametrize("method", METHODS)
def test_each_method_mends_what_it_can(method) -> None:
    truth, logits = edges(20_000, 0.4, 0.0, seed=1)
    fitted = fit_calibration(truth, logits, np.zeros(20_000, int), 1, method)
    fresh, unseen = edges(20_000, 0.4, 0.0, seed=2)
    before = expected_calibration_error(fresh, sigmoid(unseen))
    after = expected_calibration_error(fresh, fitted.probabilities(unseen, np.zeros(20_000, int)))
    assert before > 0.08
    assert after < 0.015


def test_isotonic_takes_any_rising_shape() -> None:
    rng = np.random.default_rng(4)
    logits = rng.normal(0, 2, 30_000)
    right = 0.2 + 0.6 * (logits > 0.5)  # a step, that no slope is
    truth = rng.random(30_000) < right
    zero = np.zeros(30_000, int)
    best = fit_calibration(truth, logits, zero, 1)
    assert best.method == "isotonic"
    found = best.probabilities(logits, zero)
    assert np.abs(found - right).mean() < 0.02
    assert log_loss(truth, found) < log_loss(
        truth, fit_calibration(truth, logits, zero, 1, "platt").probabilities(logits, zero)
    )


@pytest.mark.parametrize("method", METHODS)
def test_ranks_within_a_relation_stay(method) -> None:
    truth, logits = edges(500, 0.7, -1.0)
    relations = np.arange(500) % 3
    fitted = fit_calibration(truth, logits, relations, 3, method)
    grid = np.sort(np.random.default_rng(0).normal(0, 6, 400))
    for relation in range(3):
        found = fitted.probabilities(grid, np.full(400, relation))
        assert (np.diff(found) >= 0).all()
        assert len(np.unique(found)) > 390, "next to no ties"
        assert ((found > 0) & (found < 1)).all()


@pytest.mark.parametrize("method", ["platt", "isotonic"])
def test_a_small_relation_has_the_wholes_and_a_large_one_its_own(method) -> None:
    many, few = edges(20_000, 1.0, 0.0, seed=5), edges(60, 1.0, 2.0, seed=6)
    large = edges(20_000, 1.0, 2.0, seed=7)
    probe = np.zeros(1)

    def at_zero(one: tuple, other: tuple) -> np.ndarray:
        relations = np.repeat([0, 1], [len(one[0]), len(other[0])])
        truth, logits = (np.concatenate(parts) for parts in zip(one, other, strict=True))
        fitted = fit_calibration(truth, logits, relations, 2, method)
        return np.array([fitted.probabilities(probe, np.array([r]))[0] for r in (0, 1)])

    with_few, with_large = at_zero(many, few), at_zero(many, large)
    assert with_few[0] == pytest.approx(0.5, abs=0.03)
    assert with_large[1] == pytest.approx(sigmoid(np.array(2.0)), abs=0.03)
    assert 0.5 < with_few[1] < with_large[1] - 0.02, "drawn towards the whole"


def test_too_few_edges_leave_the_sigmoid() -> None:
    truth = np.array([True] * 19 + [False] * 100)
    fitted = fit_calibration(truth, np.zeros(119), np.zeros(119, int), 1)
    assert fitted.method == "none"
    assert fitted.probabilities(np.array([1.0]), np.array([0]))[0] == pytest.approx(sigmoid(np.array(1.0)))


def test_what_is_told_apart_wholly_stays_finite() -> None:
    logits = np.concatenate([np.full(50, -1.0), np.full(50, 1.0)])
    for method in METHODS:
        fitted = fit_calibration(logits > 0, logits, np.zeros(100, int), 1, method)
        found = fitted.probabilities(logits, np.zeros(100, int))
        assert ((found > 0) & (found < 1)).all()
        assert found[-1] > 0.9 > 0.1 > found[0]


@pytest.mark.parametrize("method", METHODS)
def test_json_holds_it_all(method) -> None:
    truth, logits = edges(400, 0.7, -1.0)
    relations = np.arange(400) % 2
    fitted = fit_calibration(truth, logits, relations, 2, method)
    again = Calibration.from_json(json.loads(json.dumps(fitted.to_json())))
    assert np.array_equal(again.probabilities(logits, relations), fitted.probabilities(logits, relations))
