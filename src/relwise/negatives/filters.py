"""Which corruptions are refused: known edges, exactly, and ends of another type."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt

from relwise.data.edges import Edges
from relwise.data.graph import Graph


class KnownEdges:
    """The edges that no negative may be: those given, both orientations of an undirected relation's.

    For training these are the training edges and nothing of valid or test. Self-loops are in no row: they are never
    proposed anyway.

    Args:
        graph: which says the relations and their types.
        edges: the known edges.

    Attributes:
        indptr: (rows + 1,) where the rows of `partners` begin; the last row is empty.
        partners: the nodes that one anchor is tied to by one relation, ascending, anchor after anchor.

    >>> graph = Graph.from_triples([("a", "to", "b"), ("a", "to", "c")])
    >>> known = KnownEdges(graph, graph.edges)
    >>> known.contains(0, 0, 1), known.contains(1, 0, 0)
    (True, False)
    """

    def __init__(self, graph: Graph, edges: Edges) -> None:
        self.graph, size = graph, graph.num_nodes
        self.keys = np.unique(graph.keys(edges))
        relation, first, second = self.keys // size**2, self.keys // size % size, self.keys % size
        # Unsigned, for there are twice as many kinds of row as relations.
        pairs = np.concatenate(
            [
                self._row_keys(relation, second, "head") * np.uint64(size) + first.astype(np.uint64),
                self._row_keys(relation, first, "tail") * np.uint64(size) + second.astype(np.uint64),
            ]
        )
        pairs.sort()
        partners = (pairs % np.uint64(size)).astype(np.int32)
        pairs //= np.uint64(size)
        starts = np.flatnonzero(np.diff(pairs, prepend=~np.uint64(0)))
        self._anchors = pairs[starts]
        # A self-loop has rows, if empty ones, but is in none.
        other = pairs % np.uint64(size) != partners
        self.partners = partners[other]
        self.indptr = np.concatenate([[0], np.cumsum(other)])[[*starts, len(pairs), len(pairs)]]

    def contains(self, head: int, relation: int, tail: int) -> bool:
        key = self.graph.keys(Edges(np.array([head]), np.array([relation]), np.array([tail])))
        return bool(np.isin(key, self.keys)[0])

    def rows(self, edges: Edges, end: Literal["head", "tail"]) -> npt.NDArray[np.int64]:
        """(n,) the row of the nodes that, put at `end`, make a known edge."""
        anchor = edges.tails if end == "head" else edges.heads
        wanted = self._row_keys(edges.relations, anchor, end)
        row = np.searchsorted(self._anchors, wanted)
        none = len(self._anchors)
        found = self._anchors[np.minimum(row, none - 1)] == wanted if none else np.zeros(len(edges), bool)
        return np.where(found, row, none)

    def replaceable(self, edges: Edges, end: Literal["head", "tail"]) -> npt.NDArray[np.bool_]:
        """(n,) whether some node of the right type, put at `end`, makes an edge that is not known.

        False where the other end is tied to every node there is: such an edge has no negative on that side.
        """
        anchor = edges.tails if end == "head" else edges.heads
        low, high = (self.graph.head_ranges if end == "head" else self.graph.tail_ranges)[edges.relations].T
        row = self.rows(edges, end)
        return high - low - ((anchor >= low) & (anchor < high)) > self.indptr[row + 1] - self.indptr[row]

    def _row_keys(
        self, relation: npt.NDArray[np.int64], anchor: npt.NDArray[np.int64], end: Literal["head", "tail"]
    ) -> npt.NDArray[np.uint64]:
        """A number for each kind of row: an undirected relation has one for both ends."""
        kind = 2 * relation + (self.graph.directed[relation] if end == "tail" else 0)
        return kind.astype(np.uint64) * np.uint64(self.graph.num_nodes) + anchor.astype(np.uint64)
