"""Which nodes count as seen: the one definition, of measures, of the audit and of the benchmarks alike."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from relwise.data.edges import Edges
from relwise.data.graph import Graph


def seen_nodes(graph: Graph, message: Edges) -> npt.NDArray[np.bool_]:
    """(N,) whether a training edge touches each node; where the split is by time, a dated one.

    Without a date an edge may have been made from what is to be predicted, as a new supplier's address is. It is
    evidence, and does not make a node seen.

    Args:
        graph: whose rule says how it was split.
        message: its training edges.

    >>> from relwise.data.graph import SplitRule
    >>> from dataclasses import replace
    >>> graph = Graph.from_triples([("a", "r", "b"), ("c", "r", "d")])
    >>> times = np.array(["2020-01-01", "NaT"], "datetime64[us]")
    >>> edges = Edges(graph.edges.heads, graph.edges.relations, graph.edges.tails, times)
    >>> seen_nodes(graph, edges).tolist()
    [True, True, True, True]
    >>> seen_nodes(replace(graph, split_rule=SplitRule("time", "2020-03-01", "2020-04-01")), edges).tolist()
    [True, True, False, False]
    """
    if graph.split_rule.by == "time" and message.times is not None:
        message = message[~np.isnat(message.times)]
    seen = np.zeros(graph.num_nodes, dtype=bool)
    seen[message.heads] = seen[message.tails] = True
    return seen
