from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relwise.data.edges import Edges
from relwise.data.graph import Graph, NodeType, Relation, SplitRule
from relwise.data.split import Split, split_graph
from relwise.errors import InputError
from tests.data.split.cases import SEEDS, check
from tests.fakes import small_graph


def _touched(edges: Edges) -> set[int]:
    return {*edges.heads.tolist(), *edges.tails.tolist()}


def _held(graph: Graph, split: Split, node_type: str) -> set[int]:
    """The nodes of the type that have edges, but no message edge."""
    return (_touched(graph.edges) - _touched(split.message)) & set(range(*graph.type_range(node_type)))


@settings(max_examples=40, deadline=None)
@given(SEEDS, st.sampled_from(["person", "company", "city"]), st.floats(0.05, 0.3), st.floats(0.05, 0.3))
def test_nodes_are_held_out_with_all_their_edges(seed: int, node_type: str, valid: float, test: float) -> None:
    graph = small_graph(seed % 50, SplitRule("unseen", valid, test, node_type))
    split = split_graph(graph, seed)
    check(graph, split)
    assert split.supervised.all()
    held = _held(graph, split, node_type)
    with_edges = _touched(graph.edges) & set(range(*graph.type_range(node_type)))
    counts = [max(1, round(len(with_edges) * share)) for share in (valid, test)]
    assert len(held) == sum(counts), "the share of the nodes that have edges"
    assert not held & _touched(split.message)
    for part in (split.valid, split.test):
        ends = zip(part.edges.heads.tolist(), part.edges.tails.tolist(), strict=True)
        assert all(held & {head, tail} for head, tail in ends), "negatives touch a node held out as positives do"
    in_test, in_valid = (held & _touched(part.positives) for part in (split.test, split.valid))
    if node_type != "person":  # no relation ties two companies or cities: an edge touches one at most
        assert (len(in_valid), len(in_test)) == tuple(counts)
        assert not in_valid & in_test
    assert set(np.unique(split.message.relations)) == set(np.unique(graph.edges.relations)), (
        "each relation has some left"
    )


def test_an_edge_of_a_valid_and_a_test_node_is_a_test_edge() -> None:
    graph = Graph.from_triples([(a, "knows", b) for a in range(20) for b in range(a)], directed=False)
    split = split_graph(replace(graph, split_rule=SplitRule("unseen", 0.2, 0.3, "node")))
    check_counts = [len(part) for part in (split.message, split.valid.positives, split.test.positives)]
    # Of 20 nodes 10 stay; 4 have edges with these and among themselves; 6 with all others.
    assert check_counts == [10 * 9 // 2, 4 * 10 + 4 * 3 // 2, 6 * 14 + 6 * 5 // 2]


@settings(max_examples=30, deadline=None)
@given(SEEDS)
def test_no_relation_is_left_without_an_edge_to_learn_from(seed: int) -> None:
    """Fourteen relations of one or two edges each beside a large one: most choices of nodes would empty some."""
    rng = np.random.default_rng(seed)
    triples = [(int(a), "large", int(b)) for a, b in rng.integers(0, 60, (150, 2))]
    triples += [(int(a), f"r{i}", int(b)) for i in range(14) for a, b in rng.integers(0, 60, (1 + i % 2, 2))]
    graph = replace(Graph.from_triples(triples), split_rule=SplitRule("unseen", 0.1, 0.1, "node"))
    split = split_graph(graph, seed)
    assert set(split.supervision.relations.tolist()) == set(range(graph.num_relations))


def test_mistakes_are_told() -> None:
    graph = small_graph()
    with pytest.raises(InputError, match="split by unseen: there is no node type 'persn'; the node types are person"):
        split_graph(replace(graph, split_rule=SplitRule("unseen", 0.1, 0.1, "persn")))
    two = Graph(
        (NodeType("a", ["x", "y"]), NodeType("b", ["u", "v"])),  # type: ignore[arg-type]
        (Relation("r", "a", "b"),),
        Edges(np.array([0, 1]), np.array([0, 0]), np.array([2, 3])),
        split_rule=SplitRule("unseen", 0.1, 0.1, "a"),
    )
    with pytest.raises(InputError, match="the type 'a' has too few nodes with edges to hold 2 out; set smaller shares"):
        split_graph(two)
