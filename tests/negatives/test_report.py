import json

import numpy as np
import pytest

from relwise.data.edges import Edges
from relwise.data.graph import Graph
from relwise.data.split import split_graph
from relwise.negatives.report import BINS, HeldOut, Tally, count_probabilities, quantile
from relwise.train.state import TrainingState


def parts(directed):
    rng = np.random.default_rng(0)
    triples = sorted({(int(a), "to", int(b)) for a, b in rng.integers(0, 30, (200, 2)) if a != b})
    graph = Graph.from_triples(triples, directed=directed)
    return graph, split_graph(graph, 0)


def triples_of(graph, edges):
    rows = zip(edges.heads.tolist(), edges.relations.tolist(), edges.tails.tolist(), strict=True)
    return [(h, r, t) if graph.directed[r] else (min(h, t), r, max(h, t)) for h, r, t in rows]


@pytest.mark.parametrize("directed", [True, False])
def test_held_out_edges_are_counted_as_a_loop_counts_them(directed):
    graph, split = parts(directed)
    known = set(triples_of(graph, split.message))
    later = {t for part in (split.valid, split.test) for t in triples_of(graph, part.positives)} - known
    rng = np.random.default_rng(1)
    asked = Edges(rng.integers(0, graph.num_nodes, 500), np.zeros(500, np.int64), rng.integers(0, graph.num_nodes, 500))
    want = sum(t in later for t in triples_of(graph, asked))
    assert HeldOut(graph, split).count(asked) == want > 0
    assert HeldOut(graph, split).count(split.message) == 0
    turned = Edges(split.test.positives.tails, split.test.positives.relations, split.test.positives.heads)
    assert directed or HeldOut(graph, split).count(turned) == len(turned)


def test_quantiles_and_means_are_numpys_to_half_a_part():
    rng = np.random.default_rng(2)
    positive, negative = rng.normal(1, 2, 4000).astype(np.float32), rng.normal(-1, 2, 4000).astype(np.float32)
    tally = Tally()
    for i in range(0, 4000, 1000):
        tally.add(1100, 100, 3, *(count_probabilities(logits[i : i + 1000]) for logits in (positive, negative)))
    for counts, logits in ((tally.positives, positive), (tally.negatives, negative)):
        probability = 1 / (1 + np.exp(-logits.astype(float)))
        assert sum(counts) == 4000
        assert counts.tolist() == np.histogram(probability, BINS, (0, 1))[0].tolist()
        for share in (0.1, 0.5, 0.9):
            assert abs(quantile(counts, share) - np.quantile(probability, share)) <= 1 / BINS
    assert abs(tally.hardness() - (1 / (1 + np.exp(-negative.astype(float)))).mean()) < 0.5 / BINS
    assert (tally.proposed, tally.refused, tally.chosen, tally.held_out) == (4400, 400, 4000, 12)
    assert tally.per_10_000() == 30
    assert "4,400 proposed, 400 of them refused" in tally.describe()[0]
    assert "12 of those taken are true edges" in tally.describe()[2]


def test_what_came_since_is_what_was_added():
    rng, tally = np.random.default_rng(3), Tally()
    tally.add(10, 2, 1, *rng.integers(0, 9, (2, BINS)))
    before = Tally.of_state(json.loads(json.dumps(tally.to_state())))
    alone, counts = Tally(), rng.integers(0, 9, (2, BINS))
    for one in (tally, alone):
        one.add(7, 2, 0, *counts)
    assert tally.since(before) == alone != before


def test_a_training_state_comes_back_from_json():
    state = TrainingState(step=3)
    state.tally.add(10, 2, 1, *np.eye(2, BINS, dtype=int))
    assert TrainingState.from_json(json.loads(json.dumps(state.to_json()))) == state


def test_nothing_drawn_is_said_so():
    assert Tally().describe() == ["negatives: none were drawn"]
    assert Tally().to_json()["probability"] == {}
