"""Bins of columns, and the plain model on them, against loops."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from relwise.data.audit.codings import FOLDS, PRIOR, bin_auc, codings, quantiles
from relwise.data.graph import Attribute


def objects(*values: object) -> np.ndarray:
    made = np.empty(len(values), dtype=object)
    made[:] = values
    return made


@given(st.lists(st.one_of(st.just(float("nan")), st.floats(-1e6, 1e6)), max_size=60), st.integers(1, 8))
def test_quantiles_keep_the_order_and_part_evenly(values: list[float], bins: int) -> None:
    array = np.array(values, dtype=np.float64)
    coded = quantiles(array, bins)
    known = ~np.isnan(array)
    assert (coded[~known] == 0).all()
    assert ((coded[known] >= 1) & (coded[known] <= bins)).all()
    order = np.argsort(array[known], kind="stable")
    assert (np.diff(coded[known][order]) >= 0).all()
    assert all(len(set(coded[array == value])) == 1 for value in set(array[known]))
    if known.all() and len(set(values)) == len(values) and len(values) % bins == 0 and len(values):
        assert set(np.bincount(coded, minlength=bins + 1)[1:]) == {len(values) // bins}


def test_every_modality_has_bins() -> None:
    nan = float("nan")
    day = np.datetime64("2020-01-01", "us")
    columns = {
        "numeric": (np.array([1.0, nan, 1.0, 5.0]), [[1, 0, 1, 2]]),
        "boolean": (np.array([1.0, nan, 0.0, 1.0]), [[2, 0, 1, 2]]),
        "timestamp": (np.array([day, np.datetime64("NaT"), day, day + 1]), [[1, 0, 1, 2]]),
        "categorical": (objects("x", None, "x", "y"), [[1, 0, 1, 2]]),
        "text": (objects("one", None, "two", "three"), [[1, 0, 2, 3], [1, 0, 1, 2]]),
        "multi_categorical": (objects(("p",), None, ("q",), ("p", "q")), [[1, 0, 2, 3], [1, 0, 1, 2]]),
        "place": (np.array([[1.0, 2.0], [nan, nan], [1.0, 2.0], [3.0, 1.0]]), [[9, 0, 9, 15]]),
        "vector": (np.array([[3.0, 4.0], [nan, nan], [5.0, 0.0], [6.0, 0.0]], np.float32), [[1, 0, 1, 2]]),
    }
    for modality, (values, wanted) in columns.items():
        got = [bins.tolist() for bins in codings(Attribute("x", modality, values))]  # type: ignore[arg-type]
        assert len(got) == len(wanted), modality
        for one, other in zip(got, wanted, strict=True):  # equal up to the bins' names
            assert [one.index(b) for b in one] == [other.index(b) for b in other], modality
            assert one[1] == 0, modality


@pytest.mark.parametrize("seed", range(4))
def test_the_plain_model_is_the_mean_of_the_other_folds(seed: int) -> None:
    rng = np.random.default_rng(seed)
    bins, folds = rng.integers(0, 6, 120), rng.integers(0, FOLDS, 120)
    labels = rng.random(120) < 0.1 + 0.12 * bins
    scores = []
    for i in range(120):
        same = [j for j in range(120) if bins[j] == bins[i] and folds[j] != folds[i]]
        scores.append((sum(labels[j] for j in same) + PRIOR * labels.mean()) / (len(same) + PRIOR))
    assert bin_auc(bins, labels, folds) == pytest.approx(roc_auc_score(labels, scores))


def test_a_column_of_ids_tells_nothing() -> None:
    rng = np.random.default_rng(0)
    labels = rng.random(300) < 0.4
    assert bin_auc(np.arange(300), labels, rng.integers(0, FOLDS, 300)) == 0.5
