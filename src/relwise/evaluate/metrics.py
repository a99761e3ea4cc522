"""Binary measures as plain functions: (truth, scores) → float, each a fraction of 1.

Truth says of n edges whether each holds; scores are any numbers that are higher where an edge is likelier.

| measure | question | a guess by chance |
| --- | --- | --- |
| ROC AUC | how often does a true edge score above a false one? A tie counts half. | 0.5 |
| AP | area under the precision-recall curve, as a step function | the share of true edges |
| F1 | harmonic mean of precision and recall where `score >= threshold` is called true | by threshold |

Every measure is NaN where the truth has one class only (nothing can be told apart) and where a score is NaN
(a diverged model has no measure). Infinite scores are allowed. The figures are scikit-learn's (a test holds
them to that), from one sort and without its checks, which cost more than the sort with many small relations.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt


def roc_auc(truth: npt.ArrayLike, scores: npt.ArrayLike) -> float:
    """Area under the receiver operating characteristic: P(a true edge scores above a false one), ties half.

    Args:
        truth: (n,) whether each edge holds.
        scores: (n,) higher where likelier.

    >>> roc_auc([True, True, False, False], [0.9, 0.4, 0.4, 0.1])
    0.875
    >>> roc_auc([True, True], [0.9, 0.4])
    nan
    """
    curve = _curve(truth, scores)
    return math.nan if curve is None else _auc(*curve)


def average_precision(truth: npt.ArrayLike, scores: npt.ArrayLike) -> float:
    """Average precision, `Σ_k (R_k - R_{k-1}) P_k` over the distinct scores k, the highest first.

    Args:
        truth: (n,) whether each edge holds.
        scores: (n,) higher where likelier.

    >>> round(average_precision([True, False, True], [0.9, 0.8, 0.7]), 4)
    0.8333
    """
    curve = _curve(truth, scores)
    return math.nan if curve is None else _average_precision(*curve)


def f1_at(truth: npt.ArrayLike, scores: npt.ArrayLike, threshold: float = 0.5) -> float:
    """F1, `2 TP / (2 TP + FP + FN)`, where `score >= threshold` is called true.

    Args:
        truth: (n,) whether each edge holds.
        scores: (n,) higher where likelier.
        threshold: from where on an edge is called true; NaN gives NaN. The paper's is a fixed 0.5, of
            probabilities.

    >>> f1_at([True, True, False, False], [0.9, 0.5, 0.6, 0.1])
    0.8
    """
    curve = _curve(truth, scores)
    return math.nan if curve is None else _f1(*curve, threshold)


def best_threshold(truth: npt.ArrayLike, scores: npt.ArrayLike) -> float:
    """The score that makes the threshold with the highest F1 (of several, the highest); NaN where F1 is.

    Meant for validation edges: the F1 of the very edges it was chosen on flatters.

    Args:
        truth: (n,) whether each edge holds.
        scores: (n,) higher where likelier.

    >>> best_threshold([True, True, False, False], [7, 3, 2, 0])
    3.0
    """
    curve = _curve(truth, scores)
    if curve is None:
        return math.nan
    thresholds, true_positives, called = curve
    return float(thresholds[int(np.argmax(2 * true_positives / (called + true_positives[-1])))])


def binary_measures(truth: npt.ArrayLike, probability: npt.ArrayLike, threshold: float = 0.5) -> dict[str, float]:
    """ROC AUC, AP and F1 of the same edges, from one sort.

    Args:
        truth: (n,) whether each edge holds.
        probability: (n,) of each edge; or any score, with the threshold that belongs to it.
        threshold: from where on an edge is called true.

    >>> binary_measures([True, False], [0.8, 0.3])
    {'auc': 1.0, 'ap': 1.0, 'f1': 1.0}
    """
    curve = _curve(truth, probability)
    if curve is None:
        return {"auc": math.nan, "ap": math.nan, "f1": math.nan}
    return {"auc": _auc(*curve), "ap": _average_precision(*curve), "f1": _f1(*curve, threshold)}


def _curve(truth: npt.ArrayLike, scores: npt.ArrayLike) -> tuple[npt.NDArray, npt.NDArray, npt.NDArray] | None:
    """What every measure is a sum over, or None where there is none.

    Returns:
        For each of k distinct scores, the highest first: (k,) the score; (k,) how many true edges score at
        least that; (k,) how many edges do.
    """
    labels = np.asarray(truth, dtype=bool)
    values = np.asarray(scores)
    if labels.shape != values.shape or labels.ndim != 1:
        raise ValueError(f"truth and scores must be (n,) alike, not {labels.shape} and {values.shape}")
    if not labels.any() or labels.all() or np.isnan(values).any():
        return None
    order = np.argsort(values)[::-1]
    ordered = values[order]
    last = np.append(np.flatnonzero(ordered[1:] != ordered[:-1]), len(ordered) - 1)
    return ordered[last], np.cumsum(labels[order])[last], last + 1


def _auc(_: npt.NDArray, true_positives: npt.NDArray, called: npt.NDArray) -> float:
    # Trapezoids in whole numbers (twice the area), so that no rounding creeps in before the division.
    positives, false_positives = np.append(0, true_positives), np.append(0, called - true_positives)
    twice = int((np.diff(false_positives) * (positives[1:] + positives[:-1])).sum())
    return twice / (2 * int(positives[-1]) * int(false_positives[-1]))


def _average_precision(_: npt.NDArray, true_positives: npt.NDArray, called: npt.NDArray) -> float:
    gained = np.diff(true_positives, prepend=0)
    return float((gained * (true_positives / called)).sum() / true_positives[-1])


def _f1(thresholds: npt.NDArray, true_positives: npt.NDArray, called: npt.NDArray, threshold: float) -> float:
    if math.isnan(threshold):
        return math.nan
    reached = int((thresholds >= threshold).sum())  # thresholds fall, so these are the first ones
    if not reached:
        return 0.0
    return float(2 * true_positives[reached - 1] / (called[reached - 1] + true_positives[-1]))
