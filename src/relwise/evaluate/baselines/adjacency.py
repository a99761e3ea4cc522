"""The graph that the plain baselines count over: all relations merged, 0 or 1, both ways, no self-loops."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from relwise.data.edges import Edges, IntArray


@dataclass(frozen=True, eq=False)
class Adjacency:
    """A symmetric 0/1 adjacency by rows (CSR).

    Args:
        indptr: (N + 1,) where each node's neighbours begin.
        indices: (2 · pairs,) int32, the neighbours, ascending within a node.
        degrees: (N,) how many neighbours each node has.

    >>> edges = Edges(np.array([0, 1, 0, 2]), np.array([0, 0, 1, 0]), np.array([1, 0, 1, 2]))
    >>> Adjacency.of(edges, 3).degrees.tolist()
    [1, 1, 0]
    """

    indptr: IntArray
    indices: npt.NDArray[np.int32]
    degrees: IntArray

    @staticmethod
    def of(edges: Edges, num_nodes: int) -> Adjacency:
        """Merge edges of all relations.

        Args:
            edges: m edges, of any direction, repeated or not.
            num_nodes: N, the size of the node space.
        """
        apart = edges.heads != edges.tails
        heads, tails = edges.heads[apart], edges.tails[apart]
        keys = np.unique(np.concatenate([heads * num_nodes + tails, tails * num_nodes + heads]))
        degrees = np.bincount(keys // num_nodes, minlength=num_nodes).astype(np.int64)
        indptr = np.concatenate([[0], np.cumsum(degrees)]).astype(np.int64)
        return Adjacency(indptr, (keys % num_nodes).astype(np.int32), degrees)
