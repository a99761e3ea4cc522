"""What a negative sampler is: how large a pool it wants, and which of the pool it takes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from relwise.kernels import own_pool
from relwise.kernels import pool as kernel

if TYPE_CHECKING:  # a corruptor asks samplers, which are made without one
    from relwise.negatives.blocks import SharedPools
    from relwise.negatives.corrupt import Corruptor
    from relwise.nn.decoders import Decoder

IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Asked:
    """What a step asks of a sampler: one node for each of n positives.

    Args:
        index: (n,) which of the corruptor's edges.
        replaced: (n,) which end is replaced, 0 for the head, 1 for the tail.
        decoder: scores.
        nodes: (N, d) the step's node states, detached.
        positive_logit: (n,) the positives' logits under the same states; None: the pool is of one, there is no choice.
        step: the training step, counted from 0.
        seed: of all draws.
    """

    index: IntArray
    replaced: IntArray
    decoder: Decoder
    nodes: Tensor
    positive_logit: Tensor | None
    step: int
    seed: int

    @cached_property
    def keys(self) -> Tensor:
        """(N, k) what the decoder's queries are multiplied with."""
        with torch.no_grad():
            return self.decoder.keys(self.nodes).contiguous()


@dataclass(frozen=True, eq=False)
class Taken:
    """What a sampler answers: (n,) nodes, or (n, k) where it learns from several for each positive; how many
    corruptions were proposed for that and how many of them refused; and, where it learns from pools that edges share,
    these: `nodes` has one of each positive's then."""

    nodes: IntArray
    proposed: int
    refused: int
    pools: SharedPools | None = None


class NegativeSampler(ABC):
    """Takes one node for each positive, which put in place of its replaced end makes an edge that is not known.

    Probabilities and scores are those of the step's own forward pass, before its update, detached.

    Args:
        pool: k, the number of corruptions to choose from; of one candidate there is no choice, and it is uniform.
    """

    def __init__(self, pool: int) -> None:
        if pool < 1:
            raise ValueError(f"a pool holds at least one candidate, not {pool}")
        self._pool = pool

    def pool(self, step: int) -> int:
        """How many candidates to choose from at `step`, counted from 0."""
        return self._pool

    @abstractmethod
    def take(self, corruptor: Corruptor, asked: Asked) -> Taken:
        """One node for each positive."""

    def weigh(self, logits: Tensor) -> Tensor:
        """(n, k) what each of a positive's k negatives counts in the loss, 1 in all; without gradient.

        Args:
            logits: (n, k) of the negatives, under the states that are learnt from.
        """
        return torch.full_like(logits, 1 / logits.shape[1]).detach()

    def state(self) -> dict[str, Tensor]:
        """What later steps need of earlier ones: it goes into checkpoints."""
        return {}

    def load_state(self, state: Mapping[str, Tensor]) -> None:
        """Go on from where `state` was taken."""
        del state


def uniform_nodes(corruptor: Corruptor, asked: Asked) -> Taken:
    """For each positive a node drawn uniformly from those that make an unknown edge: a pool of one candidate."""
    candidates, refused = corruptor.proposals(asked.index, asked.replaced, 1, asked.seed)
    return Taken(candidates[:, 0], len(refused) + int(refused.sum()), int(refused.sum()))


