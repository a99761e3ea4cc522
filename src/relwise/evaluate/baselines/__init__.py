"""Plain counting baselines: what the graph's shape alone says of a pair, without anything learnt.

They stand in every result table, so that a person sees whether the network earns its keep. All of them count
over one graph: the message edges of all relations merged, 0 or 1, both ways, without self-loops. So they
score every relation alike, and a pair of a node with itself scores 0 (there is no such tie in that graph;
Adamic-Adar would put every node first among its own candidates). Scores are summed in float64 and given in
float32, so that what is equal by formula is a tie.

A count is no probability. For F1 its threshold is therefore the one with the best F1 on the validation edges
(`relwise.evaluate.metrics.best_threshold`), which is kinder to it than the fixed 0.5 is to the network.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
import numpy.typing as npt

from relwise.data.edges import Edges
from relwise.evaluate.baselines.adamic_adar import AdamicAdar
from relwise.evaluate.baselines.degree_product import DegreeProduct
from relwise.evaluate.baselines.path3 import Path3

__all__ = ["AdamicAdar", "Baseline", "DegreeProduct", "Path3", "plain_baselines"]


class Baseline(Protocol):
    """What scores pairs of nodes without regard to the relation."""

    @property
    def name(self) -> str:
        """The name in result tables."""
        ...

    def rows(self, nodes: npt.NDArray[np.integer], columns: tuple[int, int] | None = None) -> npt.NDArray[np.float32]:
        """(q, n) the scores of each of q nodes with every node, or with those in the range `columns`."""
        ...

    def pairs(self, heads: npt.NDArray[np.integer], tails: npt.NDArray[np.integer]) -> npt.NDArray[np.float32]:
        """(n,) the scores of n pairs; equal to the same entries of `rows`."""
        ...


def plain_baselines(message: Edges, num_nodes: int) -> list[Baseline]:
    """The three that stand in every result table: degree product, Adamic-Adar, paths of length 3.

    Args:
        message: the edges to count over: the training edges only.
        num_nodes: the size of the node space.

    >>> from relwise.data.edges import Edges
    >>> square = Edges(np.array([0, 1, 2, 3]), np.zeros(4, int), np.array([1, 2, 3, 0]))
    >>> {b.name: b.pairs(np.array([0]), np.array([1])).tolist() for b in plain_baselines(square, 4)}
    {'degree_product': [4.0], 'adamic_adar': [0.0], 'path3': [1.0]}
    """
    return [kind(message, num_nodes) for kind in (DegreeProduct, AdamicAdar, Path3)]
