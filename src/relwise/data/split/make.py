"""`split_graph`: from a graph and its rule to a `Split`."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from relwise.data.edges import Edges
from relwise.data.graph import TEST, TRAIN, VALID, Graph
from relwise.data.split.base import LabelledEdges, Split
from relwise.data.split.group import group_parts
from relwise.data.split.negatives import draw_negatives
from relwise.data.split.random import random_parts
from relwise.data.split.seen import seen_nodes
from relwise.data.split.time import time_parts
from relwise.data.split.unseen import unseen_parts
from relwise.errors import InputError


def split_graph(graph: Graph, seed: int = 0) -> Split:
    """Split a graph by its `split_rule`.

    Args:
        graph: the graph.
        seed: of the choice of edges, nodes or groups, and of drawn negatives.

    Raises:
        InputError: where a part that must not be empty would be.

    >>> graph = Graph.from_triples([(i, "likes", (i + k) % 20) for i in range(20) for k in (1, 2, 3)])
    >>> split = split_graph(graph)
    >>> len(split.message), len(split.valid), len(split.test)
    (51, 6, 12)
    """
    rule = graph.split_rule
    parts, supervised = _parts(graph, seed)
    message = parts == TRAIN
    if not (message & supervised).any():
        remedy = "set later dates" if rule.by == "time" else "give more edges"
        raise InputError("no edge is left to train on", where=f"split by {rule.by}", remedy=remedy)
    held = _held_out(graph, graph.edges[message]) if rule.by == "unseen" else None
    labelled = {}
    for code, name in ((VALID, "valid"), (TEST, "test")):
        positives = graph.edges[parts == code]
        negatives = graph.negatives.get(name)
        if negatives is None:
            rng = np.random.default_rng([seed, code])
            negatives = draw_negatives(graph, positives, rng, by_degree=rule.negatives == "degree", held=held)
        labelled[name] = LabelledEdges(
            Edges.concatenate(positives, negatives),
            np.repeat([True, False], [len(positives), len(negatives)]),
        )
    return Split(graph.edges[message], supervised[message], labelled["valid"], labelled["test"], graph.edges)


def _parts(graph: Graph, seed: int) -> tuple[npt.NDArray[np.int8], npt.NDArray[np.bool_]]:
    """Each edge's part, and whether it may be learnt from."""
    by = graph.split_rule.by
    if by == "time":
        return time_parts(graph)
    everything = np.ones(len(graph.edges), dtype=bool)
    if by == "given":
        if graph.parts is None:
            raise InputError("the data give no split", remedy="split by time or at random")
        return graph.parts, everything
    return {"random": random_parts, "unseen": unseen_parts, "group": group_parts}[by](graph, seed), everything


def _held_out(graph: Graph, message: Edges) -> npt.NDArray[np.bool_]:
    """(N,) the nodes of the type held out that no message edge touches."""
    held = np.zeros(graph.num_nodes, dtype=bool)
    held[slice(*graph.type_range(str(graph.split_rule.node_type)))] = True
    return held & ~seen_nodes(graph, message)
