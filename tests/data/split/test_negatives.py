from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare

from relwise.data.graph import Graph
from relwise.data.split import draw_negatives
from relwise.evaluate.metrics import roc_auc
from tests.data.split.cases import SEEDS


@settings(max_examples=20, deadline=None)
@given(st.integers(2, 6), SEEDS, st.booleans())
def test_negatives_are_all_unknown_pairs_where_few_are_left(n: int, seed: int, directed: bool) -> None:
    pairs = [(a, b) for a in range(n) for b in range(n) if a != b]
    known = [pair for i, pair in enumerate(pairs) if (i + seed) % 3]
    graph = Graph.from_triples([(a, "r", b) for a, b in known] + [(a, "s", a) for a in range(n)], directed=directed)
    positives = graph.edges[graph.edges.relations == 0]
    drawn = draw_negatives(graph, positives, np.random.default_rng(seed))
    assert not np.isin(graph.keys(drawn), graph.keys(graph.edges)).any()
    assert (drawn.heads != drawn.tails).all()
    facts = known if directed else {tuple(sorted(pair)) for pair in known}
    possible = pairs if directed else {tuple(sorted(pair)) for pair in pairs}
    assert len(drawn) == (len(positives) if len(facts) < len(possible) else 0)


def popular(directed: bool = True, edges: int = 600) -> Graph:
    """Few much liked nodes, many that are little."""
    rng = np.random.default_rng(1)
    weight = 1.0 / np.arange(1, 101)
    drawn = rng.choice(100, (edges, 2), p=weight / weight.sum())
    drawn[:, 1] = (drawn[:, 1] + 50) % 100
    return Graph.from_triples([(int(a), "likes", int(b)) for a, b in drawn if a != b], directed=directed)


@pytest.mark.parametrize("directed", [True, False])
def test_by_degree_the_other_end_is_drawn_as_often_as_it_has_edges(directed: bool) -> None:
    graph = popular(directed)
    edges, count = graph.edges, graph.num_nodes
    known = np.zeros((count, count), dtype=bool)
    known[edges.heads, edges.tails] = True
    heads, tails = (np.bincount(ends, minlength=count).astype(float) for ends in (edges.heads, edges.tails))
    if not directed:
        known |= known.T
        heads = tails = heads + tails
    np.fill_diagonal(known, True)
    expected, drawn = np.zeros((2, count)), np.zeros((2, count))
    for seed in range(20):
        negatives = draw_negatives(graph, edges, np.random.default_rng(seed), by_degree=True)
        kept_head, kept_tail = negatives.heads == edges.heads, negatives.tails == edges.tails
        assert (kept_head ^ kept_tail).all(), "one end is the positive's"
        assert abs(int(kept_head.sum()) - int(kept_tail.sum())) <= 1 + 0.02 * len(edges)
        drawn[0] += np.bincount(negatives.tails[kept_head], minlength=count)
        drawn[1] += np.bincount(negatives.heads[kept_tail], minlength=count)
        for side, weight, refused in (
            (0, tails, known[edges.heads[kept_head]]),
            (1, heads, known.T[edges.tails[kept_tail]]),
        ):
            chance = np.where(refused, 0, weight)
            expected[side] += (chance / chance.sum(axis=1, keepdims=True)).sum(axis=0)
    for side in (0, 1):
        often = expected[side] >= 5
        assert often.sum() > 20
        scale = drawn[side][often].sum() / expected[side][often].sum()
        assert abs(scale - 1) < 0.05
        assert chisquare(drawn[side][often], expected[side][often] * scale).pvalue > 1e-4


def test_by_degree_popularity_does_not_tell_positives() -> None:
    graph = popular()
    degree = np.bincount(np.concatenate([graph.edges.heads, graph.edges.tails]))

    def told(by_degree: bool) -> float:
        false = draw_negatives(graph, graph.edges, np.random.default_rng(0), by_degree=by_degree)
        products = [degree[edges.heads] * degree[edges.tails] for edges in (graph.edges, false)]
        labels = np.repeat([True, False], [len(graph.edges), len(false)])
        return roc_auc(labels, np.concatenate(products))

    assert told(by_degree=False) > 0.8
    assert told(by_degree=True) < 0.65


def test_by_degree_a_node_tied_to_all_others_gives_way_to_the_other_end() -> None:
    graph = Graph.from_triples([("hub", "r", i) for i in range(20)] + [(0, "r", 1), (1, "r", 2)])
    negatives = draw_negatives(graph, graph.edges, np.random.default_rng(0), by_degree=True)
    assert len(negatives) == len(graph.edges)
    assert not np.isin(graph.keys(negatives), graph.keys(graph.edges)).any()


@settings(max_examples=30, deadline=None)
@given(SEEDS, st.booleans())
def test_an_end_that_is_held_out_is_kept(seed: int, by_degree: bool) -> None:
    graph = popular(edges=300)
    held = np.random.default_rng(seed).random(graph.num_nodes) < 0.2
    positives = graph.edges[held[graph.edges.heads] | held[graph.edges.tails]]
    negatives = draw_negatives(graph, positives, np.random.default_rng(seed), by_degree=by_degree, held=held)
    assert len(negatives) == len(positives)
    kept_head, kept_tail = negatives.heads == positives.heads, negatives.tails == positives.tails
    assert (kept_head ^ kept_tail).all()
    assert held[np.where(kept_head, negatives.heads, negatives.tails)].all()
    both = held[positives.heads] & held[positives.tails]
    assert abs(int(kept_head[both].sum()) - int(kept_tail[both].sum())) <= 4 * np.sqrt(max(1, both.sum()))
