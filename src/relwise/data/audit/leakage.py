"""Leakage across a split: which of the edges to be predicted stand in the training edges in another guise.

A test edge (h, r, t) may stand in train

- as it is: *same*,
- turned round, (t, r, h): *reversed*. Of an undirected relation that is the same fact, and any model that
  passes messages both ways sees it;
- as another relation of the same two nodes, in either direction: *other*.

None of these makes a benchmark useless, but measures are then given with such edges and without them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from relwise.data.audit.ties import distinct, is_among
from relwise.data.edges import Edges
from relwise.data.graph import Graph
from relwise.data.split import LabelledEdges, Split

BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class PartLeakage:
    """Which edges of one part stand in train in another guise. All masks are False for negatives.

    Args:
        labels: (n,) whether each edge of the part is a positive.
        same: (n,) stands in train as it is.
        reversed: (n,) stands there turned round, under the same relation.
        other: (n,) stands there under another relation, in either direction (whatever else holds of it).
    """

    labels: BoolArray
    same: BoolArray
    reversed: BoolArray
    other: BoolArray

    @property
    def other_only(self) -> BoolArray:
        """(n,) stands in train under another relation and neither as it is nor turned round."""
        return self.other & ~self.same & ~self.reversed

    @property
    def leaked(self) -> BoolArray:
        """(n,) stands in train in any of the three ways; measures "without" leave these out."""
        return self.same | self.reversed | self.other

    def counts(self) -> dict[str, int]:
        """How many positives there are, and how many of them each mask has.

        The keys are `positives`, `same`, `reversed`, `other`, `other_only` and `leaked`.
        """
        masks = ("same", "reversed", "other", "other_only", "leaked")
        return {
            "positives": int(self.labels.sum()),
            **{name: int(getattr(self, name).sum()) for name in masks},
        }


@dataclass(frozen=True, eq=False)
class Leakage:
    """The leakage from train into the valid and the test part."""

    valid: PartLeakage
    test: PartLeakage

    def part(self, name: str) -> PartLeakage:
        """That of `"valid"` or `"test"`."""
        return {"valid": self.valid, "test": self.test}[name]

    def describe(self) -> list[str]:
        """What a person should know of it, one sentence per part that has positives."""
        return [_sentence(name, self.part(name).counts()) for name in ("valid", "test") if self.part(name).labels.any()]


def leakage(graph: Graph, split: Split) -> Leakage:
    """Find the valid and test positives that stand among the message edges in another guise.

    Args:
        graph: whose edges were split.
        split: the split.

    >>> from relwise.data.split import split_graph
    >>> from relwise.data.graph import SplitRule
    >>> from dataclasses import replace
    >>> triples = {"train": [("a", "likes", "b"), ("b", "knows", "c")], "test": [("b", "likes", "a")]}
    >>> graph = replace(Graph.from_triples(triples), split_rule=SplitRule("given"))
    >>> leakage(graph, split_graph(graph)).describe()
    ['1 of 1 test positives (100.0 %) stand in train: 1 (100.0 %) reversed under the same relation']
    """
    return Leakage(*(_part_leakage(split.message, part, graph) for part in (split.valid, split.test)))


def _part_leakage(train: Edges, part: LabelledEdges, graph: Graph) -> PartLeakage:
    n, count = graph.num_nodes, graph.num_relations
    edges, labels = part.edges, np.asarray(part.labels, dtype=bool)

    def keys(relations: npt.NDArray, first: npt.NDArray, second: npt.NDArray) -> npt.NDArray:
        return (relations * n + first) * n + second

    def pairs(edges: Edges) -> npt.NDArray:
        return np.minimum(edges.heads, edges.tails) * n + np.maximum(edges.heads, edges.tails)

    known = np.sort(keys(train.relations, train.heads, train.tails))
    same = labels & is_among(keys(edges.relations, edges.heads, edges.tails), known)
    turned = is_among(keys(edges.relations, edges.tails, edges.heads), known)
    turned &= labels & (edges.heads != edges.tails)
    # How many relations tie each pair in train, less the edge's own where that is one of them.
    ties = distinct(pairs(train) * count + train.relations) // count
    asked = pairs(edges)
    relations = np.searchsorted(ties, asked, side="right") - np.searchsorted(ties, asked)
    return PartLeakage(labels, same, turned, labels & (relations > (same | turned)))


def _sentence(name: str, counts: dict[str, int]) -> str:
    total = counts["positives"]

    def share(count: int) -> str:
        return f"{count:,} ({100 * count / total:.1f} %)"

    if not counts["leaked"]:
        return f"none of the {total:,} {name} positives stands in train, reversed or under another relation"
    ways = [
        f"{share(counts[key])} {words}"
        for key, words in (
            ("same", "as they are"),
            ("reversed", "reversed under the same relation"),
            ("other_only", "under another relation only"),
        )
        if counts[key]
    ]
    leaked = f"{counts['leaked']:,} of {total:,} {name} positives ({100 * counts['leaked'] / total:.1f} %)"
    return f"{leaked} stand in train: {', '.join(ways)}"
