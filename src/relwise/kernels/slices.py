"""How sums over the rows of a matrix product are cut: the same for any number of threads, so that bits are too."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.int64]
CHAIN = 1024  # rows of a sum over rows that are added up before they are added to others
SHORT = 512  # rows of a slice, at most, where there are few: threads share more slices more evenly
FEW = 64  # chains in all, below which rows are few
SLICES = 1024  # of all rows, beyond the first of each relation: what each is added into is d × d


class Slices(NamedTuple):
    """The slices of all relations' rows.

    Args:
        relation: of each slice.
        bounds: where each begins, and the last one's end.
        part: in which part its sum is kept; -1: in none, as the first of a relation is in the result itself.
        parts: how many there are.
        begins: (R + 1,) the first slice of each relation.
    """

    relation: IntArray
    bounds: IntArray
    part: IntArray
    parts: int
    begins: IntArray


@lru_cache(maxsize=64)
def slices_of(pointer: tuple[int, ...]) -> Slices:
    """As a graph has it, step after step: made once. A slice is of one chain or, of very many rows, of several.

    >>> slices = slices_of((0, 1, 1, 1 + SHORT + 2))
    >>> slices.relation.tolist(), slices.bounds.tolist(), slices.part.tolist(), slices.begins.tolist()
    ([0, 2, 2], [0, 1, 258, 515], [-1, -1, 0], [0, 1, 1, 3])
    """
    begin, size = np.array(pointer[:-1], np.int64), np.diff(np.array(pointer, np.int64))
    rows = SHORT if pointer[-1] < FEW * CHAIN else CHAIN * max(1, -(-pointer[-1] // (CHAIN * SLICES)))
    count = -(-size // rows)
    relation = np.repeat(np.arange(len(size)), count)
    number = np.arange(len(relation)) - np.repeat(np.cumsum(count) - count, count)  # within its relation
    bounds = np.append(begin[relation] + number * size[relation] // count[relation], pointer[-1])
    part = np.where(number > 0, np.cumsum(number > 0) - 1, -1)
    begins = np.searchsorted(relation, np.arange(len(size) + 1))
    return Slices(relation, bounds, part, int((number > 0).sum()), begins)
