"""Dividing a graph's edges into message, supervision, valid, test and filter edges.

- *message* edges carry messages: the training edges. Nothing of valid or test is ever among them.
- *supervision* edges are those of the message edges that may be learnt from. In every step the ones being
  supervised, and their reverses, are masked from message passing (`relwise.train`).
- *filter* edges are all known edges of every part: what ranking leaves out.

A part's negatives are those that the data give, else one per positive, drawn uniformly within the relation's
types, by seed, none of them a known edge of any part.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from relwise.data.edges import Edges, edge_keys
from relwise.data.graph import TEST, TRAIN, VALID, Graph
from relwise.errors import InputError


@dataclass(frozen=True, eq=False)
class LabelledEdges:
    """Edges and whether each holds.

    Args:
        edges: n edges.
        labels: (n,) bool.
    """

    edges: Edges
    labels: npt.NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.edges)

    @property
    def positives(self) -> Edges:
        return self.edges[self.labels]


@dataclass(frozen=True, eq=False)
class Split:
    """The edges of a graph by what they are for (see the module's text).

    Args:
        message: the training edges, the only ones that carry messages.
        supervised: (len(message),) bool, which of them may be learnt from.
        valid, test: labelled edges.
        filter: all known edges of every part.
    """

    message: Edges
    supervised: npt.NDArray[np.bool_]
    valid: LabelledEdges
    test: LabelledEdges
    filter: Edges

    @property
    def supervision(self) -> Edges:
        return self.message[self.supervised]

    def part(self, name: str) -> LabelledEdges:
        """The labelled edges of `"valid"` or `"test"`."""
        if name not in ("valid", "test"):
            raise InputError(f"there is no split {name!r}", remedy="it is valid or test")
        return self.valid if name == "valid" else self.test


def split_graph(graph: Graph, seed: int = 0) -> Split:
    """Split a graph by its `split_rule`.

    Args:
        graph: the graph.
        seed: of the random split and of drawn negatives.

    Raises:
        InputError: where a part that must not be empty would be.

    >>> graph = Graph.from_triples([(i, "likes", (i + k) % 20) for i in range(20) for k in (1, 2, 3)])
    >>> split = split_graph(graph)
    >>> len(split.message), len(split.valid), len(split.test)
    (51, 6, 12)
    """
    parts, supervised = _parts(graph, seed)
    message = parts == TRAIN
    if not (message & supervised).any():
        raise InputError("no edge is left to train on", where=f"split by {graph.split_rule.by}", remedy=_remedy(graph))
    labelled = {}
    for code, name in ((VALID, "valid"), (TEST, "test")):
        positives = graph.edges[parts == code]
        given = graph.negatives.get(name)
        negatives = (
            given if given is not None else draw_negatives(graph, positives, np.random.default_rng([seed, code]))
        )
        labelled[name] = LabelledEdges(
            Edges.concatenate(positives, negatives),
            np.repeat([True, False], [len(positives), len(negatives)]),
        )
    return Split(graph.edges[message], supervised[message], labelled["valid"], labelled["test"], graph.edges)


def draw_negatives(graph: Graph, positives: Edges, rng: np.random.Generator) -> Edges:
    """For each positive one edge of its relation, uniform within the relation's types and not a known edge.

    Args:
        graph: whose known edges, of every part, are refused.
        positives: n edges, of which only the relations count.
        rng: the source of randomness.

    Returns:
        n edges; fewer only where a relation has no unknown pair left that 1,000 draws could find.
    """
    relations = positives.relations
    known = np.unique(graph.keys(graph.edges))
    heads, tails = np.full(len(relations), -1), np.full(len(relations), -1)
    open_ = np.arange(len(relations))
    for _ in range(1000):
        if not len(open_):
            break
        r = relations[open_]
        h = rng.integers(graph.head_ranges[r, 0], graph.head_ranges[r, 1])
        t = rng.integers(graph.tail_ranges[r, 0], graph.tail_ranges[r, 1])
        keys = edge_keys(h, r, t, graph.num_nodes, graph.directed)
        fresh = (h != t) & ~np.isin(keys, known)
        heads[open_[fresh]], tails[open_[fresh]] = h[fresh], t[fresh]
        open_ = open_[~fresh]
    found = heads >= 0
    return Edges(heads[found], relations[found], tails[found])


def _parts(graph: Graph, seed: int) -> tuple[npt.NDArray[np.int8], npt.NDArray[np.bool_]]:
    """Each edge's part, and whether it may be learnt from."""
    rule, count = graph.split_rule, len(graph.edges)
    everything = np.ones(count, dtype=bool)
    if rule.by == "given":
        if graph.parts is None:
            raise InputError("the data give no split", remedy="split by time or at random")
        return graph.parts, everything
    parts = np.zeros(count, dtype=np.int8)
    if rule.by == "time":
        if graph.edges.times is None:
            raise InputError("the split is by time, and no relation names a time column", remedy='add time = "..."')
        cut_valid, cut_test = np.array([str(rule.valid), str(rule.test)], dtype="datetime64[us]")
        dated = ~np.isnat(graph.edges.times)
        parts[dated & (graph.edges.times >= cut_valid)] = VALID
        parts[dated & (graph.edges.times >= cut_test)] = TEST
        # An undated edge of a dated relation may lie after the cut: it is evidence, never supervised. A
        # relation without any date is taken as always known.
        has_dates = np.bincount(graph.edges.relations, dated, minlength=graph.num_relations) > 0
        return parts, dated | ~has_dates[graph.edges.relations]
    # One draw per fact, so that both orientations of an undirected edge fall into one part; per relation, so
    # that a small relation is not left out of a part by chance.
    keys = graph.keys(graph.edges)
    rng = np.random.default_rng([seed, 7])
    for relation in range(graph.num_relations):
        of_relation = np.flatnonzero(graph.edges.relations == relation)
        facts, which = np.unique(keys[of_relation], return_inverse=True)
        order = rng.permutation(len(facts))
        first = round(len(facts) * float(rule.test))
        second = first + round(len(facts) * float(rule.valid))
        code = np.zeros(len(facts), dtype=np.int8)
        code[order[:first]] = TEST
        code[order[first:second]] = VALID
        parts[of_relation] = code[which]
    return parts, everything


def _remedy(graph: Graph) -> str:
    return "set later dates" if graph.split_rule.by == "time" else "give more edges"
