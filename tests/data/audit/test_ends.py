"""Which end of an undirected edge is written first."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from relwise.data.audit.case import Case
from relwise.data.audit.ends import ends, order_scores
from relwise.data.edges import Edges
from relwise.data.graph import Graph, Relation, SplitRule
from relwise.data.split import LabelledEdges
from tests.data.audit.graphs import audited, case, make

NODES = 200


def graph_of(order: str, directed: bool = False, count: int = 4000, seed: int = 0) -> Graph:
    """Chance edges of one relation, and one negative of each valid and test edge, whose second end is drawn anew.

    Args:
        order: how true edges are written: `"sorted"`, the smaller number first, or `"chance"`. Negatives keep the first
            end where it is.
        directed: of the relation.
        count: of edges, before repetitions go.
        seed: of everything.
    """
    rng = np.random.default_rng(seed)
    pairs = np.sort(rng.integers(0, NODES, (count, 2)), axis=1)
    pairs = rng.permutation(np.unique(pairs[pairs[:, 0] < pairs[:, 1]], axis=0))
    if order == "chance":
        pairs = np.where(rng.random((len(pairs), 1)) < 0.5, pairs, pairs[:, ::-1])
    parts = np.repeat([0, 1, 2], [len(pairs) - 2 * (len(pairs) // 4), *2 * [len(pairs) // 4]]).astype(np.int8)
    known = set(map(tuple, np.sort(pairs, axis=1).tolist()))
    negatives = {}
    for code, name in ((1, "valid"), (2, "test")):
        heads = pairs[parts == code, 0]
        tails = rng.integers(0, NODES, len(heads))
        new = [h != t and (min(h, t), max(h, t)) not in known for h, t in zip(heads, tails, strict=True)]
        if order == "chance":
            swap = rng.random(len(heads)) < 0.5
            heads, tails = np.where(swap, tails, heads), np.where(swap, heads, tails)
        negatives[name] = Edges(heads[new], np.zeros(sum(new), dtype=np.int64), tails[new])
    graph = make({"x": NODES}, (Relation("r", "x", "x", directed=directed),), [pairs])
    return replace(graph, parts=parts, negatives=negatives, split_rule=SplitRule("given"))


def test_an_order_that_true_edges_have_and_negatives_have_not() -> None:
    graph = graph_of("sorted")
    (finding,) = ends(case(graph))
    assert (finding.kind, finding.severity, finding.relations) == ("ends", "note", ("r",))
    assert 0.6 < finding.share < 0.7
    assert finding.count == len(case(graph).split.test)
    assert f"by relation: 'r' ({100 * finding.share:.1f} %)" in finding.sentence
    assert finding in audited(graph).findings


def test_its_auc_is_that_of_explicit_loops() -> None:
    asked = case(graph_of("sorted", count=1200))
    test, train = asked.split.test, asked.split.message
    written = list(zip(train.heads.tolist(), train.tails.tolist(), strict=True))

    def balance(node: int) -> float:
        first, second = (sum(pair[end] == node for pair in written) for end in (0, 1))
        return (first - second) / (first + second + 1)

    pairs = list(zip(test.edges.heads.tolist(), test.edges.tails.tolist(), strict=True))
    scores = np.array([balance(h) - balance(t) for h, t in pairs])
    assert np.allclose(order_scores(asked, 0, test.edges), scores, rtol=0, atol=1e-12)
    wins = [
        (p > n) + (p == n) / 2 for p in scores[test.labels == 1].tolist() for n in scores[test.labels == 0].tolist()
    ]
    (finding,) = ends(asked)
    assert finding.share == pytest.approx(np.mean(wins))


def test_the_remedy_mends_it() -> None:
    assert not ends(case(graph_of("chance")))
    graph = graph_of("sorted")
    rng = np.random.default_rng(1)

    def exchanged(edges: Edges) -> Edges:
        swap = rng.random(len(edges)) < 0.5
        heads, tails = np.where(swap, edges.tails, edges.heads), np.where(swap, edges.heads, edges.tails)
        return Edges(heads, edges.relations, tails)

    mended = replace(
        graph,
        edges=exchanged(graph.edges),
        negatives={part: exchanged(edges) for part, edges in graph.negatives.items()},
    )
    assert not ends(case(mended))


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("count", [60, 4000])
def test_chance_is_not_told(seed: int, count: int) -> None:
    assert not ends(case(graph_of("chance", count=count, seed=seed)))


def test_few_edges_are_not_told_whatever_their_order() -> None:
    assert not ends(case(graph_of("sorted", count=12)))


def test_the_order_of_a_directed_edge_is_no_secret() -> None:
    assert not ends(case(graph_of("sorted", directed=True)))


def test_negatives_that_relwise_draws_are_not_looked_at() -> None:
    graph = replace(graph_of("sorted"), negatives={})
    assert not ends(case(graph))


def test_one_class_alone_is_not_told() -> None:
    graph = graph_of("sorted")
    asked = case(graph)
    test = asked.split.test
    only = replace(asked.split, test=LabelledEdges(test.positives, np.ones(len(test.positives))))
    assert not ends(Case(graph, only, 0, float("inf")))


def test_without_test_edges_valid_ones_are_asked() -> None:
    graph = graph_of("sorted")
    assert graph.parts is not None
    kept = np.flatnonzero(graph.parts < 2)
    valid = {"valid": graph.negatives["valid"]}
    (finding,) = ends(case(replace(graph, edges=graph.edges[kept], parts=graph.parts[kept], negatives=valid)))
    assert "tells true valid edges" in finding.sentence
