"""The evidence of what paths reach: equal to that of all candidates, and none where they do not reach."""

from __future__ import annotations

import numpy as np
import pytest

from relwise.data.graph import Graph
from relwise.predict.evidence.features import PATHS, SHARED, Evidence
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
    of_heads, of_tails = (evidence.degree_columns(0, end) for end in ("head", "tail"))  # type: ignore[arg-type]
    assert [SHARED[column] for column, _ in (*of_heads, *of_tails)] == [
        "head_degree", "head_ties", "tail_degree", "tail_ties",
    ]  # fmt: skip
    ann, bob, eve = (int(graph.node_index("node", [name])[0]) for name in ("ann", "bob", "eve"))
    assert np.exp(of_heads[0][1]).round()[[ann, bob, eve]].tolist() == [3, 1, 1]
    assert np.exp(of_tails[0][1]).round()[[ann, bob, eve]].tolist() == [1, 2, 2]
    assert np.exp(of_heads[1][1]).round()[[ann, bob, eve]].tolist() == [4, 2, 3]
