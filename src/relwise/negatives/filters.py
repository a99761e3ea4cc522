"""Which corruptions are refused: known edges, exactly, and ends of another type."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt

from relwise.data.edges import Edges
from relwise.data.graph import Graph
from relwise.kernels import partners as kernel


class KnownEdges:
    """The edges that no negative may be: those given, both orientations of an undirected relation's.

    For training these are the training edges and nothing of valid or test. Self-loops are in no row: they are never
    proposed anyway.

    Args:
        graph: which says the relations and their types.
        edges: the known edges.

    Attributes:
        indptr: (rows + 2,) where the rows of `partners` begin; the last row is empty.
        partners: the nodes that one anchor is tied to by one relation, ascending, anchor after anchor.

    >>> graph = Graph.from_triples([("a", "to", "b"), ("a", "to", "c")])
    >>> known = KnownEdges(graph, graph.edges)
    >>> known.contains(0, 0, 1), known.contains(1, 0, 0)
    (True, False)
    """

    def __init__(self, graph: Graph, edges: Edges) -> None:
        self.graph, self._size = graph, np.uint64(graph.num_nodes)
        if 2 * graph.num_relations * graph.num_nodes**2 >= 2**64:
            raise OverflowError(
                f"{graph.num_nodes:,} nodes and {graph.num_relations:,} relations: too many for 64 bits"
            )
        # A number for each kind of row: an undirected relation has one for both ends.
        kinds = 2 * np.arange(graph.num_relations)
        self._kinds = np.stack([kinds, kinds + graph.directed]).astype(np.uint64)
        pairs = np.empty(2 * len(edges), np.uint64)
        kernel.pair_keys(edges.heads, edges.relations, edges.tails, self._kinds, self._size, pairs)
        pairs.sort()
        self._keys, self.indptr, self.partners = kernel.rows_of_pairs(pairs, self._size)
        self._shift, self._starts = kernel.buckets(self._keys)
        loops = edges.heads == edges.tails
        self._loops = set(zip(edges.heads[loops].tolist(), edges.relations[loops].tolist(), strict=True))

    def contains(self, head: int, relation: int, tail: int) -> bool:
        if head == tail:
            return (head, relation) in self._loops
        row = self.rows(Edges(np.array([head]), np.array([relation]), np.array([tail])), "tail")[0]
        return tail in self.partners[self.indptr[row] : self.indptr[row + 1]]

    def rows(self, edges: Edges, end: Literal["head", "tail"]) -> npt.NDArray[np.int32]:
        """(n,) the row of the nodes that, put at `end`, make a known edge."""
        out, anchor = np.empty(len(edges), np.int32), _anchors(edges, end)
        kinds = self._kinds[0 if end == "head" else 1]
        kernel.find_rows(self._keys, self._shift, self._starts, edges.relations, anchor, kinds, self._size, out)
        return out

    def replaceable(
        self, edges: Edges, end: Literal["head", "tail"], rows: npt.NDArray[np.int32] | None = None
    ) -> npt.NDArray[np.bool_]:
        """(n,) whether some node of the right type, put at `end`, makes an edge that is not known.

        False where the other end is tied to every node there is: such an edge has no negative on that side.

        Args:
            edges: the edges.
            end: which end.
            rows: (n,) what `rows` says of them; None: it is asked.
        """
        out = np.empty(len(edges), bool)
        ranges = self.graph.head_ranges if end == "head" else self.graph.tail_ranges
        rows = self.rows(edges, end) if rows is None else rows
        kernel.find_open(rows, self.indptr, edges.relations, _anchors(edges, end), ranges, out)
        return out


def _anchors(edges: Edges, end: Literal["head", "tail"]) -> npt.NDArray[np.int64]:
    return edges.tails if end == "head" else edges.heads
