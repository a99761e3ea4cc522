"""Hardest negatives: `NSCaching: Simple and Efficient Negative Sampling for Knowledge Graph Embedding
<https://arxiv.org/abs/1812.06410>`_ (Zhang et al., ICDE 2019), as the ASA paper states it
(eq. 10), without its cache."""

from __future__ import annotations

import torch
from torch import Tensor

from relwise.negatives.base import PoolSampler


class HardestSampler(PoolSampler):
    """Takes the likeliest candidate: `argmax p'(negative)` (eq. 10).

    Args:
        pool: k.
        warmup: steps of random negatives first. Before the model knows anything, the hardest is only the noisiest.
        shared: about how many edges have one draw of a pool.

    >>> HardestSampler(pool=3).choose(torch.zeros(1), torch.tensor([[0.1, 2.0, -1.0]]), step=0).tolist()
    [1]
    """

    def __init__(self, pool: int = 10, warmup: int = 0, shared: int = 1) -> None:
        super().__init__(pool, shared)
        self.warmup = warmup

    def pool(self, step: int) -> int:
        return 1 if step < self.warmup else self._pool

    def wanted(self, positive: Tensor, step: int) -> Tensor:
        return torch.ones_like(positive)
