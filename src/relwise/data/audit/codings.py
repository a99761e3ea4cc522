"""A column as a few dozen bins: what the plain model on the column alone sees of it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from relwise.data.audit.chance import auc
from relwise.data.edges import IntArray
from relwise.data.graph import Attribute

BINS = 32
SIDE = 6
FOLDS = 5
# A bin counts as if it had so many more nodes of the average kind: bins of one node say nothing.
PRIOR = 10.0


def codings(attribute: Attribute) -> list[IntArray]:
    """Bins of a column, in one way or two; what is missing is a bin of its own.

    | modality | bins |
    | --- | --- |
    | numeric, timestamp | 32 quantiles |
    | boolean, categorical | its values |
    | multi_categorical | its values; how many they are |
    | place | 6 × 6 quantiles of latitude and longitude |
    | text | its values; 32 quantiles of its length |
    | vector | 32 quantiles of its length |

    >>> [bins.tolist() for bins in codings(Attribute("x", "boolean", np.array([1.0, 0.0, np.nan])))]
    [[2, 1, 0]]
    """
    values = attribute.values
    if attribute.modality == "place":
        latitude, longitude = (quantiles(values[:, side].astype(np.float64), SIDE) for side in (0, 1))
        return [latitude * (SIDE + 1) + longitude]
    if attribute.modality == "vector":
        return [quantiles(np.linalg.norm(values.astype(np.float64), axis=1), BINS)]
    if attribute.modality in ("categorical", "text", "multi_categorical"):
        coded = [_categories(values)]
        if attribute.modality != "categorical":
            lengths = np.array([np.nan if value is None else len(value) for value in values], dtype=np.float64)
            coded.append(quantiles(lengths, BINS))
        return coded
    return [quantiles(numbers(attribute), BINS)]


def numbers(attribute: Attribute) -> npt.NDArray[np.float64]:
    """A numeric, boolean or timestamp column as numbers, NaN where it is missing."""
    if attribute.modality != "timestamp":
        return attribute.values.astype(np.float64)
    moments = attribute.values.astype("datetime64[us]").astype(np.int64).astype(np.float64)
    return np.where(np.isnat(attribute.values), np.nan, moments)


def quantiles(values: npt.NDArray[np.float64], bins: int) -> IntArray:
    """(n,) which of `bins` parts, about as full each, a value lies in, from 1; 0 where it is NaN.

    >>> quantiles(np.array([1.0, 9.0, np.nan, 5.0, 7.0]), 2).tolist()
    [1, 2, 0, 1, 2]
    """
    known = ~np.isnan(values)
    coded = np.zeros(len(values), dtype=np.int64)
    if known.any():
        edges = np.unique(np.quantile(values[known], np.arange(1, bins) / bins, method="inverted_cdf"))
        coded[known] = 1 + np.searchsorted(edges, values[known])
    return coded


def _categories(values: npt.NDArray) -> IntArray:
    numbered: dict[object, int] = {None: 0}
    return np.array([numbered.setdefault(value, len(numbered)) for value in values.tolist()], dtype=np.int64)


def bin_auc(bins: IntArray, labels: npt.NDArray[np.bool_], folds: IntArray) -> float:
    """How well the bins alone tell the labels: ROC AUC of the mean label of a node's bin in the other folds.

    `score = (Σ y + 10 ȳ) / (n + 10)` over the nodes of the same bin outside the node's own fold.

    Args:
        bins, labels, folds: (n,) of n nodes.
    """
    shape = int(bins.max()) + 1, FOLDS
    cells = bins * FOLDS + folds
    nodes = np.bincount(cells, minlength=shape[0] * FOLDS).reshape(shape)
    positive = np.bincount(cells, labels, shape[0] * FOLDS).reshape(shape)
    others, found = nodes.sum(1, keepdims=True) - nodes, positive.sum(1, keepdims=True) - positive
    return auc(labels, ((found + PRIOR * labels.mean()) / (others + PRIOR))[bins, folds])
