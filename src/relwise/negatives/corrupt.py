"""Proposing corruptions of edges, and the fused pass that proposes, refuses, scores and chooses."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from relwise.data.edges import Edges
from relwise.data.graph import Graph
from relwise.kernels import pool as kernel
from relwise.negatives.base import NegativeSampler
from relwise.negatives.filters import KnownEdges
from relwise.nn.decoders import Decoder, End

SLICE = 8192  # edges whose queries exist at a time: memory of SLICE × d, not of edges × d


@dataclass(frozen=True, eq=False)
class Negatives:
    """One negative for each of n positives.

    Args:
        edges: the negatives; every one is absent from the known edges and within its relation's types.
        proposed: how many corruptions were proposed, those refused counted.
        refused: how many of them were known edges or self-loops.
    """

    edges: Edges
    proposed: int
    refused: int


class Corruptor:
    """Replaces one end of each edge by nodes of the relation's type, so that the edge is not a known one.

    Known edges are refused exactly, not by chance; self-loops are not proposed. Which end is replaced is drawn
    evenly, save where only one of them leaves an unknown edge to make.

    Args:
        graph: the graph.
        edges: the edges to be corrupted later, by index.
        known: what is refused.
    """

    def __init__(self, graph: Graph, edges: Edges, known: KnownEdges) -> None:
        self.graph, self.edges, self.known = graph, edges, known
        self._head_open = known.replaceable(edges, "head")
        self._tail_open = known.replaceable(edges, "tail")

    @property
    def corruptible(self) -> npt.NDArray[np.bool_]:
        """(n,) whether an edge has any negative at all."""
        return self._head_open | self._tail_open

    def replaced_heads(self, index: npt.NDArray[np.int64], seed: int) -> npt.NDArray[np.bool_]:
        """(len(index),) whether the head (else the tail) is replaced."""
        coin = np.random.default_rng([seed, 1]).random(len(index)) < 0.5
        return (coin | ~self._tail_open[index]) & self._head_open[index]

    def propose(
        self, index: npt.NDArray[np.int64], replace_head: npt.NDArray[np.bool_], pool: int, seed: int
    ) -> npt.NDArray[np.int64]:
        """(n, pool) nodes which, put in place of an end, make edges that are not known.

        Args:
            index: (n,) which edges to corrupt.
            replace_head: (n,) which end.
            pool: how many candidates each.
            seed: the same seed proposes the same nodes, in any number of threads.
        """
        candidates = np.empty((len(index), pool), np.int64)
        refused = np.empty(len(index), np.int64)
        kernel.propose(*[*self._arguments(index, replace_head, seed), candidates, refused])
        return candidates

    def sample(
        self,
        index: npt.NDArray[np.int64],
        sampler: NegativeSampler,
        decoder: Decoder,
        nodes: Tensor,
        positive_logit: Tensor,
        step: int,
        seed: int,
    ) -> Negatives:
        """One negative for each edge of `index`, in one pass over its pool.

        Args:
            index: (n,) which edges.
            sampler: says the pool's size and what to take from it.
            decoder: scores.
            nodes: (N, d) the step's node states.
            positive_logit: (n,) the positives' logits under the same states.
            step: the training step, counted from 0.
            seed: of all draws.
        """
        replace_head = self.replaced_heads(index, seed)
        chosen, refused = np.empty(len(index), np.int64), np.empty(len(index), np.int64)
        pool = sampler.pool(step)
        with torch.no_grad():
            if pool == 1:
                candidates = chosen[:, None]
                kernel.propose(*[*self._arguments(index, replace_head, seed), candidates, refused])
            else:
                states = nodes.detach().contiguous()
                wanted = sampler.wanted(positive_logit.detach().double().sigmoid(), step).numpy()
                for first in range(0, len(index), SLICE):
                    part = slice(first, first + SLICE)
                    query = self._query(index[part], replace_head[part], decoder, states)
                    scored = (query.numpy(), states.numpy(), wanted[part], pool, chosen[part], refused[part], first)
                    arguments = self._arguments(index[part], replace_head[part], seed)
                    kernel.propose_and_choose(*[*arguments, *scored])
        positives = self.edges[index]
        edges = Edges(
            np.where(replace_head, chosen, positives.heads),
            positives.relations,
            np.where(replace_head, positives.tails, chosen),
        )
        return Negatives(edges, len(index) * pool + int(refused.sum()), int(refused.sum()))

    def _query(
        self,
        index: npt.NDArray[np.int64],
        replace_head: npt.NDArray[np.bool_],
        decoder: Decoder,
        nodes: Tensor,
    ) -> Tensor:
        """(n, d) each edge's query for the end that is replaced."""
        positives = self.edges[index]
        query = nodes.new_empty(len(index), nodes.shape[1])
        ends: tuple[tuple[End, npt.NDArray, npt.NDArray], ...] = (
            ("head", positives.tails, replace_head),
            ("tail", positives.heads, ~replace_head),
        )
        for end, anchor, mask in ends:
            relation = torch.from_numpy(positives.relations[mask])
            asked = decoder.query(end, nodes.index_select(0, torch.from_numpy(anchor[mask])), relation)
            query.index_copy_(0, torch.from_numpy(np.flatnonzero(mask)), asked)
        return query

    def _arguments(self, index: npt.NDArray[np.int64], replace_head: npt.NDArray[np.bool_], seed: int) -> tuple:
        positives, graph = self.edges[index], self.graph
        ranges = np.where(
            replace_head[:, None],
            graph.head_ranges[positives.relations],
            graph.tail_ranges[positives.relations],
        )
        anchor = np.where(replace_head, positives.tails, positives.heads)
        low, high = np.ascontiguousarray(ranges[:, 0]), np.ascontiguousarray(ranges[:, 1])
        return (
            np.uint64(seed), low, high, anchor, positives.relations, replace_head, graph.directed,
            graph.num_nodes, self.known.table,
        )  # fmt: skip
