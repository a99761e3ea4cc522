"""A trained RelGNN layer by layer on its message graph: computed once, whatever number of explanations follow."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from relwise.kernels.adjacency import Adjacency
from relwise.nn.degrees import degrees
from relwise.nn.edge_encoder import EdgeInputs
from relwise.nn.model import RelGNN
from relwise.predict.explain.layers import Floats, Ints, LayerWeights, convolutions


@dataclass(frozen=True, eq=False)
class MessageArrays:
    """A message graph as plain arrays, sorted by target.

    Args:
        indptr: (N + 1,) the messages into node i are `indptr[i]:indptr[i + 1]`.
        source, relation, fact, row: (E,) of each message; relations of a target ascend.
        num_facts: F.
    """

    indptr: Ints
    source: npt.NDArray[np.integer]
    relation: npt.NDArray[np.integer]
    fact: npt.NDArray[np.integer]
    row: npt.NDArray[np.integer]
    num_facts: int

    @staticmethod
    def of(adjacency: Adjacency) -> MessageArrays:
        """Those of an adjacency."""
        row = adjacency.row.numpy()
        return MessageArrays(
            adjacency.indptr.numpy().astype(np.int64),
            adjacency.row_source.numpy().astype(np.int32)[row],
            adjacency.row_relation.numpy().astype(np.int32)[row],
            adjacency.fact.numpy(),
            row,
            adjacency.num_facts,
        )

    def into(self, node: int) -> slice:
        """The messages into a node."""
        return slice(int(self.indptr[node]), int(self.indptr[node + 1]))


@dataclass(frozen=True, eq=False)
class LayerStates:
    """What stands in a network's memory after each layer, and the layers' weights.

    Args:
        network: the network.
        messages: its message graph.
        states: h^(0) .. h^(T), each (N, d).
        weights: of the layers 1 .. T.
        row_logits: of the layers 1 .. T, (P, L) each: what relation and source add to a logit.
        edge_states: (A, k) z and (E,) which of them is each message's, -1 where none; None without edges' attributes.
        counts: (N, R) how many messages come into each node through each relation, where the network reads them.
    """

    network: RelGNN
    messages: MessageArrays
    states: tuple[Floats, ...]
    weights: tuple[LayerWeights, ...]
    row_logits: tuple[Floats, ...]
    edge_states: tuple[Floats, npt.NDArray[np.integer]] | None
    counts: Floats | None

    @staticmethod
    @torch.no_grad()
    def of(network: RelGNN, inputs: list, adjacency: Adjacency, edge_inputs: EdgeInputs | None) -> LayerStates:
        """Of a network in evaluation, given what it reads."""
        state, edges = network.start(inputs, adjacency), network.edge_states(edge_inputs)
        relation_state = network.relation_state()
        rows = adjacency.row_relation.numpy(), adjacency.row_source.numpy()
        states, weights, row_logits = [state], [], []
        for layer in convolutions(network):
            weights.append(LayerWeights.of(layer, relation_state))
            row_logits.append(_row_logits(weights[-1], state.numpy(), *rows, adjacency.relation_ptr))
            state = layer.propagate(state, adjacency, relation_state, edges=edges)
            states.append(state)
        edge_states = None if edges is None else (edges.state.numpy(), edges.slots.slot.numpy())
        counts = None if network.degrees is None else degrees(adjacency).numpy()
        arrays = tuple(one.numpy() for one in states)
        return LayerStates(
            network, MessageArrays.of(adjacency), arrays, tuple(weights), tuple(row_logits), edge_states, counts
        )

    @torch.no_grad()
    def final(self) -> Tensor | None:
        """(N, d) the network's final states; None where its own products are in another precision than these."""
        if any(layer.precision != "float32" for layer in self.network.layers):
            return None
        return self.network.fusion(torch.from_numpy(self.states[0]), torch.from_numpy(self.states[-1]))

    @property
    def depth(self) -> int:
        """T, how many layers there are."""
        return len(self.weights)

    def logits(self, start: Tensor, last: Tensor, relation: int) -> Tensor:
        """(B,) the logits of B edges of one relation, in plain torch: for so few the kernels only get in the way.

        Args:
            start: (B, 2, d) the states of head and tail before the first layer.
            last: (B, 2, d) those after the last.
            relation: relation index.
        """
        decoder, balance = self.network.decoder, self.network.fusion.weights
        ends = [(x, y, balance(x, y)) for x, y in ((start[:, i], last[:, i]) for i in range(2))]
        head, tail = (weight[:, :1] * x + weight[:, 1:] * y for x, y, weight in ends)
        query = decoder.query("tail", head, torch.full((len(head),), relation))
        return (query * decoder.keys(tail)).sum(dim=1)


def _row_logits(
    layer: LayerWeights, states: Floats, relation: Ints, source: Ints, relation_ptr: tuple[int, ...]
) -> Floats:
    """(P, L) of all rows of an adjacency, relation after relation."""
    out = np.empty((len(relation), layer.of_target.shape[1]), np.float32)
    for r in range(len(relation_ptr) - 1):
        for low in range(relation_ptr[r], relation_ptr[r + 1], 65_536):
            high = min(low + 65_536, relation_ptr[r + 1])
            out[low:high] = states[source[low:high]] @ layer.of_source[r] + layer.of_relation[r]
    return out
