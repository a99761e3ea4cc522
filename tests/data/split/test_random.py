from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from relwise.data.graph import Graph, SplitRule
from relwise.data.split import split_graph
from tests.data.split.cases import SEEDS, check, parts_of
from tests.fakes import small_graph


@settings(max_examples=20, deadline=None)
@given(SEEDS, st.floats(0.05, 0.4), st.floats(0.05, 0.4))
def test_random(seed: int, valid: float, test: float) -> None:
    graph = small_graph(1, SplitRule("random", valid, test))
    split = split_graph(graph, seed)
    check(graph, split)
    assert split.supervised.all()
    for relation, count in enumerate(np.bincount(graph.edges.relations)):
        assert abs((split.valid.positives.relations == relation).sum() - count * valid) <= 1
        assert abs((split.test.positives.relations == relation).sum() - count * test) <= 1


@settings(max_examples=20, deadline=None)
@given(SEEDS)
def test_both_orientations_of_an_undirected_edge_stay_together(seed: int) -> None:
    rng = np.random.default_rng(seed)
    pairs = np.unique(np.sort(rng.integers(0, 15, (40, 2)), axis=1), axis=0)
    triples = [(a, "r", b) for a, b in pairs] + [(b, "r", a) for a, b in pairs if a != b]
    graph = Graph.from_triples(triples, directed=False)
    split = split_graph(graph, seed)
    keys = [set(part) for part in parts_of(graph, split)]
    assert not keys[0] & keys[1]
    assert not keys[0] & keys[2]
    assert not keys[1] & keys[2]
