"""The generator of `kbgan`: a small DistMult that draws negatives, and learns which to draw by REINFORCE."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, Self

import numpy as np
import torch
from torch import Tensor, nn

from relwise.kernels.adam import Adam

SPREAD = 0.2  # of the first logits: nearly even draws, as in the code of KBGAN's authors


class Pools(NamedTuple):
    """Edges with one end missing, and what may be put there: indices.

    Args:
        anchors: (n,) the ends that are kept.
        relations: (n,) the relations.
        candidates: (n, k) nodes.
    """

    anchors: Tensor
    relations: Tensor
    candidates: Tensor


class Drawn(NamedTuple):
    """A candidate drawn from each pool, and what learning from it needs.

    Args:
        pools: which.
        share: (n, k) the probability that each candidate had.
        slot: (n,) the one drawn.
        embedding: (n, k, d) the candidates'.
    """

    pools: Pools
    share: Tensor
    slot: Tensor
    embedding: Tensor


class Generator:
    """Draws from pools in shares `softmax_j Σ_d e_a[d] w_r[d] e_cj[d]`, and ascends `1/n Σ_i (R_i − b) log p_i,s`.

    `draw` and `learn` may be called for one part of a step's edges after another; `step` then updates. The gradient is
    written out: `∂ log p_s / ∂ logit_j = [j = s] − p_j`. Sums are made in the order of the edges, so the same calls
    give the same bits.

    Args:
        node: (N, d) e.
        relation: (R, d) w.
        learning_rate: of its Adam.
        baseline: b, the mean reward of the step before.

    >>> generator = Generator.drawn(4, 1, 8, np.random.default_rng(0), learning_rate=0.1)
    >>> pools = Pools(torch.tensor([0]), torch.tensor([0]), torch.tensor([[1, 2]]))
    >>> for coin in np.random.default_rng(1).random((100, 1)):
    ...     drawn = generator.draw(pools, torch.from_numpy(coin))
    ...     generator.learn(drawn, drawn.slot.float())  # a reward of 1 for node 2, of 0 for node 1
    ...     generator.step()
    >>> bool(generator.draw(pools, torch.zeros(1)).share[0, 1] > 0.9)
    True
    """

    def __init__(self, node: Tensor, relation: Tensor, learning_rate: float, baseline: float = 0.0) -> None:
        self.node, self.relation = nn.Parameter(node), nn.Parameter(relation)
        self.optimizer = Adam([self.node, self.relation], learning_rate)
        self.baseline, self._rewards, self._count = baseline, 0.0, 0

    @classmethod
    def drawn(
        cls, num_nodes: int, num_relations: int, dim: int, rng: np.random.Generator, learning_rate: float
    ) -> Self:
        """One that has learnt nothing: embeddings from N(0, σ²), σ such that logits deviate by `SPREAD`."""
        scale = np.float32((SPREAD / dim**0.5) ** (1 / 3))
        node, relation = (
            torch.from_numpy(rng.standard_normal((count, dim), np.float32) * scale)
            for count in (num_nodes, num_relations)
        )
        return cls(node, relation, learning_rate)

    @torch.no_grad()
    def draw(self, pools: Pools, coins: Tensor) -> Drawn:
        """A candidate of each pool.

        Args:
            pools: of n edges; n · k · d numbers are made.
            coins: (n,) float64 numbers drawn evenly from [0, 1), which decide.
        """
        embedding = self.node.index_select(0, pools.candidates.flatten()).view(*pools.candidates.shape, -1)
        query = self.node.index_select(0, pools.anchors) * self.relation.index_select(0, pools.relations)
        share = torch.bmm(embedding, query[:, :, None])[:, :, 0].double().softmax(dim=1)
        slot = (share.cumsum(dim=1) <= coins[:, None]).sum(dim=1).clamp(max=share.shape[1] - 1)
        return Drawn(pools, share, slot, embedding)

    @torch.no_grad()
    def learn(self, drawn: Drawn, reward: Tensor) -> None:
        """Add what was drawn to the gradient.

        Args:
            drawn: of n edges.
            reward: (n,) R.
        """
        if self.node.grad is None or self.relation.grad is None:
            self.node.grad, self.relation.grad = torch.zeros_like(self.node), torch.zeros_like(self.relation)
        (anchors, relations, candidates), share, slot, embedding = drawn
        reward = reward.double()
        self._rewards, self._count = self._rewards + float(reward.sum()), self._count + len(reward)
        pull = share.clone()  # of the loss, which is what is ascended times −n
        pull.scatter_add_(1, slot[:, None], -torch.ones_like(pull[:, :1]))
        pull = (pull * (reward - self.baseline)[:, None]).to(embedding.dtype)
        anchor, relation = self.node.index_select(0, anchors), self.relation.index_select(0, relations)
        of_query = torch.bmm(pull[:, None], embedding)[:, 0]
        of_candidates = pull[:, :, None] * (anchor * relation)[:, None]
        self.node.grad.index_add_(0, candidates.flatten(), of_candidates.flatten(0, 1))
        self.node.grad.index_add_(0, anchors, of_query * relation)
        self.relation.grad.index_add_(0, relations, of_query * anchor)

    def step(self) -> None:
        """Update by the mean gradient of what was learnt since the last step, and set the baseline to its reward."""
        if self._count == 0:
            return
        for weight in (self.node, self.relation):
            if weight.grad is not None:
                weight.grad /= self._count
        self.optimizer.step()
        self.optimizer.forget_gradients()
        self.baseline, self._rewards, self._count = self._rewards / self._count, 0.0, 0

    def state(self) -> dict[str, Tensor]:
        """Weights, Adam's moments and the baseline."""
        found = {"baseline": torch.tensor(self.baseline, dtype=torch.float64)}
        for i, (name, weight) in enumerate((("node", self.node), ("relation", self.relation))):
            found[name] = weight.detach()
            found |= {f"{name}.{moment}": tensor for moment, tensor in self.optimizer.moments.get(i, {}).items()}
        return found

    @classmethod
    def loaded(cls, state: Mapping[str, Tensor], learning_rate: float) -> Self:
        """One that goes on from where `state` was taken."""
        weights = state["node"].clone(), state["relation"].clone()
        made = cls(*weights, learning_rate, float(state["baseline"]))
        for i, name in enumerate(("node", "relation")):
            moments = {key.removeprefix(f"{name}."): state[key] for key in state if key.startswith(f"{name}.")}
            if moments:
                made.optimizer.moments[i] = {moment: tensor.clone() for moment, tensor in moments.items()}
        return made
