"""What a negative sampler is: how large a pool it wants, and which of the pool it takes."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import Tensor


class NegativeSampler(ABC):
    """Takes one candidate from each positive's pool: the one whose probability is nearest to a wanted one.

    Every published rule here says what probability it wants, given the positive's (`wanted`); the rest is shared.
    Probabilities are those of the step's own forward pass, before its update, detached.

    Args:
        pool: k, the number of corruptions to choose from.
    """

    def __init__(self, pool: int) -> None:
        if pool < 1:
            raise ValueError(f"a pool holds at least one candidate, not {pool}")
        self._pool = pool

    def pool(self, step: int) -> int:
        """How many candidates to propose at `step`, counted from 0."""
        return self._pool

    @abstractmethod
    def wanted(self, positive: Tensor, step: int) -> Tensor:
        """(n,) the probability wanted of the negative; 1 or more asks for the hardest.

        Args:
            positive: (n,) probability p' of each positive.
            step: the training step, counted from 0.
        """

    def choose(self, positive_logit: Tensor, candidate_logits: Tensor, step: int) -> Tensor:
        """(n,) which of its candidates each positive takes.

        Args:
            positive_logit: (n,) logits of the positives.
            candidate_logits: (n, k) logits of their pools.
            step: the training step, counted from 0.
        """
        # In float64, as the fused pass has it: two candidates must not tie in one and differ in the other.
        wanted = self.wanted(positive_logit.detach().double().sigmoid(), step)[:, None]
        logits = candidate_logits.detach().double()
        distance = torch.where(wanted >= 1, -logits, (logits.sigmoid() - wanted).abs())
        return distance.argmin(dim=1)
