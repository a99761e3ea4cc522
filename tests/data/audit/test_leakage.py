"""Leakage: each guise told from the others, per edge."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from relwise.data.audit import leakage
from relwise.data.edges import Edges
from relwise.data.graph import Graph, SplitRule
from relwise.data.read import read
from relwise.data.split import LabelledEdges, Split, split_graph
from tests.fakes import small_graph

TRAIN = [("a", "r", "b"), ("c", "r", "d"), ("e", "s", "f"), ("g", "r", "h"), ("g", "s", "h"), ("n", "r", "n")]
TEST = {
    ("b", "r", "a"): {"reversed"},
    ("c", "s", "d"): {"other", "other_only"},
    ("d", "s", "c"): {"other", "other_only"},
    ("f", "r", "e"): {"other", "other_only"},
    ("h", "r", "g"): {"reversed", "other"},
    ("a", "r", "c"): set(),
    ("n", "s", "n"): {"other", "other_only"},
}


def given_split(train: list, test: list) -> tuple[Graph, Split]:
    graph = Graph.from_triples({"train": train, "test": test})
    graph = replace(graph, split_rule=SplitRule("given"))
    return graph, split_graph(graph)


def test_each_guise() -> None:
    graph, split = given_split(TRAIN, list(TEST))
    found = leakage(graph, split).test
    for i, (edge, expected) in enumerate(TEST.items()):
        ways = {way for way in ("same", "reversed", "other", "other_only") if getattr(found, way)[i]}
        assert ways == expected, edge
    assert not found.leaked[len(TEST) :].any(), "negatives leak nothing"
    assert len(found.leaked) == len(split.test)
    assert found.counts() == {
        "positives": 7,
        "same": 0,
        "reversed": 2,
        "other": 5,
        "other_only": 4,
        "leaked": 6,
    }


def test_exact_repetitions_are_told() -> None:
    graph, split = given_split([("a", "r", "b"), ("n", "r", "n"), ("x", "s", "y")], [("a", "s", "y")])
    again = LabelledEdges(split.message[np.array([0, 1])], np.ones(2, bool))  # which reading would have dropped
    found = leakage(graph, replace(split, test=again))
    assert found.test.counts()["same"] == 2
    assert found.test.counts()["reversed"] == 0, "a self-loop is not its own reverse"
    assert found.describe() == ["2 of 2 test positives (100.0 %) stand in train: 2 (100.0 %) as they are"]


def test_by_brute_force() -> None:
    graph = small_graph()
    rng = np.random.default_rng(0)
    edges = Edges(rng.integers(0, 12, 300), rng.integers(0, 4, 300), rng.integers(0, 12, 300))
    labels = rng.random(150) < 0.7
    split = Split(
        edges[np.arange(150)],
        np.ones(150, bool),
        LabelledEdges(edges[np.arange(150, 300)], labels),
        LabelledEdges(edges[np.arange(150, 300)], labels),
        edges,
    )
    found = leakage(graph, split).valid
    train = set(zip(split.message.heads, split.message.relations, split.message.tails, strict=True))
    for i in range(150):
        h, r, t = edges.heads[150 + i], edges.relations[150 + i], edges.tails[150 + i]
        assert found.same[i] == (labels[i] and (h, r, t) in train)
        assert found.reversed[i] == (labels[i] and h != t and (t, r, h) in train)
        others = [q for q in range(4) if q != r and ((h, q, t) in train or (t, q, h) in train)]
        assert found.other[i] == (labels[i] and bool(others))


def test_a_clean_split_says_so() -> None:
    graph, split = given_split([("a", "r", "b"), ("b", "r", "c")], [("a", "r", "c")])
    assert leakage(graph, split).describe() == [
        "none of the 1 test positives stands in train, reversed or under another relation"
    ]


@pytest.mark.data
def test_amazon(benchmark_data: Callable[[str], Path]) -> None:
    graph = read(benchmark_data("amazon"))
    found = leakage(graph, split_graph(graph))
    counts = found.test.counts()
    assert (counts["positives"], counts["same"], counts["reversed"], counts["other_only"]) == (
        14_746,
        0,
        2_991,
        144,
    )
    assert found.valid.counts()["reversed"] == 1_463
    assert "2,991 (20.3 %) reversed under the same relation" in found.describe()[1]
