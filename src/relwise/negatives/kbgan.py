"""KBGAN: `KBGAN: Adversarial Learning for Knowledge Graph Embeddings <https://arxiv.org/abs/1711.04071>`_
(Cai, Wang; NAACL 2018)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from relwise.negatives.base import Asked, NegativeSampler, Taken, uniform_nodes
from relwise.negatives.corrupt import Corruptor
from relwise.negatives.generator import Generator, Pools

AT_ONCE = 1 << 15  # candidates whose embeddings exist at a time: memory of AT_ONCE × d, not of edges × pool × d
START, DRAW = 1, 2  # what a step's seed is used for, besides the proposals


class KBGANSampler(NegativeSampler):
    """Takes a candidate drawn by a generator, which learns to draw those that the trained network finds likely.

    The generator is a DistMult with embeddings `e`, `w` of its own. Of a positive's k uniform corruptions, where the
    j-th puts c_j beside the end a that is kept, it draws one, and learns by REINFORCE from the step's n draws::

        g_j = Σ_d e_a[d] w_r[d] e_cj[d],        p_j = softmax_j(g_j),        s ~ p
        reward  R_i = the network's logit of the negative drawn, under the step's own states
        ascends     1/n Σ_i (R_i − b) log p_i,s        by one step of Adam
        then        b ← 1/n Σ_i R_i

    The baseline b is the mean reward of the generator's step before, 0 at its first, and changes no expectation. The
    network is the discriminator. It learns from what was drawn as from any negative; no gradient of the generator
    reaches it, and of it none the generator.

    Deviations: the authors pre-train generator and discriminator, and train the latter by a margin loss. Here nothing
    is pre-trained: the generator begins with nearly even draws, the network has its warm-up of random negatives, and
    its loss is the cross entropy that it has with every sampler. Their baseline is the mean of an epoch of mini-batches
    before, and a step here is what an epoch is there; so the generator's steps are fewer and larger (their Adam has a
    rate of 0.001, and L2 weights). Their pool is of uniform corruptions too, but may hold known edges.

    Args:
        pool: k (the authors use 20).
        warmup: steps of random negatives first, from which the generator does not learn.
        dim: d of its embeddings.
        learning_rate: of its Adam.

    >>> from relwise.data.graph import Graph
    >>> from relwise.negatives import Corruptor, KnownEdges
    >>> from relwise.nn.decoders import DistMult
    >>> graph = Graph.from_triples([(i, "to", i + 1) for i in range(9)])
    >>> corruptor = Corruptor(graph, graph.edges, KnownEdges(graph, graph.edges))
    >>> sampler, index, positive = KBGANSampler(pool=4), np.arange(9), torch.zeros(9)
    >>> found = corruptor.sample(index, sampler, DistMult(1, 8), torch.randn(10, 8), positive, step=0, seed=0)
    >>> len(found.edges), found.proposed - found.refused
    (9, 36)
    >>> sampler.state()["node"].shape
    torch.Size([10, 32])
    """

    def __init__(self, pool: int = 20, warmup: int = 0, dim: int = 32, learning_rate: float = 0.02) -> None:
        super().__init__(pool)
        self.warmup, self.dim, self.learning_rate = warmup, dim, learning_rate
        self.generator: Generator | None = None  # how many nodes and relations there are, the first step says

    def pool(self, step: int) -> int:
        return 1 if step < self.warmup else self._pool

    def take(self, corruptor: Corruptor, asked: Asked) -> Taken:
        pool = self.pool(asked.step)
        if pool == 1:
            return uniform_nodes(corruptor, asked)
        index, replaced, graph = asked.index, asked.replaced, corruptor.graph
        if self.generator is None:
            rng = np.random.default_rng([asked.seed, START])
            sizes = graph.num_nodes, graph.num_relations, self.dim
            self.generator = Generator.drawn(*sizes, rng, self.learning_rate)
        candidates, refused = corruptor.proposals(index, replaced, pool, asked.seed)
        coins = np.random.default_rng([asked.seed, DRAW]).random(len(index))
        anchors, relations = corruptor.table.ends[1 - replaced, index], corruptor.table.relations[index]
        keys, chosen = asked.keys.cpu(), np.empty(len(index), np.int64)
        order, blocks, tails = corruptor.arrange(index, replaced, 1)
        for begin, stop, query in corruptor.queries(index[order], blocks, tails, asked.decoder, asked.nodes):
            stretch, each = order[begin:stop], max(1, AT_ONCE // pool)  # a block of a pool's own holds one edge
            for first in range(0, len(stretch), each):
                part = stretch[first : first + each]
                pools = Pools(*(torch.from_numpy(array[part]).long() for array in (anchors, relations, candidates)))
                drawn = self.generator.draw(pools, torch.from_numpy(coins[part]))
                node = pools.candidates.gather(1, drawn.slot[:, None])[:, 0]
                self.generator.learn(drawn, (query[first : first + each] * keys.index_select(0, node)).sum(dim=1))
                chosen[part] = node.numpy()
        self.generator.step()
        return Taken(chosen, candidates.size + int(refused.sum()), int(refused.sum()))

    def state(self) -> dict[str, Tensor]:
        return {} if self.generator is None else self.generator.state()

    def load_state(self, state: Mapping[str, Tensor]) -> None:
        self.generator = None
        if state:
            self.generator = Generator.loaded(state, self.learning_rate)
