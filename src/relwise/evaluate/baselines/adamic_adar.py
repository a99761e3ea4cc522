"""Adamic-Adar: shared neighbours, the rarer the more telling."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from relwise.data.edges import Edges
from relwise.evaluate.baselines.adjacency import Adjacency
from relwise.evaluate.baselines.paths import path_pairs, path_rows


class AdamicAdar:
    """Adamic & Adar 2003, "Friends and neighbors on the Web".

        s(i, j) = Σ_{k ∈ N_i ∩ N_j} 1 / log d_k

    See `relwise.evaluate.baselines` for the graph it counts over, and for its threshold.

    Args:
        message: the edges to count over.
        num_nodes: the size of the node space.

    >>> square = Edges(np.array([0, 1, 2, 3]), np.zeros(4, int), np.array([1, 2, 3, 0]))
    >>> AdamicAdar(square, 4).rows(np.array([0])).round(2).tolist()  # 2 / log 2 with the opposite corner
    [[0.0, 0.0, 2.890000104904175, 0.0]]
    """

    name = "adamic_adar"

    def __init__(self, message: Edges, num_nodes: int) -> None:
        self.adjacency = Adjacency.of(message, num_nodes)
        # A node of degree 1 is nobody's shared neighbour; its weight, 1 / 0, is never wanted.
        shared = self.adjacency.degrees > 1
        self.weights = np.zeros(num_nodes)
        self.weights[shared] = 1 / np.log(self.adjacency.degrees[shared])

    def rows(self, nodes: npt.NDArray[np.integer], columns: tuple[int, int] | None = None) -> npt.NDArray[np.float32]:
        """(q, n) the scores of each of q nodes with every node, or with those in the range `columns`."""
        return path_rows(self.adjacency, self.weights, 2, nodes, columns)

    def pairs(self, heads: npt.NDArray[np.integer], tails: npt.NDArray[np.integer]) -> npt.NDArray[np.float32]:
        """(n,) the scores of n pairs."""
        return path_pairs(self.adjacency, self.weights, 2, heads, tails)
