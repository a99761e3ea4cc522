"""R-GCN: `Modeling Relational Data with Graph Convolutional Networks <https://arxiv.org/abs/1703.06103>`_
(Schlichtkrull, Kipf, Bloem, van den Berg, Titov, Welling; ESWC 2018)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn
from torch.nn import functional

from relwise.kernels.adjacency import Adjacency
from relwise.kernels.attention import attend
from relwise.kernels.dropout import dropout
from relwise.kernels.segments import add_by_segment
from relwise.nn.decoders import Decoder
from relwise.nn.edge_layer import EdgeStates, row_states
from relwise.nn.network import Network
from relwise.nn.relgnn import SLOPE


class RGCNConv(nn.Module):
    """One layer of R-GCN, with the mean over each relation's neighbours::

        h_i' = Σ_r 1/|N_i^r| Σ_{j ∈ N_i^r} W_r h_j  +  W_self h_i,      W_r = Σ_b c_rb V_b

    A mean is attention that knows nothing, over the neighbours through one relation: the kernel is RelGNN's, with a
    target for each pair of relation and node that has messages. So nothing of edges × d is made.

    Args:
        in_dim: size of the input states.
        out_dim: size of the output states.
        num_relations: R.
        bases: B; None: each relation has a matrix of its own.

    Shapes:
        x (N, in_dim) → (N, out_dim), before the nonlinearity.

    >>> from relwise.kernels.adjacency import build_adjacency
    >>> conv = RGCNConv(8, 4, num_relations=2)
    >>> adjacency = build_adjacency(torch.tensor([0, 1]), torch.tensor([2, 2]), torch.tensor([0, 1]), 3, 2)
    >>> conv(torch.randn(3, 8), adjacency).shape
    torch.Size([3, 4])
    """

    def __init__(self, in_dim: int, out_dim: int, num_relations: int, bases: int | None = None) -> None:
        super().__init__()
        count = num_relations if bases is None else bases
        self.basis = nn.Parameter(torch.empty(count, in_dim, out_dim))
        self.coefficient = None if bases is None else nn.Parameter(torch.empty(num_relations, bases))
        self.weight_self = nn.Parameter(torch.empty(in_dim, out_dim))
        for matrix in (*self.basis, self.weight_self):
            nn.init.xavier_uniform_(matrix)
        if self.coefficient is not None:
            nn.init.normal_(self.coefficient, std=self.coefficient.shape[1] ** -0.5)
        self._targets: WeakKeyDictionary[Adjacency, tuple[Adjacency, Tensor, Tensor]] = WeakKeyDictionary()

    def weights(self) -> Tensor:
        """(R, in_dim, out_dim) the matrices W_r."""
        if self.coefficient is None:
            return self.basis
        return torch.einsum("rb,bio->rio", self.coefficient, self.basis)

    def forward(self, x: Tensor, adjacency: Adjacency, keep: Tensor | None = None) -> Tensor:
        """(N, out_dim) the layer's sum.

        Args:
            x: (N, in_dim) node states.
            adjacency: the message graph.
            keep: (F,) bool, which facts carry messages; None: all.
        """
        if adjacency not in self._targets:
            self._targets[adjacency] = relation_targets(adjacency)
        by_pair, node, pointer = self._targets[adjacency]
        rows = row_states(x, self.weights(), adjacency)
        none = rows.new_zeros(by_pair.num_nodes, 1), rows.new_zeros(len(rows), 1)
        means, _ = attend(*none, rows, by_pair, keep)
        return add_by_segment(x @ self.weight_self, means, pointer, node)


def relation_targets(adjacency: Adjacency) -> tuple[Adjacency, Tensor, Tensor]:
    """The message graph whose targets are the Q pairs of node and relation that messages come to; (Q,) their nodes,
    ascending; and (N + 1,) int32, where each node's begin.

    A node's messages stand relation after relation already, so no edge moves.
    """
    target = torch.repeat_interleave(torch.arange(adjacency.num_nodes), adjacency.indptr.cpu().diff().long())
    row = adjacency.row.cpu().long()
    relation = adjacency.row_relation.cpu()[row]
    begins = torch.ones(len(row), dtype=torch.bool)
    begins[1:] = (target[1:] != target[:-1]) | (relation[1:] != relation[:-1])
    pair, first = begins.cumsum(0) - 1, begins.nonzero()[:, 0]
    indptr = torch.cat([first, torch.tensor([len(row)])])
    transpose = torch.argsort(row, stable=True)
    device = adjacency.row.device
    moved = replace(
        adjacency,
        num_nodes=len(first),
        indptr=indptr.to(device, torch.int32),
        row_target=pair[transpose].to(device, torch.int32),
    )
    node = target[first]
    pointer = torch.searchsorted(node, torch.arange(adjacency.num_nodes + 1))
    return moved, node.to(device), pointer.to(device, torch.int32)


class RGCN(Network):
    """Layers of R-GCN over the attributes; what the paper's RelGNN is without its attention and its fusion.

    Args:
        encoders, decoder, num_inverse, dim, dropout: as of `Network`.
        layers: number of layers.
        bases: basis matrices a layer; None: a matrix per relation.
    """

    def __init__(
        self,
        encoders: Sequence[nn.Module],
        decoder: Decoder,
        num_inverse: int,
        dim: int,
        dropout: float = 0.0,
        layers: int = 2,
        bases: int | None = None,
    ) -> None:
        super().__init__(encoders, decoder, num_inverse, dim, dropout)
        self.layers = nn.ModuleList(RGCNConv(dim, dim, self.num_relations, bases) for _ in range(layers))

    def propagate(
        self,
        start: Tensor,
        adjacency: Adjacency,
        keep: Tensor | None,
        edges: EdgeStates | None,
        sizes: Sequence[int],
    ) -> Tensor:
        state = start
        for layer in self.layers:
            # LeakyReLU, as everywhere in RelGNN, where R-GCN's own has ReLU: so the two differ in attention alone.
            state = functional.leaky_relu(layer(dropout(state, self.dropout, self.training), adjacency, keep), SLOPE)
        return state
