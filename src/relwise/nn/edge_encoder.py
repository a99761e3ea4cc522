"""States of edges from their attributes, and which message of a message graph bears which."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor, nn

from relwise.data.edges import Edges
from relwise.data.graph import Attribute, Graph, NodeType
from relwise.kernels.adjacency import Adjacency
from relwise.kernels.edge_attention import EdgeSlots
from relwise.nn.attributes import Ragged, TextChoice, TypeEncoder
from relwise.nn.edge_layer import EdgeStates

# Numbers per edge: an amount and a date need no more, and a graph has many edges.
EDGE_DIM = 16


@dataclass(frozen=True, eq=False)
class EdgeInputs:
    """A message graph's edge attributes, prepared once.

    Args:
        prepared: of relation i, what its encoder takes; a row for each of its message edges.
        slots: which state is which message's: relation after relation, each one's states from head to tail and
            then those from tail to head.
    """

    prepared: Mapping[int, dict[str, Tensor | Ragged]]
    slots: EdgeSlots


class EdgeEncoder(nn.Module):
    """z = encoder_r(attributes) where a message goes from head to tail, V z where it goes back.

    An undirected relation's messages bear z both ways. A missing value is an ordinary input, as it is of nodes.

    Args:
        encoders: of relation i, its attributes' encoder, k numbers per edge.
        directed: of relation i, whether it is directed.
    """

    def __init__(self, encoders: Mapping[int, TypeEncoder], directed: Mapping[int, bool]) -> None:
        super().__init__()
        self.relations = tuple(sorted(encoders))
        self.directed = {relation: directed[relation] for relation in self.relations}
        self.encoders = nn.ModuleDict({str(relation): encoders[relation] for relation in self.relations})
        self.back = nn.Linear(self.dim, self.dim, bias=False)

    @property
    def dim(self) -> int:
        """k, the numbers per edge."""
        return next(iter(self._each().values())).dim

    @classmethod
    def fit(cls, graph: Graph, edges: Edges, dim: int = EDGE_DIM, text: TextChoice | None = None) -> Self | None:
        """An encoder with the statistics and vocabularies of `edges`, which are all that may be learnt of.

        None where no relation has attributes.

        Args:
            graph: whose edges have attributes.
            edges: the message edges.
            dim: k.
            text: how texts are read; by TF-IDF where None.
        """
        encoders = {
            relation: TypeEncoder.fit(_table(graph, relation, rows), dim, text=text)
            for relation, rows in _rows(graph, edges).items()
            if len(rows)
        }
        return cls(encoders, dict(enumerate(graph.directed.tolist()))) if encoders else None

    def prepare(self, graph: Graph, edges: Edges, adjacency: Adjacency, stated: np.ndarray) -> EdgeInputs:
        """What `forward` takes, and where each message finds its state.

        Args:
            graph: whose edges have attributes.
            edges: n edges, one for each fact and relation, whose messages the adjacency sorts: first those from head
                to tail, then those back.
            adjacency: the message graph.
            stated: (n,) bool, which edges have a message back, too.
        """
        rows, prepared = _rows(graph, edges), {}
        ahead = np.full(len(edges), -1, np.int64)
        back = np.full(len(edges), -1, np.int64)
        begin = 0
        for relation in self.relations:
            which = np.flatnonzero(edges.relations == relation)
            table = self._each()[relation].prepare(_table(graph, relation, rows[relation]))
            prepared[relation] = {name: values.to(self.back.weight.device) for name, values in table.items()}
            ahead[which] = begin + np.arange(len(which))
            back[which] = begin + len(which) + np.arange(len(which))
            begin += 2 * len(which)
        given = torch.from_numpy(np.concatenate([ahead, back[stated]]))
        return EdgeInputs(prepared, EdgeSlots.of(given[adjacency.order.cpu().long()], adjacency))

    def forward(self, inputs: EdgeInputs) -> EdgeStates:
        """The states of all messages: (A, k)."""
        states = []
        for relation, encoder in self._each().items():
            state = torch.tanh(encoder(inputs.prepared[relation]))
            states += [state, self.back(state) if self.directed[relation] else state]
        return EdgeStates(torch.cat(states), inputs.slots)

    def config(self) -> dict[str, Any]:
        """All that is not a tensor, as JSON can hold it."""
        return {
            "relations": [
                {"relation": relation, "directed": self.directed[relation], "encoder": encoder.config()}
                for relation, encoder in self._each().items()
            ]
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """The encoder that `config()` described, its tensors of the right shapes and to be loaded."""
        each = config["relations"]
        return cls(
            {one["relation"]: TypeEncoder.from_config(one["encoder"]) for one in each},
            {one["relation"]: one["directed"] for one in each},
        )

    def _each(self) -> dict[int, TypeEncoder]:
        found = {relation: self.encoders[str(relation)] for relation in self.relations}
        return {relation: encoder for relation, encoder in found.items() if isinstance(encoder, TypeEncoder)}


def _rows(graph: Graph, edges: Edges) -> dict[int, np.ndarray]:
    """Of each relation with attributes, its edges' rows among them."""
    rows = graph.edge_rows(edges)
    return {
        relation: rows[edges.relations == relation]
        for relation in sorted(graph.edge_attributes)
        if graph.edge_attributes[relation]
    }


def _table(graph: Graph, relation: int, rows: np.ndarray) -> NodeType:
    """A relation's edges as what a type encoder takes: rows of attributes."""
    attributes = tuple(Attribute(a.name, a.modality, a.values[rows]) for a in graph.edge_attributes[relation])
    return NodeType(graph.relations[relation].full_name, np.arange(len(rows)), attributes=attributes)  # pyright: ignore[reportArgumentType]
