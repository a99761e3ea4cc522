"""The messages of an adjacency one by one, as PyG's layers take them: those that are masked are left out."""

from __future__ import annotations

from dataclasses import dataclass
from weakref import WeakKeyDictionary

import torch
from torch import Tensor

from relwise.kernels.adjacency import Adjacency, edge_targets


@dataclass(frozen=True, eq=False)
class EdgeList:
    """E messages, relation after relation.

    Args:
        ends: (2, E) int64 source and target of each.
        relation: (E,) int64, ascending.
        fact: (E,) int64, the fact that each states.
        num_relations: R.
    """

    ends: Tensor
    relation: Tensor
    fact: Tensor
    num_relations: int

    def kept(self, keep: Tensor | None) -> EdgeList:
        """Those of the facts that carry messages.

        Args:
            keep: (F,) bool; None: all.
        """
        if keep is None:
            return self
        which = keep[self.fact].nonzero()[:, 0]
        return EdgeList(self.ends[:, which], self.relation[which], self.fact[which], self.num_relations)

    def by_relation(self) -> tuple[Tensor, ...]:
        """R tensors (2, E_r): each relation's sources and targets."""
        return self.ends.split(torch.bincount(self.relation, minlength=self.num_relations).tolist(), dim=1)


_MADE: WeakKeyDictionary[Adjacency, EdgeList] = WeakKeyDictionary()


def edge_list(adjacency: Adjacency) -> EdgeList:
    """The messages of an adjacency, in no more memory than 4 integers a message; made once for each adjacency.

    >>> from relwise.kernels.adjacency import build_adjacency
    >>> adjacency = build_adjacency(torch.tensor([0, 1]), torch.tensor([2, 0]), torch.tensor([1, 0]), 3, 2)
    >>> edges = edge_list(adjacency)
    >>> edges.ends.tolist(), edges.relation.tolist()
    ([[1, 0], [0, 2]], [0, 1])
    >>> [part.tolist() for part in edges.kept(torch.tensor([True, False])).by_relation()]
    [[[], []], [[0], [2]]]
    """
    if adjacency not in _MADE:
        target = edge_targets(adjacency.indptr, adjacency.num_edges)
        row = adjacency.row.long()
        relation = adjacency.row_relation[row]
        order = torch.argsort(relation, stable=True)
        ends = torch.stack([adjacency.row_source[row[order]], target[order]])
        _MADE[adjacency] = EdgeList(ends, relation[order], adjacency.fact.long()[order], adjacency.num_relations)
    return _MADE[adjacency]
