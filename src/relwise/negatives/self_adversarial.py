"""Self-adversarial negatives: `RotatE: Knowledge Graph Embedding by Relational Rotation in Complex Space
<https://arxiv.org/abs/1902.10197>`_ (Sun, Deng, Nie, Tang; ICLR 2019), section 3.3."""

from __future__ import annotations

from torch import Tensor

from relwise.negatives.base import Asked, NegativeSampler, Taken, uniform_nodes
from relwise.negatives.corrupt import Corruptor


class SelfAdversarialSampler(NegativeSampler):
    """Learns from all k uniform negatives of a positive, each weighed by how likely the model finds it::

        loss_i = softplus(-s_i) + Σ_j w_ij softplus(s_ij),      w_i = softmax_j(α s_ij), without gradient

    Nothing is chosen and nothing thrown away: a step scores k negatives for each positive, and costs accordingly.

    Args:
        pool: k.
        temperature: α; 0 weighs all alike.
        warmup: steps of one random negative first.

    >>> import torch
    >>> SelfAdversarialSampler(pool=2).weigh(torch.tensor([[0.0, 0.0]])).tolist()
    [[0.5, 0.5]]
    """

    def __init__(self, pool: int = 10, temperature: float = 1.0, warmup: int = 0) -> None:
        super().__init__(pool)
        self.temperature, self.warmup = temperature, warmup

    def pool(self, step: int) -> int:
        return 1 if step < self.warmup else self._pool

    def take(self, corruptor: Corruptor, asked: Asked) -> Taken:
        pool = self.pool(asked.step)
        if pool == 1:
            return uniform_nodes(corruptor, asked)
        candidates, refused = corruptor.proposals(asked.index, asked.replaced, pool, asked.seed)
        return Taken(candidates, candidates.size + int(refused.sum()), int(refused.sum()))

    def weigh(self, logits: Tensor) -> Tensor:
        return (self.temperature * logits.detach()).softmax(dim=1)
