"""Categories: one learnt vector each, with buckets for the missing and for those never seen."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch
from torch import Tensor, nn

from relwise.nn.attributes.base import AttributeEncoder

MISSING, UNSEEN = 0, 1
_BUCKETS = 2
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
        self.embedding = nn.Embedding(_BUCKETS + len(self.categories), dim)
        nn.init.normal_(self.embedding.weight, std=_STD)
        with torch.no_grad():
            self.embedding.weight[:_BUCKETS] = 0.0

    @classmethod
    def fit(cls, values: npt.NDArray, dim: int) -> Self:
        """An encoder for the categories in `values`: object (n,) of str, None where missing."""
        counts = pd.Series(np.asarray(values, dtype=object)).dropna().value_counts()
        names, often = [str(name) for name in counts.index], counts.to_numpy() >= _MIN_COUNT
        frequent = [name for name, kept in zip(names, often, strict=True) if kept]
        return cls(dim, sorted(frequent or names))

    def prepare(self, values: npt.NDArray) -> Tensor:
        """(n,) int64: the row of E of each value."""
        values = np.asarray(values, dtype=object)
        found = pd.Index(self.categories, dtype=object).get_indexer(pd.Index(values, dtype=object))
        index = np.where(found < 0, UNSEEN, found + _BUCKETS)
        return torch.from_numpy(np.where(pd.isna(values), MISSING, index).astype(np.int64))

    def forward(self, prepared: Tensor) -> Tensor:
        return self.embedding(prepared)

    def config(self) -> dict[str, Any]:
        return {"dim": self.out_dim, "categories": self.categories}
