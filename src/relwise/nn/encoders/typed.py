"""Networks whose layers know the types of nodes: HAN's and HGT's, as PyG has them."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from itertools import accumulate
from typing import Any

import torch
from torch import Tensor, nn

from relwise.kernels.adjacency import Adjacency
from relwise.kernels.dropout import dropout
from relwise.nn.decoders import Decoder
from relwise.nn.edge_layer import EdgeStates
from relwise.nn.encoders.edge_list import edge_list
from relwise.nn.network import Network

Ends = Sequence[tuple[int, int]]
"""The node types of each message relation's sources and of its targets (`relwise.nn.messages.message_ends`)."""


class TypedNetwork(Network):
    """Layers from states by node type and edges by relation to states by node type, on relwise's one node space.

    To PyG, type i is called `t<i>` and relation r `r<r>`: whatever people call them, its dictionaries take it.

    Args:
        encoders, decoder, num_inverse, dim, dropout: as of `Network`.
        ends: the node types of each message relation.
        layers: number of layers.
        heads: attention heads; they share d.

    Attributes:
        ends: as given.
    """

    waits = True  # for how many edges are left

    def __init__(
        self,
        encoders: Sequence[nn.Module],
        decoder: Decoder,
        num_inverse: int,
        dim: int,
        ends: Ends,
        dropout: float = 0.0,
        layers: int = 2,
        heads: int = 1,
    ) -> None:
        super().__init__(encoders, decoder, num_inverse, dim, dropout)
        self.ends = [(int(source), int(target)) for source, target in ends]
        self.types = [f"t{i}" for i in range(len(encoders))]
        self.kinds = [(f"t{source}", f"r{r}", f"t{target}") for r, (source, target) in enumerate(self.ends)]
        if len(self.kinds) != self.num_relations:
            raise ValueError(f"{len(self.kinds)} ends for {self.num_relations} message relations")
        self.layers = nn.ModuleList(self.layer(dim, heads) for _ in range(layers))

    @abstractmethod
    def layer(self, dim: int, heads: int) -> nn.Module:
        """A layer of PyG's, d to d."""

    @abstractmethod
    def joined(self, state: Tensor, said: Tensor | None) -> Tensor:
        """(n, d) a type's states after a layer.

        Args:
            state: (n, d) before it, nothing dropped.
            said: (n, d) what the layer gives; None where no relation comes to the type.
        """

    def propagate(
        self,
        start: Tensor,
        adjacency: Adjacency,
        keep: Tensor | None,
        edges: EdgeStates | None,
        sizes: Sequence[int],
    ) -> Tensor:
        begins = [0, *accumulate(sizes)]
        parts = edge_list(adjacency).kept(keep).by_relation()
        links = {
            kind: part - part.new_tensor([[begins[source]], [begins[target]]])
            for kind, (source, target), part in zip(self.kinds, self.ends, parts, strict=True)
        }
        state = start
        for layer in self.layers:
            given = dropout(state, self.dropout, self.training).split(list(sizes))
            said: dict[str, Any] = layer(dict(zip(self.types, given, strict=True)), links)
            before = zip(self.types, state.split(list(sizes)), strict=True)
            state = torch.cat([self.joined(own, said.get(name)) for name, own in before])
        return state
