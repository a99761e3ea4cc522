"""How unlikely a count is by chance, and how well a score tells two kinds of nodes apart."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
# Some ten thousand questions are asked of a graph; none of them may be answered wrongly by luck.
LUCK = 1e-8
# Odds so many times those by chance are no mere density of the graph.
ODDS = 4.0


def surprise(count: float, total: int, chance: float) -> float:
    """The probability of at least `count` successes in `total` draws, each with probability `chance`.

    `P(X >= k) = I_p(k, n - k + 1)`, the regularised incomplete beta function.

    >>> round(surprise(2, 2, 0.5), 3), surprise(0, 9, 0.1)
    (0.25, 1.0)
    """
    from scipy.special import betainc

    if count <= 0:
        return 1.0
    return float(betainc(count, total - count + 1, min(1.0, chance)))


def odds_ratio(share: float, chance: float) -> float:
    """How many times the odds by chance the odds are.

    >>> odds_ratio(0.5, 0.2), odds_ratio(1.0, 0.2)
    (4.0, inf)
    """
    if share >= 1:
        return 1.0 if chance >= 1 else float("inf")
    odds = min(1.0, chance) / max(1e-300, 1 - chance)
    return share / (1 - share) / max(1e-300, odds)


def ranks(values: FloatArray) -> FloatArray:
    """(n,) ranks from 1, those of equal values their mean.

    >>> ranks(np.array([3.0, 1.0, 3.0])).tolist()
    [2.5, 1.0, 2.5]
    """
    _, which, counts = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts - 1) / 2)[which]


def auc(labels: npt.NDArray[np.bool_], scores: FloatArray) -> float:
    """ROC AUC; ties count half; NaN where there is one class only.

    >>> auc(np.array([True, False, True]), np.array([0.9, 0.5, 0.5]))
    0.75
    """
    positives = int(labels.sum())
    negatives = len(labels) - positives
    if not positives or not negatives:
        return float("nan")
    above = ranks(scores)[labels].sum() - positives * (positives + 1) / 2
    return float(above / (positives * negatives))


def auc_surprise(found: float, positives: int, negatives: int) -> float:
    """The probability of at least this ROC AUC where the score has nothing to do with the label.

    Mann and Whitney's normal approximation, the deviation `sqrt((p + n + 1) / (12 p n))`; ties make it smaller.

    >>> auc_surprise(0.5, 10, 10), auc_surprise(0.6, 1000, 1000) < 1e-8, auc_surprise(0.6, 10, 10) > 0.2
    (0.5, True, True)
    """
    from scipy.special import ndtr

    deviation = np.sqrt((positives + negatives + 1) / (12 * positives * negatives))
    return float(ndtr((0.5 - found) / deviation))


def spearman(first: FloatArray, second: FloatArray) -> float:
    """Rank correlation; 0 where one of the two is constant.

    >>> round(spearman(np.array([1.0, 2.0, 3.0]), np.array([1.0, 4.0, 9.0])), 6)
    1.0
    """
    a, b = ranks(first), ranks(second)
    spread = a.std() * b.std()
    return float(((a - a.mean()) * (b - b.mean())).mean() / spread) if spread else 0.0
