"""No encoder at all: what relation learning is made of (DistMult, ComplEx and others alone)."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from relwise.kernels.adjacency import Adjacency
from relwise.kernels.dropout import dropout
from relwise.nn.edge_layer import EdgeStates
from relwise.nn.network import Network


class Lookup(Network):
    """A node's state is what its attributes say, or the vector that was learnt for it; no messages are passed.

    With learnt vectors alone and a decoder this is knowledge graph embedding: an embedding table and a score. Dropout
    zeroes numbers of the states.
    """

    def propagate(
        self,
        start: Tensor,
        adjacency: Adjacency,
        keep: Tensor | None,
        edges: EdgeStates | None,
        sizes: Sequence[int],
    ) -> Tensor:
        return dropout(start, self.dropout, self.training)
