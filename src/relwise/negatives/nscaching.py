"""NSCaching: `NSCaching: Simple and Efficient Negative Sampling for Knowledge Graph Embedding
<https://arxiv.org/abs/1812.06410>`_ (Zhang, Yao, Shao, Chen; ICDE 2019)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from relwise.kernels import caches as kernel
from relwise.negatives.base import Asked, NegativeSampler, Taken, uniform_nodes
from relwise.negatives.corrupt import HEAD, TAIL, Corruptor


class NSCachingSampler(NegativeSampler):
    """Keeps N1 likely negatives for each (relation, tail) and each (head, relation), and takes one of them evenly.

    The published algorithm, for each step:

    1. the negative of each positive is drawn uniformly from the cache of the end that is replaced;
    2. the caches of both its ends are refreshed: N2 new nodes join the N1 there are, and of all N1 stay, drawn without
       replacement in proportion to e^score under the step's own states.

    A cache begins with uniform draws. No known edge enters one. Two things differ: positives of a step that have a
    cache in common refresh it once, and an undirected relation has one cache per node, as its ends mean the same.

    Args:
        pool: N1 and N2, the cache's size and the number of new nodes (the paper finds equal ones best, and uses 50).
        warmup: steps of random negatives first, which touch no cache.
    """

    def __init__(self, pool: int = 50, warmup: int = 0) -> None:
        super().__init__(pool)
        self.warmup = warmup
        self.cache: Tensor | None = None

    def pool(self, step: int) -> int:
        return 1 if step < self.warmup else self._pool

    def take(self, corruptor: Corruptor, asked: Asked) -> Taken:
        if self.pool(asked.step) == 1:
            return uniform_nodes(corruptor, asked)
        table, index, seed = corruptor.table, asked.index, np.uint64(asked.seed)
        if self.cache is None:
            if (table.rows == len(table.indptr) - 2).any():
                raise ValueError(
                    "caches are kept for known edges only, and some of those to be corrupted are not known"
                )
            self.cache = torch.full((len(table.indptr) - 2, self._pool), -1, dtype=torch.int32)
        cache, seen = self.cache.numpy(), np.zeros(len(table.indptr) - 2, bool)
        which = [kernel.distinct_rows(table, index, corruptor.open, end, seen) for end in (HEAD, TAIL)]
        proposed, refused = 0, 0
        for end in (HEAD, TAIL):
            count = np.empty(len(which[end]), np.int64)
            kernel.fill(seed, table, which[end], end, cache, count)
            proposed, refused = proposed + self._pool * int((count >= 0).sum()), refused + int(count.clip(0).sum())
        chosen = np.empty(len(index), np.int64)
        kernel.take(seed, table, index, asked.replaced, cache, chosen)
        edges, states = np.concatenate(which), asked.keys.cpu().numpy()
        count, blocks = np.empty(len(edges), np.int64), np.arange(len(edges) + 1)
        for begin, stop, query in corruptor.queries(edges, blocks, len(which[HEAD]), asked.decoder, asked.nodes):
            end = HEAD if begin < len(which[HEAD]) else TAIL
            part = slice(begin, stop)
            kernel.refresh(seed, table, edges[part], end, query.numpy(), states, self._pool, cache, count[part])
        proposed, refused = proposed + self._pool * len(edges), refused + int(count.sum())
        return Taken(chosen, proposed + refused, refused)

    def state(self) -> dict[str, Tensor]:
        return {} if self.cache is None else {"cache": self.cache}

    def load_state(self, state: Mapping[str, Tensor]) -> None:
        self.cache = state["cache"].clone() if "cache" in state else None
