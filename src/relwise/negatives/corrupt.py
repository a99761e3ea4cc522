"""Proposing corruptions of edges, and the fused pass that proposes, refuses, scores and chooses."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from relwise.data.edges import Edges
from relwise.data.graph import Graph
from relwise.kernels import pool as kernel
from relwise.kernels.edge_columns import columns_of, replaced_columns
from relwise.kernels.sieve import sieve_of_rows
from relwise.negatives.base import Asked, IntArray, NegativeSampler
from relwise.negatives.filters import KnownEdges
from relwise.nn.decoders import Decoder, End

if TYPE_CHECKING:  # pools are drawn by a corruptor
    from relwise.negatives.blocks import SharedPools

SLICE = 4096  # edges whose queries exist at a time: memory of SLICE × d, not of edges × d
HEAD, TAIL = 0, 1
ENDS: tuple[End, End] = ("head", "tail")


@dataclass(frozen=True, eq=False)
class Negatives:
    """Negatives of n positives: one for each, or k, those of one positive after those of the one before.

    Args:
        edges: the negatives; every one is absent from the known edges and within its relation's types.
        proposed: how many corruptions were proposed, those refused counted; one that edges share counts for each.
        refused: how many of them were known edges or self-loops.
        pools: where positives share pools, and all of these is learnt from: the pools. `edges` has one of each then.
    """

    edges: Edges
    proposed: int
    refused: int
    pools: SharedPools | None = None


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
        self.graph, self.known = graph, known
        rows = np.stack([known.rows(edges, end) for end in ENDS])
        self.open = np.stack([known.replaceable(edges, end, rows[i]) for i, end in enumerate(ENDS)])
        self.table = kernel.Corruptible(
            np.stack([edges.heads.astype(np.int32), edges.tails.astype(np.int32)]),
            edges.relations.astype(np.int32),
            np.stack([graph.head_ranges, graph.tail_ranges]),
            rows,
            known.indptr,
            known.partners,
            sieve_of_rows(known.indptr, known.partners),
        )

    @property
    def edges(self) -> Edges:
        """All edges, made anew of what is kept in 32 bits: of some of them, `at` is cheaper."""
        return self.at(np.arange(len(self.table.relations)))

    def at(self, index: IntArray) -> Edges:
        """The edges of `index`."""
        return Edges(*columns_of(self.table.ends, self.table.relations, index))

    @property
    def corruptible(self) -> npt.NDArray[np.bool_]:
        """(n,) whether an edge has any negative at all."""
        return self.open[HEAD] | self.open[TAIL]

    def replaced(self, index: IntArray, seed: int) -> IntArray:
        """(len(index),) which end is replaced: 0 for the head, 1 for the tail."""
        out = np.empty(len(index), np.int64)
        kernel.draw_ends(np.uint64(seed), index, self.open, out)
        return out

    def propose(self, index: IntArray, replaced: IntArray, pool: int, seed: int, shared: int = 1) -> IntArray:
        """(n, pool) nodes which, put in place of an end, make edges that are not known.

        Args:
            index: (n,) which edges to corrupt.
            replaced: (n,) which end.
            pool: how many candidates each.
            seed: the same seed proposes the same nodes, in any number of threads.
            shared: about how many edges have a draw of the pool in common.
        """
        return self.proposals(index, replaced, pool, seed, shared)[0]

    def sample(
        self,
        index: IntArray,
        sampler: NegativeSampler,
        decoder: Decoder,
        nodes: Tensor,
        positive_logit: Tensor | None,
        step: int,
        seed: int,
    ) -> Negatives:
        """Negatives for each edge of `index`: one, in one pass over its pool, or as many as the sampler learns from.

        Args:
            index: (n,) which edges.
            sampler: says the pool's size and what to take from it.
            decoder: scores.
            nodes: (N, d) the step's node states.
            positive_logit: (n,) the positives' logits under the same states; None where the pool is of one.
            step: the training step, counted from 0.
            seed: of all draws.
        """
        replaced = self.replaced(index, seed)
        logit = None if positive_logit is None else positive_logit.detach()
        asked = Asked(index, replaced, decoder, nodes.detach(), logit, step, seed)
        taken = sampler.take(self, asked)
        columns = replaced_columns(self.table.ends, self.table.relations, index, replaced, taken.nodes.ravel())
        return Negatives(Edges(*columns), taken.proposed, taken.refused, taken.pools)

    def proposals(
        self, index: IntArray, replaced: IntArray, pool: int, seed: int, shared: int = 1
    ) -> tuple[IntArray, IntArray]:
        """What `propose` returns, and (n,) how many proposals were refused on the way."""
        owner = np.arange(len(index))
        if shared > 1:
            order, blocks, _ = self.arrange(index, replaced, shared)
            owner[order] = np.repeat(order[blocks[:-1]], np.diff(blocks))
        candidates, refused = np.empty((len(index), pool), np.int64), np.empty(len(index), np.int64)
        kernel.propose(np.uint64(seed), self.table, index, replaced, owner, candidates, refused)
        return candidates, refused

    def arrange(self, index: IntArray, replaced: IntArray, shared: int) -> tuple[IntArray, IntArray, int]:
        """Positions in `index` in blocks of about `shared`, heads' blocks first: see `kernels.pool.arrange`."""
        order, blocks, tails = kernel.arrange(self.table.relations, self.graph.num_relations, index, replaced, shared)
        return order, blocks, int(tails)

    @torch.no_grad()
    def queries(
        self, edges: IntArray, blocks: IntArray, tails: int, decoder: Decoder, nodes: Tensor
    ) -> Iterator[tuple[int, int, Tensor]]:
        """Stretches of blocks of about SLICE edges: first block, one past the last, and (m, d) their edges' queries.

        Args:
            edges: (n,) edges in the order of the blocks.
            blocks: (B + 1,) where each begins.
            tails: the first block whose edges' tails are replaced.
        """
        for end, begin, last in ((HEAD, 0, tails), (TAIL, tails, len(blocks) - 1)):
            while begin < last:
                stop = int(np.searchsorted(blocks, blocks[begin] + SLICE, side="right")) - 1
                stop = min(max(stop, begin + 1), last)
                part = edges[blocks[begin] : blocks[stop]]
                anchor, relation = self.table.ends[1 - end, part], torch.from_numpy(self.table.relations[part])
                anchors = nodes.index_select(0, torch.from_numpy(anchor).to(nodes.device))
                yield begin, stop, decoder.query(ENDS[end], anchors, relation.to(nodes.device)).contiguous().cpu()
                begin = stop
