"""Binary measures: equal to scikit-learn's, ties included, and NaN exactly where nothing can be measured."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, f1_score, roc_auc_score

from relwise.evaluate.metrics import average_precision, best_threshold, binary_measures, f1_at, roc_auc

EDGES = st.lists(st.tuples(st.booleans(), st.integers(0, 6)), min_size=2, max_size=40)


@given(EDGES, st.integers(0, 7))
def test_equal_to_scikit_learn(edges: list[tuple[bool, int]], threshold: int) -> None:
    truth = np.array([label for label, _ in edges])
    scores = np.array([score for _, score in edges], dtype=np.float32) / 7
    if truth.all() or not truth.any():
        assert all(math.isnan(value) for value in binary_measures(truth, scores).values())
        return
    measures = binary_measures(truth, scores, threshold / 7)
    assert measures["auc"] == pytest.approx(roc_auc_score(truth, scores), abs=1e-12)
    assert measures["ap"] == pytest.approx(average_precision_score(truth, scores), abs=1e-12)
    expected = f1_score(truth, scores >= np.float32(threshold / 7), zero_division=0.0)  # pyright: ignore[reportArgumentType]
    assert measures["f1"] == pytest.approx(expected, abs=1e-12)


@given(EDGES)
def test_binary_measures_are_the_single_ones(edges: list[tuple[bool, int]]) -> None:
    truth, scores = np.array([e[0] for e in edges]), np.array([e[1] for e in edges]) / 7
    single = {
        "auc": roc_auc(truth, scores),
        "ap": average_precision(truth, scores),
        "f1": f1_at(truth, scores),
    }
    np.testing.assert_equal(binary_measures(truth, scores), single)


@given(EDGES)
def test_best_threshold_is_beaten_by_none(edges: list[tuple[bool, int]]) -> None:
    truth, scores = np.array([e[0] for e in edges]), np.array([e[1] for e in edges], dtype=np.float32)
    best = best_threshold(truth, scores)
    if truth.all() or not truth.any():
        assert math.isnan(best)
        return
    figures = {threshold: f1_at(truth, scores, threshold) for threshold in scores.tolist()}
    assert figures[best] == max(figures.values())
    assert best == max(threshold for threshold, f1 in figures.items() if f1 == figures[best])


def test_large_counts_do_not_overflow() -> None:
    truth = np.arange(400_000) % 2 == 0
    assert roc_auc(truth, truth.astype(float)) == 1.0


def test_nan_scores_have_no_measure_and_infinite_ones_rank() -> None:
    truth = [True, False, True, False]
    assert math.isnan(roc_auc(truth, [0.1, math.nan, 0.3, 0.4]))
    assert math.isnan(f1_at(truth, [0.1, 0.2, 0.3, 0.4], math.nan))
    assert roc_auc(truth, [math.inf, 0.1, 2.0, -math.inf]) == 1.0


def test_unlike_shapes_are_refused() -> None:
    with pytest.raises(ValueError, match="alike"):
        roc_auc([True, False], [0.5])
