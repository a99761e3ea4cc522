"""Paths: those that loops over all edges find."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from relwise.data.edges import Edges
from relwise.data.graph import Graph, NodeType, Relation
from relwise.predict.evidence.plan import describe_pattern
from relwise.predict.evidence.ties import Ties
from relwise.predict.explain.paths import enumerate_paths, paths_between

Steps = list[tuple[int, str]]


def ten_nodes(seed: int) -> Graph:
    """Ten nodes, three relations, one of them undirected; edges repeated, reversed, loops."""
    rng, count = np.random.default_rng(seed), 40
    relations = (Relation("r", "n", "n"), Relation("s", "n", "n", False), Relation("t", "n", "n"))
    edges = Edges(rng.integers(0, 10, count), rng.integers(0, 3, count), rng.integers(0, 10, count))
    return Graph((NodeType("n", [str(i) for i in range(10)]),), relations, edges)  # type: ignore[arg-type]


def by_loops(graph: Graph, head: int, relation: int, tail: int) -> Counter[str]:
    """All simple paths of at most three steps, the edge asked about left out."""
    steps: dict[int, set[tuple[int, str]]] = {node: set() for node in range(graph.num_nodes)}
    for h, r, t in zip(graph.edges.heads, graph.edges.relations, graph.edges.tails, strict=True):
        name, directed = graph.relation_names[r], graph.directed[r]
        same = (h, r, t) == (head, relation, tail) or (not directed and (t, r, h) == (head, relation, tail))
        if h != t and not same:
            steps[int(h)].add((int(t), name))
            steps[int(t)].add((int(h), f"~{name}" if directed else name))
    found: Counter[str] = Counter()

    def walk(path: list[int], names: list[str]) -> None:
        for node, name in steps[path[-1]]:
            if node == tail:
                found[" > ".join([*names, name])] += 1
            elif node not in path and len(names) < 2:
                walk([*path, node], [*names, name])

    walk([head], [])
    return found


@pytest.mark.parametrize("seed", range(6))
def test_counts_are_those_of_loops(seed: int) -> None:
    graph = ten_nodes(seed)
    ties, seen = Ties.of(graph, graph.edges), 0
    for head in range(10):
        for tail in range(10):
            if head == tail:
                continue
            for relation in range(3):
                found, skipped = enumerate_paths(ties, head, relation, tail, 10_000)
                counts: Counter[str] = Counter()
                for one in found:
                    counts.update(describe_pattern(graph, tuple(kinds)) for kinds in one.kinds.tolist())
                assert counts == by_loops(graph, head, relation, tail)
                assert skipped == 0
                seen += counts.total()
    assert seen > 1000


def test_examples_are_paths_and_weights_are_the_products() -> None:
    graph = ten_nodes(0)
    ties = Ties.of(graph, graph.edges)
    (head, relation, tail), checked = (3, 0, 7), 0
    groups, _ = paths_between(graph, ties, head, relation, tail)
    assert [group.weight for group in groups] == sorted((group.weight for group in groups), reverse=True)
    for group in groups:
        assert 1 <= len(group.examples) <= 3
        assert len(group.examples) == min(3, group.count)
        for example in group.examples:
            nodes = [int(node.id) for node in example]
            assert nodes[0] == head
            assert nodes[-1] == tail
            assert len(nodes) == group.length + 1
            weight = 1.0
            for step, name in enumerate(group.pattern.split(" > ")):
                kind = 2 * graph.relation_index(name.removeprefix("~")) + name.startswith("~")
                assert nodes[step + 1] in ties.of_node(nodes[step], kind)
                weight /= len(ties.of_node(nodes[step], kind)) if step else 1
            checked += 1
            if group.count == 1:
                assert group.weight == pytest.approx(weight)
    assert checked > 5


def test_hubs_are_passed_over_and_it_is_said() -> None:
    hub = [("a", "r", "hub"), *((f"x{i}", "r", "hub") for i in range(50)), ("b", "r", "x3")]
    few = [("a", "r", "c"), ("d", "r", "c"), ("d", "r", "b"), ("x1", "s", "b"), ("x2", "s", "b")]
    graph = Graph.from_triples([*hub, *few])
    ties = Ties.of(graph, graph.edges)
    head, tail = graph.node_index("node", ["a", "b"]).tolist()
    whole, notes = paths_between(graph, ties, head, 0, tail)
    assert {group.pattern: group.count for group in whole} == {
        "r > ~r > r": 1, "r > ~r > ~r": 1, "r > ~r > s": 2
    }  # fmt: skip
    assert not notes
    capped, notes = paths_between(graph, ties, head, 0, tail, most=4)
    assert sum(group.count for group in capped) < 4
    assert any("may be more" in note for note in notes)
