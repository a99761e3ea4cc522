"""ASA, adaptive self-adversarial negatives: `Relation-aware Graph Attention Model with Adaptive Self-adversarial
Training <https://arxiv.org/abs/2102.07186>`_ (Qin, Sheikh, Reinwald, Wu; AAAI 2021)."""

from __future__ import annotations

import math
from typing import Literal

from torch import Tensor

from relwise.negatives.base import PoolSampler

Decay = Literal["constant", "linear", "exponential"]


class ASASampler(PoolSampler):
    """Takes the candidate that is about µ less likely than its positive (eq. 11)::

        argmin | p'(positive) − p'(negative) − µ |

    A negative that scores above the very edge it was made from is likely a true edge that nobody recorded;
    µ > 0 keeps the chosen one that much easier than its positive. With t steps since the warm-up, of T in all::

        constant:     µ_t = µ
        linear:       µ_t = µ · max(0, 1 − t / T)
        exponential:  µ_t = µ · exp(−5 t / T)        (0.7 % of µ is left at the end)

    so that with a decay the negatives grow harder as training goes.

    Args:
        pool: k.
        mu: µ, as a probability.
        decay: of µ over the steps.
        steps: T, counted from the end of the warm-up.
        warmup: steps of random negatives first.
        shared: about how many edges have one draw of a pool.

    >>> import torch
    >>> positive, pool = torch.logit(torch.tensor([0.9])), torch.logit(torch.tensor([[0.1, 0.75, 0.95]]))
    >>> ASASampler(pool=3, mu=0.1).choose(positive, pool, step=0).tolist()  # 0.75; the hardest were 0.95
    [1]
    """

    def __init__(
        self,
        pool: int = 10,
        mu: float = 0.1,
        decay: Decay = "constant",
        steps: int = 300,
        warmup: int = 0,
        shared: int = 1,
    ) -> None:
        super().__init__(pool, shared)
        self.mu, self.decay, self.steps, self.warmup = mu, decay, steps, warmup

    def pool(self, step: int) -> int:
        return 1 if step < self.warmup else self._pool

    def mu_at(self, step: int) -> float:
        """µ_t at a training step, counted from 0."""
        progress = max(0, step - self.warmup) / max(1, self.steps)
        if self.decay == "linear":
            return self.mu * max(0.0, 1 - progress)
        if self.decay == "exponential":
            return self.mu * math.exp(-5 * progress)
        return self.mu

    def wanted(self, positive: Tensor, step: int) -> Tensor:
        # Below one, which would ask for the hardest: a negative µ may want more than its positive has.
        return (positive - self.mu_at(step)).clamp(max=1 - 1e-12)