class PoolSampler(NegativeSampler):
    """Takes one candidate from each positive's pool: the one whose probability is nearest to a wanted one.

    Every published rule here says what probability it wants, given the positive's (`wanted`); the rest is shared.

    Args:
        pool: k, the number of corruptions to choose from.
        shared: about how many edges of one relation and replaced end have one draw of a pool; 1: each has its own.
    """

    def __init__(self, pool: int, shared: int = 1) -> None:
        super().__init__(pool)
        if shared < 1:
            raise ValueError(f"a pool serves at least one edge, not {shared}")
        self._shared = shared

    def shared(self, step: int) -> int:
        """About how many edges share a pool at `step`. A pool of one candidate is never shared."""
        return self._shared if self.pool(step) > 1 else 1

    @abstractmethod
    def wanted(self, positive: Tensor, step: int) -> Tensor:
        """(n,) the probability wanted of the negative; 1 or more asks for the hardest.

        Args:
            positive: (n,) probability p' of each positive.
            step: the training step, counted from 0.
        """

    def goals(self, positive_logit: Tensor, step: int) -> tuple[Tensor, Tensor]:
        """(n,) the probability wanted and its logit, both in float64."""
        wanted = self.wanted(positive_logit.detach().double().sigmoid(), step)
        return wanted, wanted.clamp(0, 1).logit()

    def bounds(self, positive_logit: Tensor, step: int) -> tuple[Tensor, Tensor]:
        """(n,) the probability wanted, in float64, and its logit, rounded down to the dtype of `positive_logit`.

        A candidate is likelier than wanted exactly where its own logit is above this one.
        """
        wanted, exact = self.goals(positive_logit, step)
        rounded = exact.to(positive_logit.dtype)
        down = torch.nextafter(rounded, torch.full_like(rounded, -torch.inf))
        return wanted, torch.where(rounded.double() > exact, down, rounded)

    def choose(self, positive_logit: Tensor, candidate_logits: Tensor, step: int) -> Tensor:
        """(n,) which of its candidates each positive takes: the plain form of what the fused pass does.

        Of two that are equally near, one likelier than wanted and one less, it is the less likely; of equal logits
        the first. Where probabilities round to the same number, the logits still tell them apart.

        Args:
            positive_logit: (n,) logits of the positives.
            candidate_logits: (n, k) logits of their pools.
            step: the training step, counted from 0.
        """
        wanted, bound = (value[:, None] for value in self.bounds(positive_logit, step))
        logits = candidate_logits.detach()
        below = torch.where(logits <= bound, logits, -torch.inf).argmax(dim=1, keepdim=True)
        above = torch.where(logits <= bound, torch.inf, logits).argmin(dim=1, keepdim=True)
        low, high = logits.gather(1, below), logits.gather(1, above)
        nearer = wanted - low.double().sigmoid() <= high.double().sigmoid() - wanted
        return torch.where((low <= bound) & (nearer | (high <= bound)), below, above)[:, 0]

    def take(self, corruptor: Corruptor, asked: Asked) -> Taken:
        index, replaced, pool, shared = asked.index, asked.replaced, self.pool(asked.step), self.shared(asked.step)
        if pool == 1:
            return uniform_nodes(corruptor, asked)
        assert asked.positive_logit is not None
        wanted, bound = (value.numpy() for value in self.goals(asked.positive_logit, asked.step))
        states = asked.keys.cpu().numpy()
        chosen, refused = np.empty(len(index), np.int64), np.empty(len(index), np.int64)
        order, blocks, tails = corruptor.arrange(index, replaced, shared)
        edges, factors = (np.uint64(asked.seed), corruptor.table, index, replaced), asked.decoder.factors()
        if shared > 1 and factors is not None:
            rows = factors.detach().to(asked.keys.dtype).cpu().contiguous().numpy()
            scored = (states[:0], rows, states, wanted, bound, pool, chosen, refused)
            kernel.choose_shared(*edges, order, blocks, *scored)
            return _taken(chosen, pool, refused)
        for begin, stop, query in corruptor.queries(index[order], blocks, tails, asked.decoder, asked.nodes):
            scored = (states, wanted, bound, pool, chosen, refused)
            if shared == 1:
                own_pool.choose_own(*edges, order[blocks[begin] : blocks[stop]], query.numpy(), *scored)
            else:
                kernel.choose_shared(*edges, order, blocks[begin : stop + 1], query.numpy(), states[:0], *scored)
        return _taken(chosen, pool, refused)


def _taken(chosen: IntArray, pool: int, refused: IntArray) -> Taken:
    again = int(refused.sum())
    return Taken(chosen, len(chosen) * pool + again, again)
