"""Edges of test that stand in train, and how many."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from relwise.data.audit.repeated import repeated
from relwise.data.graph import Graph, SplitRule
from relwise.data.split import LabelledEdges
from tests.data.audit.graphs import case


def mutual(seed: int, share: float, directed: bool = True) -> Graph:
    """Random edges among 80 nodes; of so many the reverse is an edge too. Test is every tenth."""
    rng = np.random.default_rng(seed)
    pairs = np.unique(rng.integers(0, 80, (500, 2)), axis=0)
    pairs = pairs[pairs[:, 0] < pairs[:, 1]]
    rng.shuffle(pairs)
    back = pairs[: round(share * len(pairs)), ::-1]
    test, train = [pairs[:60], np.concatenate([pairs[60:], back])]
    triples = {"train": [(h, "r", t) for h, t in train], "test": [(h, "r", t) for h, t in test]}
    return replace(Graph.from_triples(triples, directed=directed), split_rule=SplitRule("given"))


def test_reversed_edges_of_a_directed_relation() -> None:
    (finding,) = repeated(case(mutual(0, 0.5)))
    assert (finding.severity, finding.count, finding.share) == ("leak", 60, 1.0)
    assert finding.relations == ("r",)
    assert finding.sentence.startswith("60 of 60 (100.0 %) test edges of 'r' stand in train turned round, of a direct")
    assert "directed = false" in finding.remedy
    (finding,) = repeated(case(mutual(0, 0.1)))
    assert finding.severity == "warn"
    assert 15 <= finding.count <= 40


def test_the_same_fact_is_always_a_leak() -> None:
    graph = Graph.from_triples({"train": [("a", "r", "b"), ("c", "r", "d")], "test": [("b", "r", "a")]}, directed=False)
    (finding,) = repeated(case(replace(graph, split_rule=SplitRule("given"))))
    assert finding.severity == "leak"
    assert "the same fact" in finding.sentence
    assert finding.examples == (("b", "r", "a"),)


def test_what_chance_has_reversed_is_not_told() -> None:
    for seed in range(20):
        rng = np.random.default_rng(seed)
        triples = [(h, "r", t) for h, t in {(int(h), int(t)) for h, t in rng.integers(0, 40, (500, 2)) if h != t}]
        asked = case(Graph.from_triples(triples), seed)
        assert not repeated(asked), "about a quarter of these edges stand reversed, by chance"


def test_edges_that_stand_twice() -> None:
    graph = replace(
        Graph.from_triples({"train": [("a", "r", "b"), ("n", "r", "m")], "test": [("x", "r", "b")]}),
        split_rule=SplitRule("given"),
    )
    asked = case(graph)
    asked.split = replace(asked.split, test=LabelledEdges(asked.split.message[np.array([0])], np.ones(1, bool)))
    (finding,) = repeated(asked)
    assert (finding.severity, finding.count, finding.examples) == ("leak", 1, (("a", "r", "b"),))
