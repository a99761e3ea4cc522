"""Several categories at once: the mean of their learnt vectors."""

from __future__ import annotations

from collections import Counter
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from torch import Tensor
from torch.nn import functional

from relwise.nn.attributes.base import AttributeEncoder
from relwise.nn.attributes.categorical import FIRST, MISSING, UNSEEN, category_vectors, kept_categories
from relwise.nn.attributes.ragged import Ragged


class MultiCategoricalEncoder(AttributeEncoder):
    """A set of categories per node: `output = mean over its words w of E[index of w]`.

    E is that of `CategoricalEncoder`: row 0 is "missing", row 1 is shared by all words unseen in training or met
    in one node alone. A node that is known to have no word, `()`, is not a missing one: its mean is zero. Each
    distinct set is summed once, its words in the order of E: neither how they stand in the cell nor which other
    sets there are changes a bit.

    Args:
        dim: how many numbers it gives per node.
        categories: those with a vector of their own.

    >>> uses = np.empty(4, dtype=object)
    >>> uses[:] = [("sea", "air"), ("air",), ("sea", "space"), None]
    >>> encoder = MultiCategoricalEncoder.fit(uses, dim=4)
    >>> encoder.categories
    ['air', 'sea']
    >>> encoder.prepare(uses).lists()
    [[2, 3], [2], [1, 3], [0]]
    """

    def __init__(self, dim: int, categories: list[str]) -> None:
        super().__init__(dim)
        self.categories = list(categories)
        self.embedding = category_vectors(len(self.categories), dim)

    @classmethod
    def fit(cls, values: npt.NDArray, dim: int) -> Self:
        """An encoder for the words in `values`: object (n,) of tuples of str, None where missing."""
        codes, sets = _distinct(values)
        counts: Counter[str] = Counter()
        for words, times in zip(sets, np.bincount(codes[codes >= 0], minlength=len(sets)).tolist(), strict=True):
            counts.update(dict.fromkeys(words, times))
        return cls(dim, kept_categories(counts))

    def prepare(self, values: npt.NDArray) -> Ragged:
        """(n,) the rows of E of each node's words, sorted; `[0]` where missing."""
        codes, sets = _distinct(values)
        row_of = {word: row for row, word in enumerate(self.categories, FIRST)}
        rows = [sorted(row_of.get(word, UNSEEN) for word in set(words)) for words in sets]
        return Ragged.of([*rows, [MISSING]], np.where(codes < 0, len(sets), codes))

    def forward(self, prepared: Ragged) -> Tensor:
        bags = functional.embedding_bag(prepared.values, self.embedding.weight, prepared.offsets[:-1], mode="mean")
        return functional.embedding(prepared.index, bags)

    def config(self) -> dict[str, Any]:
        return {"dim": self.out_dim, "categories": self.categories}


def _distinct(values: npt.NDArray) -> tuple[npt.NDArray[np.int64], list[tuple[str, ...]]]:
    """(n,) which of the distinct tuples each value is, -1 where missing; and the distinct tuples."""
    numbers: dict[tuple[str, ...], int] = {}
    codes = [-1 if words is None else numbers.setdefault(tuple(words), len(numbers)) for words in values]
    return np.array(codes, dtype=np.int64), list(numbers)
