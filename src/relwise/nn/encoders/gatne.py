"""GATNE: `Representation Learning for Attributed Multiplex Heterogeneous Network <https://arxiv.org/abs/1905.01669>`_
(Cen, Zou, Zhang, Yang, Zhou, Tang; KDD 2019)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn
from torch.nn import functional

from relwise.kernels.adjacency import Adjacency
from relwise.kernels.attention import attend
from relwise.kernels.dropout import dropout
from relwise.nn.decoders import Slices
from relwise.nn.edge_layer import EdgeStates
from relwise.nn.encoders.rgcn import relation_targets
from relwise.nn.network import Network
from relwise.nn.relgnn import SLOPE

EDGE_DIM, ATTENTION_DIM = 10, 20
"""s and the attention's width: the authors' for d = 200."""


def start_width(dim: int, num_relations: int) -> int:
    """How many numbers a node's attributes, or its learnt vector, give: b_i and all u_i,r.

    Args:
        dim: d.
        num_relations: M.
    """
    return dim + num_relations * EDGE_DIM


class GATNE(Network):
    """A state for each relation: a base that all share, and what the neighbours through each relation add::

        u_i,r^(k) = LeakyReLU(Ŵ^(k) mean over j ∈ N_i^r of u_j,r^(k-1)),    U_i = [u_i,1^(K) ... u_i,M^(K)]
        a_i,r     = softmax(w_r^T tanh(W_r U_i))^T
        v_i,r     = b_i + M_r^T U_i a_i,r                                   (α_r = 1: M_r takes its part)

    A type with attributes has GATNE-I, `b_i = h(x_i)` and `u_i,r^(0) = g_r(x_i)`, linear maps of what its attribute
    encoders give; a type without has GATNE-T, where both are learnt for each node. (GATNE-I's third term,
    `β_r D^T x_i`, would be the same map as h a second time.) A node without neighbours through r keeps its u_i,r.

    Deviations: a directed relation counts twice among the M, with its inverse, where the paper's edges have no
    direction. And it is trained like all networks here, on edges by cross entropy, with the sampler's negatives; the
    authors train on random walks by skip-gram, with context vectors besides.

    A mean is attention that knows nothing: the kernel's, so nothing of edges × d is made. But it holds N · R · d
    numbers: it is for a few relations.

    Args:
        encoders: as of `Network`, each giving `start_width(d, M)` numbers.
        decoder: of slices: of d numbers for each of the R relations.
        num_inverse, dropout: as of `Network`; dropout falls on the inputs of each level.
        levels: K.

    Shapes:
        start (N, d + M · s) → (N, R · d).
    """

    def __init__(
        self, encoders: Sequence[nn.Module], decoder: Slices, num_inverse: int, dropout: float = 0.0, levels: int = 2
    ) -> None:
        count, dim = decoder.relation.shape
        super().__init__(encoders, decoder, num_inverse, dim, dropout)
        self.levels = nn.ParameterList(_drawn(EDGE_DIM, EDGE_DIM) for _ in range(levels))
        self.attention = _drawn(count, EDGE_DIM, ATTENTION_DIM)
        self.attention_query = _drawn(count, ATTENTION_DIM, 1)
        self.edge_weight = _drawn(count, EDGE_DIM, dim)
        self._pairs: WeakKeyDictionary[Adjacency, Pairs] = WeakKeyDictionary()

    def propagate(
        self,
        start: Tensor,
        adjacency: Adjacency,
        keep: Tensor | None,
        edges: EdgeStates | None,
        sizes: Sequence[int],
    ) -> Tensor:
        if adjacency not in self._pairs:
            self._pairs[adjacency] = pairs_of(adjacency)
        pairs = self._pairs[adjacency]
        base, own = start[:, : self.dim], start[:, self.dim :].reshape(-1, EDGE_DIM)
        for weight in self.levels:
            own = self._level(own, weight, pairs, keep)
        own = own.view(adjacency.num_nodes, -1, EDGE_DIM)
        states = []
        for query, attention, weight in zip(self.attention_query, self.attention, self.edge_weight, strict=True):
            share = torch.softmax(torch.tanh(own @ attention) @ query, dim=1)  # (N, M, 1)
            states.append(base + (share * own).sum(dim=1) @ weight)
        return torch.cat(states, dim=1)

    def _level(self, own: Tensor, weight: Tensor, pairs: Pairs, keep: Tensor | None) -> Tensor:
        """(N · M, s) u^(k) from u^(k-1), and Ŵ^(k)."""
        said = dropout(own, self.dropout, self.training).index_select(0, pairs.source)
        rows = torch.cat([said, said.new_ones(len(said), 1)], dim=1)  # the last tells whether anything is kept
        none = rows.new_zeros(pairs.adjacency.num_nodes, 1), rows.new_zeros(len(rows), 1)
        means, _ = attend(*none, rows, pairs.adjacency, keep)
        told = functional.leaky_relu(means[:, :-1] @ weight, SLOPE)
        told = torch.where(means[:, -1:] > 0.5, told, own.index_select(0, pairs.target))
        return own.index_copy(0, pairs.target, told)


@dataclass(frozen=True, eq=False)
class Pairs:
    """The pairs of node i and message relation r, numbered i · M + r, that messages go out from and come to.

    Args:
        adjacency: the message graph whose Q targets are the pairs that messages come to.
        source: (P,) the pair that each row is of.
        target: (Q,) the pair that each target is.
    """

    adjacency: Adjacency
    source: Tensor
    target: Tensor


def pairs_of(adjacency: Adjacency) -> Pairs:
    """The pairs of a message graph."""
    moved, node, _ = relation_targets(adjacency)
    first = adjacency.row.index_select(0, moved.indptr[:-1]).long()
    source = adjacency.row_source * adjacency.num_relations + adjacency.row_relation
    return Pairs(moved, source, node * adjacency.num_relations + adjacency.row_relation[first])


def _drawn(*shape: int) -> nn.Parameter:
    """Matrices drawn as Xavier's, each for itself."""
    return nn.Parameter(torch.randn(*shape) * (2 / (shape[-1] + shape[-2])) ** 0.5)
