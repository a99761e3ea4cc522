"""Chance and rank statistics beside scipy's and scikit-learn's."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import roc_auc_score

from relwise.data.audit.chance import auc, odds_ratio, ranks, spearman, surprise


@pytest.mark.parametrize(("count", "total", "chance"), [(0, 5, 0.2), (3, 5, 0.2), (5, 5, 0.9), (40, 300, 0.05)])
def test_surprise_is_the_binomial_tail(count: int, total: int, chance: float) -> None:
    assert surprise(count, total, chance) == pytest.approx(stats.binom.sf(count - 1, total, chance), rel=1e-9)


@pytest.mark.parametrize("seed", range(5))
def test_ranks_auc_and_correlation(seed: int) -> None:
    rng = np.random.default_rng(seed)
    values, others = rng.integers(0, 9, 80).astype(float), rng.integers(0, 5, 80).astype(float)
    labels = rng.random(80) < 0.3
    assert ranks(values).tolist() == stats.rankdata(values).tolist()
    assert auc(labels, values) == pytest.approx(roc_auc_score(labels, values))
    assert spearman(values, others) == pytest.approx(stats.spearmanr(values, others).statistic)


def test_where_there_is_nothing_to_tell_apart() -> None:
    assert np.isnan(auc(np.ones(3, bool), np.arange(3.0)))
    assert spearman(np.ones(4), np.arange(4.0)) == 0


def test_odds() -> None:
    assert odds_ratio(0.9, 0.5) == pytest.approx(9)
    assert odds_ratio(1.0, 1.0) == 1
    assert odds_ratio(0.3, 1.0) < 1e-9
    assert odds_ratio(0.3, 0.0) > 1e9
