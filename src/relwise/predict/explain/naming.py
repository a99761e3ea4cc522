"""From messages back to the edges that the data state, by the ids and names that people know."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from relwise.data.edges import Edges
from relwise.data.graph import Graph
from relwise.predict.explain.explanation import Carrier, Side
from relwise.predict.explain.paths import nodes_of


class Naming:
    """Names the edges that messages are of.

    Args:
        graph: the graph.
        message: its message edges.
    """

    def __init__(self, graph: Graph, message: Edges) -> None:
        self.graph = graph
        self._directed = np.flatnonzero(graph.directed)
        # Of undirected relations it is to be known which way round the data state an edge.
        some = np.flatnonzero(~graph.directed[message.relations])
        self._stated = np.sort(self._key(message.relations[some], message.heads[some], message.tails[some]))

    def edge(self, source: int, relation: int, target: int) -> tuple[int, int, int]:
        """Head, relation and tail of the edge whose message this is, as it is stated.

        Args:
            source, target: of the message.
            relation: of the message; inverse ones stand behind the graph's.
        """
        graph = self.graph
        if relation >= graph.num_relations:
            return target, int(self._directed[relation - graph.num_relations]), source
        if not graph.directed[relation]:
            key = self._key(relation, source, target)
            place = np.searchsorted(self._stated, key)
            if place == len(self._stated) or self._stated[place] != key:
                return target, relation, source
        return source, relation, target

    def carrier(
        self, message: tuple[int, int, int], layer: int, attention: float | None, effect: float, side: int
    ) -> Carrier:
        """A tie as people know it.

        Args:
            message: source, relation and target.
            layer, attention, effect: as of `Carrier`.
            side: 1 where it bears on the head, 2 on the tail, 3 on both.
        """
        head, relation, tail = self.edge(*message)
        ends, name = nodes_of(self.graph, [head, tail]), self.graph.relation_names[relation]
        sides: Sequence[Side] = ("head", "tail", "both")
        return Carrier(ends[0], name, ends[1], layer, attention, effect, sides[side - 1])

    def _key(self, relations, heads, tails):
        return (relations * self.graph.num_nodes + heads) * self.graph.num_nodes + tails
