"""`Ragged`: rows of integers of different lengths, each distinct one held once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor


@dataclass(frozen=True, eq=False)
class Ragged:
    """n rows of integers, of different lengths: row i is `values[offsets[d] : offsets[d + 1]]`, d = index[i].

    What an encoder computes of a row it computes once for each of the m distinct ones. It can be indexed and moved as
    a tensor can.

    Args:
        index: (n,) int64, which of the distinct rows.
        offsets: (m + 1,) int64, where each distinct row begins and ends.
        values: (k,) int64.

    >>> rows = Ragged.of([[7, 8], []], np.array([0, 1, 0]))
    >>> len(rows), rows.num_distinct, rows.lists()
    (3, 2, [[7, 8], [], [7, 8]])
    >>> rows[torch.tensor([1])].lists()
    [[]]
    """

    index: Tensor
    offsets: Tensor
    values: Tensor

    @classmethod
    def of(cls, distinct: Sequence[Sequence[int]], index: npt.NDArray[np.int64]) -> Self:
        """From the distinct rows and which of them each row is."""
        lengths = np.array([len(row) for row in distinct], dtype=np.int64)
        offsets = np.concatenate([[0], np.cumsum(lengths)])
        flat = np.fromiter((value for row in distinct for value in row), dtype=np.int64, count=int(offsets[-1]))
        return cls(torch.from_numpy(index.astype(np.int64)), torch.from_numpy(offsets), torch.from_numpy(flat))

    @property
    def num_distinct(self) -> int:
        """m."""
        return len(self.offsets) - 1

    @property
    def lengths(self) -> Tensor:
        """(m,) int64, of the distinct rows."""
        return self.offsets.diff()

    @property
    def device(self) -> torch.device:
        """Where the rows lie."""
        return self.index.device

    def lists(self) -> list[list[int]]:
        """The rows as Python has them."""
        parts = [part.tolist() for part in self.values.split(self.lengths.tolist())] if self.num_distinct else []
        return [parts[i] for i in self.index.tolist()]

    def to(self, device: torch.device | str) -> Self:
        """The same rows elsewhere."""
        return type(self)(self.index.to(device), self.offsets.to(device), self.values.to(device))

    def __len__(self) -> int:
        return len(self.index)

    def __getitem__(self, rows: Tensor) -> Self:
        """Some of the rows, and of the distinct ones only theirs, in the order they had."""
        used, index = torch.unique(self.index[rows], return_inverse=True)
        lengths = self.lengths[used]
        offsets = torch.cat([lengths.new_zeros(1), lengths.cumsum(0)])
        within = torch.arange(int(offsets[-1]), device=self.device)
        within += torch.repeat_interleave(self.offsets[used] - offsets[:-1], lengths)
        return type(self)(index, offsets, self.values[within])
