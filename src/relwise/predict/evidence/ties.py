"""The known ties of each node, by kind: a relation followed from head to tail, or from tail to head."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from relwise.data.edges import Edges
from relwise.data.graph import Graph

Int32Array = npt.NDArray[np.int32]
LARGEST = 2**28  # offsets at most: 1 GiB of them


@dataclass(frozen=True, eq=False)
class Ties:
    """Who is tied to whom by which kind of tie.

    Kind 2 r is relation r from head to tail, kind 2 r + 1 the same from tail to head. An undirected relation has one
    kind, 2 r, both ways. Repeated edges are one tie; an edge from a node to itself is none.

    Args:
        indptr: (2 R, N + 1) int32 (int64 from 2³¹ ties on); the ties of kind q of node i are
            `neighbours[indptr[q, i]:indptr[q, i + 1]]`.
        neighbours: (m,) int32, ascending within a node's ties of one kind.
        directed: (R,) whether each relation is directed.

    >>> graph = Graph.from_triples([("ann", "likes", "bob"), ("ann", "likes", "eve"), ("eve", "likes", "bob")])
    >>> ties = Ties.of(graph, graph.edges)
    >>> ties.of_node(0, 0).tolist(), ties.of_node(1, 1).tolist()
    ([1, 2], [0, 2])
    """

    indptr: npt.NDArray[np.integer]
    neighbours: Int32Array
    directed: npt.NDArray[np.bool_]

    @staticmethod
    def of(graph: Graph, edges: Edges) -> Ties:
        """The ties that edges are.

        Args:
            graph: whose relations and nodes they are of.
            edges: usually the message edges of its split.
        """
        n, kinds = graph.num_nodes, 2 * graph.num_relations
        apart = edges.heads != edges.tails
        heads, relations, tails = edges.heads[apart], edges.relations[apart], edges.tails[apart]
        back = 2 * relations + graph.directed[relations]
        keys = np.concatenate([(2 * relations * n + heads) * n + tails, (back * n + tails) * n + heads])
        keys.sort()
        first = np.ones(len(keys), dtype=bool)
        first[1:] = keys[1:] != keys[:-1]
        keys = keys[first]
        wide = np.int64 if len(keys) >= 2**31 else np.int32
        counts = np.bincount(keys // n, minlength=kinds * n)
        ends = np.cumsum(counts, dtype=wide).reshape(kinds, n)
        indptr = np.zeros((kinds, n + 1), wide)
        indptr[:, 1:] = ends
        indptr[1:, 0] = ends[:-1, -1]
        return Ties(indptr, (keys % n).astype(np.int32), graph.directed)

    @property
    def num_nodes(self) -> int:
        return self.indptr.shape[1] - 1

    @property
    def num_kinds(self) -> int:
        """2 R, those of undirected relations that are never used among them."""
        return len(self.indptr)

    def of_node(self, node: int, kind: int) -> Int32Array:
        """The nodes that a node is tied to by a kind, ascending."""
        return self.neighbours[self.indptr[kind, node] : self.indptr[kind, node + 1]]

    def degrees(self, kind: int) -> npt.NDArray[np.integer]:
        """(N,) how many ties of a kind each node has."""
        return np.diff(self.indptr[kind])

    def reverse(self, kind: int) -> int:
        """The same tie seen from its other end."""
        return kind ^ 1 if self.directed[kind >> 1] else kind


def fits(graph: Graph) -> bool:
    """Whether the offsets of a graph's ties stay below `LARGEST`."""
    return 2 * graph.num_relations * (graph.num_nodes + 1) <= LARGEST
