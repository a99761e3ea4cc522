"""Typed paths against a brute force over small graphs, by pairs and by blocks."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from relwise.data.edges import Edges
from relwise.data.graph import Graph, Relation
from relwise.predict.evidence import features
from relwise.predict.evidence.features import Evidence
from relwise.predict.evidence.plan import Plan, reversed_pattern
from relwise.predict.evidence.table import PATHS, SHARED, weight
from relwise.predict.evidence.ties import Ties
from relwise.predict.evidence.walk_blocks import block_evidence


def small_graph(seed: int, nodes: int = 10) -> Graph:
    """Two directed relations and an undirected one, repeated edges and loops among them."""
    rng = np.random.default_rng(seed)
    triples = [
        (f"n{rng.integers(nodes)}", name, f"n{rng.integers(nodes)}")
        for name in ("to", "with", "at")
        for _ in range(2 * nodes)
    ]
    triples += [(f"n{node}", "to", f"n{(node + 1) % nodes}") for node in range(nodes)]
    graph = Graph.from_triples(triples)
    relations = [Relation(r.name, r.head, r.tail, directed=r.name != "with") for r in graph.relations]
    return Graph(graph.node_types, relations, graph.edges)


def brute_force(ties: Ties, pattern: tuple[int, ...], head: int, tail: int) -> float:
    """Σ over simple paths of Π 1 / (ties with which each inner node is left)."""
    if head == tail:
        return 0.0
    total = 0.0
    others = [node for node in range(ties.num_nodes) if node not in (head, tail)]
    for inner in itertools.product(others, repeat=len(pattern) - 1):
        path = (head, *inner, tail)
        if all(b in ties.of_node(a, kind) for a, b, kind in zip(path, path[1:], pattern, strict=False)):
            total += 1 / np.prod([len(ties.of_node(u, kind)) for u, kind in zip(inner, pattern[1:], strict=True)])
    return float(total)


@pytest.mark.parametrize("seed", range(3))
def test_pairs_equal_a_brute_force(seed: int) -> None:
    graph = small_graph(seed)
    ties = Ties.of(graph, graph.edges)
    kinds = [kind for kind in range(ties.num_kinds) if ties.degrees(kind).any()]
    patterns = [p for steps in (1, 2, 3) for p in itertools.product(kinds, repeat=steps)]
    evidence = Evidence(ties, [patterns] * graph.num_relations)
    heads, tails = (a.ravel() for a in np.meshgrid(range(graph.num_nodes), range(graph.num_nodes)))
    found = evidence.paths(patterns, heads, tails)
    expected = [[brute_force(ties, p, h, t) for p in patterns] for h, t in zip(heads, tails, strict=True)]
    assert np.count_nonzero(found) > 1000
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("few", [0.0, 1e9], ids=["all candidates", "those reached"])
@pytest.mark.parametrize("from_tail", [False, True])
@pytest.mark.parametrize("relation", [0, 1], ids=["directed", "undirected"])
@pytest.mark.parametrize("seed", range(3))
def test_blocks_equal_pairs(
    seed: int, relation: int, from_tail: bool, few: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(features, "FEW", few)
    graph = small_graph(seed)
    ties = Ties.of(graph, graph.edges)
    rng = np.random.default_rng(seed)
    kinds = [kind for kind in range(ties.num_kinds) if ties.degrees(kind).any()]
    patterns = [p for steps in (1, 2, 3) for p in itertools.product(kinds, repeat=steps)]
    patterns = [p for p in patterns if p != (2 * relation,)]
    patterns = [patterns[i] for i in rng.permutation(len(patterns))[:40]]
    evidence = Evidence(ties, [patterns] * graph.num_relations)
    shared, own = rng.normal(size=len(SHARED)), rng.normal(size=len(patterns))
    nodes = np.arange(graph.num_nodes)
    assert graph.directed[relation] == (relation == 0)
    block = evidence.block(relation, from_tail, nodes, (2, graph.num_nodes), shared, own)
    for anchor, row in zip(nodes, block, strict=True):
        others = np.arange(2, graph.num_nodes)
        ends = (others, np.full(len(others), anchor)) if from_tail else (np.full(len(others), anchor), others)
        table = evidence.table(Edges(ends[0], np.full(len(others), relation), ends[1]))
        expected = table.shared @ shared + table.own @ own
        # The block does not know which pair is a known edge: there alone a degree counts it.
        free = (others != anchor) & (evidence.paths([(2 * relation,)], *ends)[:, 0] == 0)
        assert free.any()
        np.testing.assert_allclose(row[free], expected[free], rtol=1e-5, atol=1e-5)


def test_an_edge_is_not_its_own_evidence() -> None:
    """Whether the edge asked about is known or not changes nothing that is said of it."""
    graph = small_graph(1)
    patterns = [(0, 1, 0), (1, 1), (2,), (4, 4), (1, 0, 3), (4, 1), (0, 0), (0, 4)]
    of_relation = [[p for p in patterns if p != (2 * r,)] for r in range(graph.num_relations)]
    whole = Evidence(Ties.of(graph, graph.edges), of_relation)
    checked = 0
    keys = graph.keys(graph.edges)
    for row in range(len(graph.edges)):
        edge = graph.edges[np.array([row])]
        if edge.heads[0] == edge.tails[0]:
            continue
        without = Evidence(Ties.of(graph, graph.edges[keys != keys[row]]), of_relation)
        one, other = whole.table(edge), without.table(edge)
        np.testing.assert_allclose(one.shared[:, :1], other.shared[:, :1])
        np.testing.assert_allclose(one.shared[:, PATHS:], other.shared[:, PATHS:])
        # The paths are the same; an inner node is never one of the ends, so no weight counts the edge.
        np.testing.assert_allclose(one.own, other.own)
        checked += 1
    assert checked > 50


def test_an_undirected_edge_has_no_head() -> None:
    """Asked either way round the evidence is the same, and so is what each pattern does, followed the other way."""
    graph, rng = small_graph(2), np.random.default_rng(0)
    ties = Ties.of(graph, graph.edges)
    patterns = [(0, 1, 4), (1, 2), (2, 4), (4, 2), (0, 4, 2), (0,), (2, 1)]
    evidence = Evidence(ties, [patterns] * graph.num_relations)
    ends = np.array(list(itertools.permutations(range(graph.num_nodes), 2))).T
    edges = Edges(ends[0], np.ones(ends.shape[1], np.int64), ends[1])
    back = Edges(edges.tails, edges.relations, edges.heads)
    one, other = evidence.table(edges), evidence.table(back)
    np.testing.assert_array_equal(one.shared, other.shared)
    np.testing.assert_array_equal(one.own, other.own)
    assert (one.shared[:, 3] <= one.shared[:, 4]).all(), "told from the end with fewer ties"
    assert (one.shared[:, 3] < one.shared[:, 4]).any()
    weights = rng.normal(size=(graph.num_relations, len(SHARED))), rng.normal(size=(graph.num_relations, len(patterns)))
    ways = zip(*(evidence.path_effects(some, *weights) for some in (edges, back)), strict=True)
    for there, again in ways:
        assert {reversed_pattern(ties, pattern): effect for pattern, effect in again.items()} == there


def test_the_effect_of_a_pattern_is_what_is_said_less_without_its_paths() -> None:
    graph, rng = small_graph(0), np.random.default_rng(0)
    ties = Ties.of(graph, graph.edges)
    patterns = [(2,), (5,), (0, 1), (2, 4), (4, 2), (0, 1, 0), (0, 4, 2)]
    shared, own = rng.normal(size=(3, len(SHARED))), rng.normal(size=(3, len(patterns)))
    evidence = Evidence(ties, [patterns] * 3)
    ends = np.array(list(itertools.permutations(range(graph.num_nodes), 2))).T
    edges = Edges(ends[0], np.zeros(ends.shape[1], np.int64), ends[1])
    effects, whole = evidence.path_effects(edges, shared, own), evidence.table(edges)
    seen = 0
    for column, pattern in enumerate(patterns):
        # A judge that never heard of the pattern, on evidence that does not count it.
        others = [p for p in patterns if p != pattern]
        without = Evidence(ties, [others] * 3).table(edges)
        said = whole.shared @ shared[0] + whole.own @ own[0]
        less = without.shared @ shared[0] + without.own @ np.delete(own[0], column)
        for row, effect in enumerate(effects):
            assert (pattern in effect) == (whole.own[row, column] > 0)
            assert effect.get(pattern, 0.0) == pytest.approx(said[row] - less[row], abs=1e-3)
            seen += pattern in effect
    assert seen > 100


def test_hubs_are_not_passed_through() -> None:
    graph = Graph.from_triples(
        [(f"n{i}", "to", "hub") for i in range(20)] + [("n0", "to", "small"), ("n1", "to", "small")]
    )
    ties = Ties.of(graph, graph.edges)
    plan = Plan.of(ties, [(0, 1)])
    one = block_evidence(ties, plan, np.ones(1), np.zeros(3), np.array([0]), (0, graph.num_nodes), cap=10)
    n1 = graph.node_index("node", ["n1", "n2"])
    np.testing.assert_allclose(one[0, n1], [weight(np.array(1 / 2)), 0], rtol=1e-6)
