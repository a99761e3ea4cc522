"""Unseen and isolated nodes, types without edges, small relations."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from relwise.data.audit.nodes import nodes
from relwise.data.graph import Attribute, Graph, NodeType, Relation, SplitRule
from tests.data.audit.graphs import BY_TIME, case, make


def given() -> Graph:
    train = [(f"h{i}", "r", f"t{j}") for i in range(5) for j in range(5)]
    graph = Graph.from_triples({"train": train, "test": [("new", "r", "t0"), ("h0", "r", "other"), ("t0", "r", "h0")]})
    return replace(graph, split_rule=SplitRule("given"))


def test_unseen_ends_are_counted() -> None:
    (finding,) = nodes(case(given()))
    assert finding.sentence == "2 of 3 (66.7 %) test edges end in a node without training edges"
    assert (finding.severity, finding.count) == ("warn", 2)
    assert "[nodes.node.columns]" in finding.remedy
    assert finding.examples == (("new", "r", "t0"), ("h0", "r", "other"))


def test_with_attributes_or_by_choice_it_is_a_note() -> None:
    graph = given()
    kind = graph.node_types[0]
    known = NodeType(kind.name, kind.ids, None, (Attribute("x", "numeric", np.arange(float(len(kind)))),))
    (finding,) = nodes(case(replace(graph, node_types=(known,))))
    assert finding.severity == "note"
    pairs = np.stack(np.meshgrid(np.arange(20), np.arange(20)), axis=-1).reshape(-1, 2)
    rule = SplitRule("unseen", node_type="x")
    (finding,) = nodes(case(make({"x": 20, "y": 20}, (Relation("r", "x", "y"),), [pairs], split_rule=rule)))
    assert finding.severity == "note"
    assert finding.share == 1.0
    assert "in 'x'" in finding.sentence


def test_by_time_an_undated_edge_is_no_earlier_sight() -> None:
    rng = np.random.default_rng(0)
    pairs = np.stack([np.arange(40) % 20, rng.integers(0, 9, 40)], axis=1)
    place = np.stack([np.arange(20), rng.integers(0, 3, 20)], axis=1)
    times = np.array(["2020-02-01"] * 30 + ["2020-10-01"] * 5 + ["2020-12-01"] * 5 + ["NaT"] * 20, "datetime64[us]")
    pairs[:30, 0] = pairs[:30, 0] % 10  # nodes 10 to 19 come late
    relations = (Relation("r", "x", "y"), Relation("in", "x", "z"))
    graph = make({"x": 20, "y": 9, "z": 3}, relations, [pairs, place], times=times, split_rule=BY_TIME)
    unseen = [f for f in nodes(case(graph)) if "without dated training edges" in f.sentence]
    assert unseen[0].count == 5


def test_isolated_nodes_and_types_without_edges() -> None:
    rng = np.random.default_rng(0)
    pairs = np.unique(rng.integers(0, 10, (400, 2)), axis=0)
    graph = make({"x": 12, "y": 10, "z": 4}, (Relation("r", "x", "y"),), [pairs])
    found = nodes(case(graph))
    assert [finding.severity for finding in found] == ["warn", "note"]
    assert found[0].sentence == "no node of type 'z' has an edge"
    assert found[1].sentence == "nodes without an edge of any part: 2 of 12 (16.7 %) of 'x'"
    assert found[1].examples == (("x10",), ("x11",))


def test_small_relations() -> None:
    rng = np.random.default_rng(0)
    pairs = np.unique(rng.integers(0, 10, (400, 2)), axis=0)
    relations = (Relation("r", "x", "y"), Relation("few", "x", "y"))
    (finding,) = nodes(case(make({"x": 10, "y": 10}, relations, [pairs, pairs[:10]])))
    assert finding.sentence == "1 of 2 (50.0 %) relations have fewer than 20 edges to learn from: 'x few y' (9)"
    assert finding.relations == ("few",)


def test_an_empty_type_is_told() -> None:
    graph = given()
    empty = NodeType("ghost", pd.Index([], dtype=object))
    found = nodes(case(replace(graph, node_types=(*graph.node_types, empty))))
    assert any(finding.sentence == "no node of type 'ghost' has an edge" for finding in found)
