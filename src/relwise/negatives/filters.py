"""Which corruptions are refused: known edges, exactly, and ends of another type."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt

from relwise.data.edges import Edges
from relwise.data.graph import Graph
from relwise.kernels.hashset import build_hash_set, contains


class KnownEdges:
    """The edges that no negative may be: those given, both orientations of an undirected relation's.

    For training these are the training edges and nothing of valid or test.

    Args:
        graph: which says the relations and their types.
        edges: the known edges.

    >>> graph = Graph.from_triples([("a", "to", "b"), ("a", "to", "c")])
    >>> known = KnownEdges(graph, graph.edges)
    >>> known.contains(0, 0, 1), known.contains(1, 0, 0)
    (True, False)
    """

    def __init__(self, graph: Graph, edges: Edges) -> None:
        self.graph = graph
        self.keys = np.unique(graph.keys(edges))
        self.table = build_hash_set(self.keys)

    def contains(self, head: int, relation: int, tail: int) -> bool:
        one = Edges(np.array([head]), np.array([relation]), np.array([tail]))
        return bool(contains(self.table, self.graph.keys(one)[0]))

    def replaceable(self, edges: Edges, end: Literal["head", "tail"]) -> npt.NDArray[np.bool_]:
        """(n,) whether some node of the right type, put at `end`, makes an edge that is not known.

        False where the other end is tied to every node there is: such an edge has no negative on that side.
        """
        graph, size = self.graph, self.graph.num_nodes
        relation = self.keys // size**2
        first, second = self.keys // size % size, self.keys % size
        loops = first == second
        both = ~graph.directed[relation] & ~loops
        anchor, partner = (second, first) if end == "head" else (first, second)
        # Self-loops are never proposed, so the anchor itself does not count as a partner either way.
        pairs = np.concatenate([(relation * size + anchor)[~loops], (relation * size + partner)[both]])
        anchors, counts = np.unique(pairs, return_counts=True)
        asked = edges.tails if end == "head" else edges.heads
        ranges = (graph.head_ranges if end == "head" else graph.tail_ranges)[edges.relations]
        choices = ranges[:, 1] - ranges[:, 0] - ((asked >= ranges[:, 0]) & (asked < ranges[:, 1]))
        wanted = edges.relations * size + asked
        where = np.searchsorted(anchors, wanted).clip(max=max(len(anchors) - 1, 0))
        taken = np.where(anchors[where] == wanted, counts[where], 0) if len(anchors) else 0
        return choices > taken
