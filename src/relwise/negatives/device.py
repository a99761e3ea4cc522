"""Corruptions made where the states are: on a GPU, with nothing of them copied to the CPU."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from relwise.kernels import cuda
from relwise.negatives.base import NegativeSampler, PoolSampler
from relwise.negatives.blocks import SharedPools
from relwise.negatives.corrupt import ENDS, Corruptor
from relwise.nn.decoders import Decoder

SLICE = 1 << 18  # edges whose queries exist at a time: memory of SLICE × d, not of edges × d


class Triples(NamedTuple):
    """Edges as a decoder takes them: (n,) int64 each."""

    heads: Tensor
    relations: Tensor
    tails: Tensor


class Drawn(NamedTuple):
    """One negative for each of n positives, how many corruptions were proposed for them, and how many were refused;
    and the pools, where all of them is learnt from (`Negatives`)."""

    edges: Triples
    proposed: int | Tensor
    refused: int | Tensor
    pools: SharedPools | None = None


class DeviceCorruptor:
    """A `Corruptor` whose tables lie on a device, and what it asks of them, in Triton's fused pass over the pool.

    Draws are a function of (seed, edge, number of the draw), as on the CPU; which end is replaced is drawn by torch's
    generator of the device. Each edge has a pool of its own: there is no time to be saved by sharing. A sampler that
    is no `PoolSampler` (`nscaching`, `kbgan`, `self_adversarial`), or an installation without Triton, has its
    negatives made on the CPU, from states that are copied there.

    Args:
        corruptor: whose edges, and what is refused.
        device: where.
    """

    def __init__(self, corruptor: Corruptor, device: torch.device) -> None:
        def put(array: np.ndarray) -> Tensor:
            return torch.from_numpy(np.ascontiguousarray(array)).to(device)

        self.host, self.device = corruptor, device
        table = corruptor.table
        self.ends, self.relations, self.ranges = put(table.ends), put(table.relations), put(table.ranges)
        self.rows, self.indptr, self.partners = put(table.rows), put(table.indptr), put(table.partners)
        self.open = put(corruptor.open)

    def at(self, index: Tensor) -> Triples:
        """The edges of `index`."""
        heads, tails = self.ends[:, index].long()
        return Triples(heads, self.relations[index].long(), tails)

    def sample(
        self,
        index: Tensor,
        sampler: NegativeSampler,
        decoder: Decoder,
        nodes: Tensor,
        positive_logit: Tensor | None,
        step: int,
        seed: int,
    ) -> Drawn:
        """One negative for each edge of `index`; arguments as of `Corruptor.sample`, on the device."""
        pool = sampler.pool(step)
        if not cuda.HAS_TRITON or (pool > 1 and not isinstance(sampler, PoolSampler)):
            return self._on_host(index, sampler, decoder, nodes, positive_logit, step, seed)
        which = torch.arange(len(index), device=self.device)
        coin = torch.randint(0, 2, (len(index),), device=self.device)
        replaced = torch.where(self.open[coin, index], coin, 1 - coin)
        if pool > 1 and isinstance(sampler, PoolSampler):
            assert positive_logit is not None
            wanted, bound = sampler.bounds(positive_logit.detach(), step)
        else:  # of one candidate there is no choice
            wanted, bound = (nodes.new_zeros(len(index), dtype=kind) for kind in (torch.float64, nodes.dtype))
        triples, chosen, refused = self.at(index), torch.empty_like(which), torch.empty_like(which)
        for begin in range(0, len(index), SLICE):
            part = slice(begin, min(begin + SLICE, len(index)))
            chosen[part], refused[part] = self._choose(
                seed, begin, index[part], replaced[part], which[part], decoder, nodes.detach(), wanted[part],
                bound[part], pool,
            )  # fmt: skip
        at_head = replaced == 0
        heads = torch.where(at_head, chosen, triples.heads)
        tails = torch.where(at_head, triples.tails, chosen)
        total = refused.sum()
        return Drawn(Triples(heads, triples.relations, tails), len(index) * pool + total, total)

    @torch.no_grad()
    def _choose(
        self,
        seed: int,
        begin: int,
        index: Tensor,
        replaced: Tensor,
        owner: Tensor,
        decoder: Decoder,
        nodes: Tensor,
        wanted: Tensor,
        bound: Tensor,
        pool: int,
    ) -> tuple[Tensor, Tensor]:
        """The chosen nodes and the refusals of some edges, the first of which is number `begin` of the step's."""
        from relwise.kernels.cuda.pool import propose_and_choose

        relation, anchor = self.relations[index].long(), self.ends[1 - replaced, index].long()
        low, high = self.ranges[replaced, relation].t()
        row = self.rows[replaced, index].long()
        known = self.indptr[row], self.indptr[row + 1]
        if pool == 1:  # scored by nobody: any query will do
            states, query = nodes.new_zeros(len(nodes), 1), nodes.new_zeros(len(index), 1)
        else:
            states, anchors = decoder.keys(nodes).contiguous(), nodes.index_select(0, anchor)
            of_head, of_tail = (decoder.query(end, anchors, relation) for end in ENDS)
            query = torch.where((replaced == 0)[:, None], of_head, of_tail)
        given = anchor, low.contiguous(), high.contiguous(), owner, *known, self.partners
        return propose_and_choose(seed, *given, query, states, wanted, bound, pool, begin)

    def _on_host(
        self,
        index: Tensor,
        sampler: NegativeSampler,
        decoder: Decoder,
        nodes: Tensor,
        positive_logit: Tensor | None,
        step: int,
        seed: int,
    ) -> Drawn:
        logit = None if positive_logit is None else positive_logit.cpu()
        found = self.host.sample(index.cpu().numpy(), sampler, decoder, nodes, logit, step, seed)
        edges = found.edges
        columns = (torch.tensor(a, device=self.device) for a in (edges.heads, edges.relations, edges.tails))
        return Drawn(Triples(*columns), found.proposed, found.refused, found.pools)
