"""RelGNN: the paper's network, of layers, fusion and the states that attention and decoder share."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor, nn

from relwise.kernels.adjacency import Adjacency
from relwise.kernels.dropout import draw
from relwise.kernels.masked import LARGEST, kept_edges
from relwise.kernels.matmul import Precision
from relwise.nn.chain import relgnn_chain
from relwise.nn.decoders import Decoder
from relwise.nn.edge_encoder import EdgeEncoder, EdgeInputs
from relwise.nn.edge_layer import EdgeStates
from relwise.nn.network import Network
from relwise.nn.relgnn import SLOPE, AttributeFusion, RelGNNConv


class RelGNN(Network):
    """RelGNN (paper, "RelGNN" 1-5; eq. 3-7): attention sees both ends of an edge and the state of their relation.

    Args:
        encoders: one per node type, in the order of the node space; each maps its prepared input to (n, d).
        decoder: holds the (R, d) relation states, which the attention of every layer shares.
        num_inverse: how many inverse relations there are besides the decoder's; their states are the encoder's own.
        dim: d.
        layers: number of message passing layers.
        heads: attention heads L.
        bases: basis matrices per layer; None: a matrix per relation.
        dropout: share of the inputs of each layer that a step zeroes.
        precision: of the layers' matrix products (see `RelGNNConv`).
        edge_encoder: of the edges' attributes; None: they have none.
    """

    def __init__(
        self,
        encoders: Sequence[nn.Module],
        decoder: Decoder,
        num_inverse: int,
        dim: int,
        layers: int = 2,
        heads: int = 2,
        bases: int | None = None,
        dropout: float = 0.0,
        precision: Precision = "float32",
        edge_encoder: EdgeEncoder | None = None,
    ) -> None:
        super().__init__(encoders, decoder, num_inverse, dim, dropout, edge_encoder)
        self.inverse_state = nn.Parameter(torch.randn(num_inverse, dim))
        edge_dim = edge_encoder.dim if edge_encoder else None
        self.layers = nn.ModuleList(
            RelGNNConv(dim, dim, self.num_relations, heads, bases, precision=precision, edge_dim=edge_dim)
            for _ in range(layers)
        )
        for layer in self.layers:
            # The decoder's states are shared in: a state of the layer's own would be a weight without a use.
            del layer.relation_state
        self.fusion = AttributeFusion(dim, heads)

    def relation_state(self) -> Tensor:
        """(R + inverse, d) the states h_r of eq. 4: the decoder's own parameter, then the inverse relations'."""
        known = self.decoder.relation
        return torch.cat([known, self.inverse_state]) if self.num_inverse else known

    def propagate(
        self,
        start: Tensor,
        adjacency: Adjacency,
        keep: Tensor | None,
        edges: EdgeStates | None,
        sizes: Sequence[int],
    ) -> Tensor:
        """(N, d) final states (eq. 3-7)."""
        state, relation_state = start, self.relation_state()
        share = self.dropout if self.training else 0.0
        if keep is not None and edges is None and self._asks_no_facts(start, adjacency):
            adjacency, keep = kept_edges(adjacency, keep), None
        if self._chains(start, edges):
            layers = list(self._convolutions())
            given = [layer.parts(relation_state) for layer in layers], self.fusion.attention, adjacency, keep
            return relgnn_chain(start, *given, SLOPE, layers[0].precision, [draw(share) for _ in layers])
        for layer in self._convolutions():
            state = layer.propagate(state, adjacency, relation_state, keep, edges, share)
        return self.fusion(start, state)

    def attention(self, inputs: Sequence, adjacency: Adjacency, edge_inputs: EdgeInputs | None = None) -> list[Tensor]:
        """Each layer's α, (E, L), in the order of the adjacency's edges."""
        state, edges = self.start(inputs, adjacency), self.edge_states(edge_inputs)
        weights = []
        for layer in self._convolutions():
            weights.append(layer.attention(state, adjacency, self.relation_state(), edges=edges))
            state = layer.propagate(state, adjacency, self.relation_state(), edges=edges)
        return weights

    def _asks_no_facts(self, start: Tensor, adjacency: Adjacency) -> bool:
        """Whether all layers may be given the kept edges alone. What bases need of a graph is too much a step."""
        return adjacency.num_edges <= LARGEST and self._in_rows(start)

    def _chains(self, start: Tensor, edges: EdgeStates | None) -> bool:
        """Whether all layers are one operator."""
        return edges is None and len(self.layers) > 0 and self._in_rows(start)

    def _in_rows(self, start: Tensor) -> bool:
        """Whether all layers are the CPU's, each with matrices of its own."""
        return start.device.type == "cpu" and all(layer.coefficient is None for layer in self._convolutions())

    def _convolutions(self) -> Iterator[RelGNNConv]:
        for layer in self.layers:
            assert isinstance(layer, RelGNNConv)
            yield layer
