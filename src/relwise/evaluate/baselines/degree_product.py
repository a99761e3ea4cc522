"""Degree product, also called preferential attachment: ties form between nodes that have many."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from relwise.data.edges import Edges
from relwise.evaluate.baselines.adjacency import Adjacency


class DegreeProduct:
    """The product of both degrees, after Barabási & Albert 1999, "Emergence of scaling in random networks".

        s(i, j) = d_i d_j

    It says how far popularity alone goes.

    See `relwise.evaluate.baselines` for the graph it counts over, and for its threshold.

    Args:
        message: the edges to count over.
        num_nodes: the size of the node space.

    >>> star = Edges(np.array([0, 0, 0]), np.zeros(3, int), np.array([1, 2, 3]))
    >>> DegreeProduct(star, 4).rows(np.array([0, 1])).tolist()
    [[0.0, 3.0, 3.0, 3.0], [3.0, 0.0, 1.0, 1.0]]
    """

    name = "degree_product"

    def __init__(self, message: Edges, num_nodes: int) -> None:
        self.degrees = Adjacency.of(message, num_nodes).degrees.astype(np.float32)

    def rows(self, nodes: npt.NDArray[np.integer], columns: tuple[int, int] | None = None) -> npt.NDArray[np.float32]:
        """(q, n) the scores of each of q nodes with every node, or with those in the range `columns`."""
        low, high = columns or (0, len(self.degrees))
        out = np.multiply.outer(self.degrees[nodes], self.degrees[low:high])
        inside = np.flatnonzero((nodes >= low) & (nodes < high))
        out[inside, nodes[inside] - low] = 0
        return out

    def pairs(self, heads: npt.NDArray[np.integer], tails: npt.NDArray[np.integer]) -> npt.NDArray[np.float32]:
        """(n,) the scores of n pairs."""
        return self.degrees[heads] * self.degrees[tails] * (heads != tails)
