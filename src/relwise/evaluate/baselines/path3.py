"""Degree-normalised paths of length 3: i's ties have ties with j's ties."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from relwise.data.edges import Edges
from relwise.evaluate.baselines.adjacency import Adjacency
from relwise.evaluate.baselines.paths import path_pairs, path_rows


class Path3:
    """Paths of length 3, each step divided by the degree of the node it leaves behind.

        s(i, j) = (A D⁻¹ A D⁻¹ A)_ij = Σ_{u ∈ N_i} Σ_{v ∈ N_j} A_uv / (d_u d_v)

    Kovács et al. 2019, "Network-based prediction of protein interactions", weigh them by 1 / √(d_u d_v)
    instead; D⁻¹ is a random walk's weight. Unlike shared neighbours it also speaks of ties between two kinds
    of nodes (where buyers are tied to sellers alone, a buyer and a seller share no neighbour).

    See `relwise.evaluate.baselines` for the graph it counts over, and for its threshold.

    Args:
        message: the edges to count over.
        num_nodes: the size of the node space.

    >>> square = Edges(np.array([0, 1, 2, 3]), np.zeros(4, int), np.array([1, 2, 3, 0]))
    >>> Path3(square, 4).rows(np.array([0])).tolist()
    [[0.0, 1.0, 0.0, 1.0]]
    """

    name = "path3"

    def __init__(self, message: Edges, num_nodes: int) -> None:
        self.adjacency = Adjacency.of(message, num_nodes)
        self.weights = 1 / np.maximum(self.adjacency.degrees, 1)

    def rows(self, nodes: npt.NDArray[np.integer], columns: tuple[int, int] | None = None) -> npt.NDArray[np.float32]:
        """(q, n) the scores of each of q nodes with every node, or with those in the range `columns`."""
        return path_rows(self.adjacency, self.weights, 3, nodes, columns)

    def pairs(self, heads: npt.NDArray[np.integer], tails: npt.NDArray[np.integer]) -> npt.NDArray[np.float32]:
        """(n,) the scores of n pairs."""
        return path_pairs(self.adjacency, self.weights, 3, heads, tails)
