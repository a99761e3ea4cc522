"""Uniform negatives: any corruption will do."""

from __future__ import annotations

import torch
from torch import Tensor

from relwise.negatives.base import PoolSampler


class RandomSampler(PoolSampler):
    """Takes the first (and only) candidate: uniform over the corruptions that are not known edges.

    >>> RandomSampler().choose(torch.zeros(2), torch.zeros(2, 1), step=0).tolist()
    [0, 0]
    """

    def __init__(self) -> None:
        super().__init__(pool=1)

    def wanted(self, positive: Tensor, step: int) -> Tensor:
        return torch.zeros_like(positive)
