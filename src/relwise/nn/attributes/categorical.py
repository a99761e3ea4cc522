"""Categories: one learnt vector each, with buckets for the missing and for those never seen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch
from torch import Tensor, nn

from relwise.nn.attributes.base import AttributeEncoder

# The rows of E: two buckets, then the categories.
MISSING, UNSEEN, FIRST = 0, 1, 2
# Below this many rows a category has no vector of its own.
_MIN_COUNT = 2
# The scale at which the other encoders' outputs start, so that no attribute shouts the others down.
_STD = 0.5


class CategoricalEncoder(AttributeEncoder):
    """One category per node: `output = E[index of the category]`, E of shape (2 + categories, dim).

    Row 0 of E is "missing", row 1 "unseen". A category of a single row shares the unseen bucket: its own
    vector could say nothing of another node, while the bucket so learns what it is to be a rare category,
    which is what a category first met later most likely is. Only where every category is of that kind does
    each keep its own vector, as the column would otherwise be one constant. Both buckets start at zero, so
    that one that no node has trained says nothing.

    Args:
        dim: how many numbers it gives per node.
        categories: those with a vector of their own.

    >>> engines = np.array(["jet", "jet", "prop", "prop", "kite", None], dtype=object)
    >>> encoder = CategoricalEncoder.fit(engines, dim=4)
    >>> encoder.categories
    ['jet', 'prop']
    >>> encoder.prepare(np.array(["prop", "kite", "balloon", None], dtype=object)).tolist()
    [3, 1, 1, 0]
    """

    def __init__(self, dim: int, categories: list[str]) -> None:
        super().__init__(dim)
        self.categories = list(categories)
        self.embedding = category_vectors(len(self.categories), dim)

    @classmethod
    def fit(cls, values: npt.NDArray, dim: int) -> Self:
        """An encoder for the categories in `values`: object (n,) of str, None where missing."""
        counts = pd.Series(np.asarray(values, dtype=object)).dropna().value_counts()
        return cls(dim, kept_categories({str(name): int(count) for name, count in counts.items()}))

    def prepare(self, values: npt.NDArray) -> Tensor:
        """(n,) int64: the row of E of each value."""
        values = np.asarray(values, dtype=object)
        found = pd.Index(self.categories, dtype=object).get_indexer(pd.Index(values, dtype=object))
        index = np.where(found < 0, UNSEEN, found + FIRST)
        return torch.from_numpy(np.where(pd.isna(values), MISSING, index).astype(np.int64))

    def forward(self, prepared: Tensor) -> Tensor:
        return self.embedding(prepared)

    def config(self) -> dict[str, Any]:
        return {"dim": self.out_dim, "categories": self.categories}


def kept_categories(counts: Mapping[str, int]) -> list[str]:
    """The categories with a vector of their own, sorted: those of two nodes and more, else all.

    Args:
        counts: how many nodes have each category.
    """
    return sorted([name for name, count in counts.items() if count >= _MIN_COUNT] or counts)


def category_vectors(categories: int, dim: int) -> nn.Embedding:
    """E at its start: the buckets zero, the categories random."""
    embedding = nn.Embedding(FIRST + categories, dim)
    nn.init.normal_(embedding.weight, std=_STD)
    with torch.no_grad():
        embedding.weight[:FIRST] = 0.0
    return embedding
