"""Self-adversarial negatives: `RotatE: Knowledge Graph Embedding by Relational Rotation in Complex Space
<https://arxiv.org/abs/1902.10197>`_ (Sun, Deng, Nie, Tang; ICLR 2019), section 3.3."""

from __future__ import annotations

import torch
from torch import Tensor

from relwise.negatives.base import Asked, NegativeSampler, Taken, uniform_nodes
from relwise.negatives.blocks import draw_pools
from relwise.negatives.corrupt import Corruptor


class SelfAdversarialSampler(NegativeSampler):
    """Learns from all k uniform negatives of a positive, each weighed by how likely the model finds it::

        loss_i = softplus(-s_i) + Σ_j w_ij softplus(s_ij),      w_i = softmax_j(α s_ij), without gradient

    Nothing is chosen and nothing thrown away: a step scores k negatives for each positive, and costs accordingly.
    Where edges share pools, products of matrices score them: some twenty times as many in the same time. A shared pool
    has a node once, and what an edge refuses of it is not replaced, so that a few of the k are missing.

    Args:
        pool: k.
        temperature: α; 0 weighs all alike.
        warmup: steps of one random negative first.
        shared: about how many edges of one replaced end and its type have a pool in common; 1: each has its own.

    >>> import torch
    >>> SelfAdversarialSampler(pool=2).weigh(torch.tensor([[0.0, 0.0]])).tolist()
    [[0.5, 0.5]]
    """

    def __init__(self, pool: int = 10, temperature: float = 1.0, warmup: int = 0, shared: int = 1) -> None:
        super().__init__(pool)
        self.temperature, self.warmup, self.shared = temperature, warmup, shared

    def pool(self, step: int) -> int:
        return 1 if step < self.warmup else self._pool

    def take(self, corruptor: Corruptor, asked: Asked) -> Taken:
        pool = self.pool(asked.step)
        if pool == 1:
            return uniform_nodes(corruptor, asked)
        if self.shared > 1:
            pools, nodes = draw_pools(corruptor, asked, pool, self.shared)
            return Taken(nodes, pools.refused.size, int(pools.refused.sum()), pools)
        candidates, refused = corruptor.proposals(asked.index, asked.replaced, pool, asked.seed)
        return Taken(candidates, candidates.size + int(refused.sum()), int(refused.sum()))

    def weigh(self, logits: Tensor) -> Tensor:
        refused = logits.detach() == -torch.inf
        scaled = (self.temperature * logits.detach()).masked_fill_(refused, -torch.inf)
        return scaled.softmax(dim=1).masked_fill_(refused, 0.0)  # of a pool refused whole nothing is learnt
