"""The evidence of what paths reach: equal to that of all candidates, and none where they do not reach."""

from __future__ import annotations

import numpy as np
import pytest

from relwise.data.graph import Graph
from relwise.predict.evidence.features import Evidence
from relwise.predict.evidence.table import PATHS, SHARED
from relwise.predict.evidence.ties import Ties
from relwise.predictor import RelationshipPredictor
from tests.fakes import small_graph
from tests.predict.judged import judged
from tests.predict.test_scorer import dense_graph
from tests.small_data import TINY


@pytest.mark.parametrize("make", [small_graph, dense_graph])
@pytest.mark.parametrize("from_tail", [False, True])
def test_as_that_of_all_candidates(make, from_tail: bool) -> None:
    model = judged(RelationshipPredictor(**TINY).fit(make()))
    graph, judge = model.graph, model.judgement.both
    some_unreached = False
    for relation in range(graph.num_relations):
        shared, own = judge.shared[relation].copy(), judge.own[relation]
        shared[PATHS:] = 0
        (low, high), (first, last) = graph.tail_ranges[relation].tolist(), graph.head_ranges[relation].tolist()
        if from_tail:
            (low, high), (first, last) = (first, last), (low, high)
        for anchor in range(first, last):
            nodes, values = model.evidence.reached(relation, from_tail, anchor, (low, high), shared, own)
            expected = model.evidence.block(relation, from_tail, np.array([anchor]), (low, high), shared, own)[0]
            found = np.zeros(high - low, np.float32)
            found[nodes - low] = values
            np.testing.assert_allclose(found, expected, rtol=0, atol=2e-6)
            assert (np.diff(nodes) > 0).all()
            assert anchor not in nodes
            some_unreached |= len(nodes) < high - low - 1
    assert some_unreached


def test_degrees_are_told_of_one_end() -> None:
    graph = Graph.from_triples([("ann", "likes", "bob"), ("ann", "likes", "eve"), ("eve", "knows", "ann")])
    evidence = Evidence(Ties.of(graph, graph.edges), [[], []])
    nodes = graph.node_index("node", ["ann", "bob", "eve"])
    of_heads, of_tails = evidence.degrees(0, "head", nodes), evidence.degrees(0, "tail", nodes)
    told = [(SHARED[column], np.expm1(values).round().tolist()) for column, values in (*of_heads, *of_tails)]
    assert told == [
        ("head_degree", [2, 0, 0]), ("head_ties", [3, 1, 2]), ("tail_degree", [0, 1, 1]), ("tail_ties", [3, 1, 2]),
    ]  # fmt: skip
    table = evidence.table(graph.edges[np.array([0])])  # which itself is left out of its own evidence
    assert np.expm1(table.shared[0, 3:]).round().tolist() == [1, 0, 2, 0]
