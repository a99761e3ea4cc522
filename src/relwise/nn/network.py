"""What every network here is: attribute encoders, something that passes states on along the edges, a decoder."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from relwise.kernels.adjacency import Adjacency
from relwise.nn.decoders import Decoder
from relwise.nn.degrees import DegreeEncoder
from relwise.nn.edge_encoder import EdgeEncoder, EdgeInputs
from relwise.nn.edge_layer import EdgeStates


class Network(nn.Module, ABC):
    """Node states from attributes and neighbours, logits from the decoder. A subclass says how states are passed on.

    Args:
        encoders: one per node type, in the order of the node space; each maps its prepared input to (n, d).
        decoder: scores; holds the (R, d) relation states.
        num_inverse: how many inverse relations messages pass besides the decoder's.
        dim: d.
        dropout: share of the inputs of each layer that a step zeroes.
        edge_encoder: of the edges' attributes; None: they have none, or the network does not read them.

    Attributes:
        degrees: what adds to h^(0) what the numbers of a node's neighbours say (`relwise.nn.degrees`); None: nothing.
    """

    waits = False
    """Whether `propagate` waits for its device, so that it cannot be recorded as a CUDA graph."""

    def __init__(
        self,
        encoders: Sequence[nn.Module],
        decoder: Decoder,
        num_inverse: int,
        dim: int,
        dropout: float = 0.0,
        edge_encoder: EdgeEncoder | None = None,
    ) -> None:
        super().__init__()
        self.encoders = nn.ModuleList(encoders)
        self.decoder = decoder
        self.edge_encoder = edge_encoder
        self.num_inverse, self.dim, self.dropout = num_inverse, dim, dropout
        self.degrees: DegreeEncoder | None = None

    @abstractmethod
    def propagate(
        self,
        start: Tensor,
        adjacency: Adjacency,
        keep: Tensor | None,
        edges: EdgeStates | None,
        sizes: Sequence[int],
    ) -> Tensor:
        """(N, d) final node states.

        Args:
            start: (N, d) h^(0), of the attributes.
            adjacency: the message graph.
            keep: (F,) bool, which facts carry messages; None: all.
            edges: the edges' own states, where the network has an encoder for them.
            sizes: how many nodes each type has, in the order of the node space.
        """

    @property
    def num_relations(self) -> int:
        """How many relations messages pass, inverse ones counted."""
        return len(self.decoder.relation) + self.num_inverse

    def encode(
        self,
        inputs: Sequence,
        adjacency: Adjacency,
        keep: Tensor | None = None,
        edge_inputs: EdgeInputs | None = None,
    ) -> Tensor:
        """(N, d) final node states.

        Args:
            inputs: each node type's prepared input.
            adjacency: the message graph.
            keep: (F,) bool, which facts carry messages; None: all.
            edge_inputs: the edges' attributes, prepared, where the network has an encoder for them.
        """
        sizes = [len(next(iter(prepared.values()))) for prepared in inputs]
        start = self.start(inputs, adjacency, keep)
        return self.propagate(start, adjacency, keep, self.edge_states(edge_inputs), sizes)

    def start(self, inputs: Sequence, adjacency: Adjacency, keep: Tensor | None = None) -> Tensor:
        """(N, d) h^(0) of all types."""
        parts = [encoder(x) for encoder, x in zip(self.encoders, inputs, strict=True)]
        attributes = parts[0] if len(parts) == 1 else torch.cat(parts)
        return attributes if self.degrees is None else attributes + self.degrees(adjacency, keep)

    def edge_states(self, edge_inputs: EdgeInputs | None) -> EdgeStates | None:
        """The states of all messages, where edges have attributes that the network reads."""
        if self.edge_encoder is None:
            return None
        if edge_inputs is None:
            raise ValueError("the network reads the edges' attributes, and was given none")
        return self.edge_encoder(edge_inputs)
