from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from relwise.data.edges import Edges
from relwise.data.graph import Attribute, Graph, NodeType, Relation
from relwise.errors import InputError
from relwise.predictor import RelationshipPredictor
from relwise.serve.page.lookup import (
    NAME,
    Kind,
    attribute_text,
    attributes_of,
    busiest,
    ends_of,
    entity_at,
    find_node,
    kinds_of,
    known_of,
    likeliest,
)
from tests.fakes import small_graph


def test_entities_are_found_and_told() -> None:
    graph = small_graph()
    assert entity_at(graph, find_node(graph, "person", "pe3")).label == "Person 3"
    assert entity_at(graph, graph.type_range("city")[0]).type == "city"
    with pytest.raises(InputError, match="there is no node type 'persn'"):
        find_node(graph, "persn", "pe3")
    with pytest.raises(InputError, match="there is no person"):
        find_node(graph, "person", "nobody")


def test_an_undirected_relation_is_one_kind_and_a_directed_one_two() -> None:
    triples = [("a", "likes", "b"), ("b", "likes", "c")]
    assert kinds_of(Graph.from_triples(triples), "node") == [
        Kind("likes", "head", "node"),
        Kind("likes", "tail", "node"),
    ]
    assert kinds_of(Graph.from_triples(triples, directed=False), "node") == [Kind("likes", "head", "node")]


def test_known_ones_are_those_of_the_graph() -> None:
    graph = small_graph()
    for node in range(graph.num_nodes):
        told = {(known.kind.relation, known.kind.side): known.count for known in known_of(graph, node)}
        counted: dict[tuple[str, str], set[int]] = {}
        for h, r, t in zip(graph.edges.heads, graph.edges.relations, graph.edges.tails, strict=True):
            name, directed = graph.relation_names[r], graph.relations[r].directed
            if h == node:
                counted.setdefault((name, "head"), set()).add(int(t))
            if t == node:
                counted.setdefault((name, "tail" if directed else "head"), set()).add(int(h))
        assert told == {key: len(others) for key, others in counted.items()}


def test_likeliest_are_the_best_of_all_kinds(loaded: RelationshipPredictor) -> None:
    graph = loaded.graph
    node = find_node(graph, "company", "co2")
    found, left = likeliest(loaded, node, 8)
    assert left == 0
    tables = [
        loaded.top_k("works_at", tail="co2", k=8),
        loaded.top_k("owns", tail="co2", k=8),
        loaded.top_k("located_in", head="co2", k=8),
    ]
    every = sorted((p for table in tables for p in table["probability"]), reverse=True)
    assert [one.probability for one in found] == every[:8]
    edges = [(one.head, one.relation, one.tail) for one in found]
    np.testing.assert_allclose([one.probability for one in found], loaded.predict_proba(edges), rtol=1e-6)
    assert all(one.other.id == (one.tail if one.kind.side == "head" else one.head) for one in found)


def test_they_are_filtered_by_relation_and_by_type(loaded: RelationshipPredictor) -> None:
    node = find_node(loaded.graph, "company", "co2")
    assert {one.relation for one in likeliest(loaded, node, 20, relation="owns")[0]} == {"owns"}
    assert {one.other.type for one in likeliest(loaded, node, 20, other="city")[0]} == {"city"}
    assert likeliest(loaded, node, 20, relation="knows")[0] == []


def test_attributes_are_told_and_missing_ones_left_out() -> None:
    graph = small_graph()
    for node_type in graph.node_types:
        for row in range(len(node_type)):
            told = dict(attributes_of(graph, graph.type_range(node_type.name)[0] + row))
            for attribute in node_type.attributes:
                value = attribute.values[row]
                missing = value is None or (value != value if np.ndim(value) == 0 else np.isnan(value).any())
                assert (attribute.name in told) != missing


@pytest.mark.parametrize(
    ("modality", "values", "text"),
    [
        ("boolean", np.array([1.0]), "yes"),
        ("multi_categorical", np.array([("a", "b"), None], dtype=object), "a, b"),
        ("place", np.array([[1.5, -2.0]]), "1.5000, -2.0000"),
        ("timestamp", np.array(["2020-02-03T04:05"], "datetime64[us]"), "2020-02-03"),
        ("vector", np.zeros((1, 4), np.float32), "4 numbers"),
        ("numeric", np.array([1999.0]), "1999"),
    ],
)
def test_each_modality_has_its_words(modality, values: np.ndarray, text: str) -> None:
    assert attribute_text(Attribute("x", modality, values), 0) == text


def test_the_busiest_have_the_most_edges() -> None:
    graph = Graph.from_triples([("hub", "to", str(i)) for i in range(5)] + [("1", "to", "2")])
    assert [entity.id for entity in busiest(graph, 3)] == ["hub", "1", "2"]


def test_every_name_can_be_seen_and_none_is_long() -> None:
    """It is what one clicks at; a stranger's table may hold anything."""
    ids = ["blank", " ", "long", "y" * 600]
    labels = np.array(["  ", None, "x" * 600, "\u200b"], dtype=object)
    none = np.zeros(0, dtype=np.int64)
    graph = Graph(
        (NodeType("thing", pd.Index(ids), labels),), (Relation("is", "thing", "thing"),), Edges(none, none, none)
    )
    found = [entity_at(graph, node) for node in range(len(ids))]
    assert [entity.label for entity in found[:2]] == ["blank", "(no name)"]
    assert [len(entity.label) for entity in found[2:]] == [NAME + 1, NAME + 1]
    assert [entity.other_id for entity in found] == [None, None, "long", None]
    assert [entity.id for entity in found] == ids


def test_ends_of_an_edge_that_the_graph_no_longer_has() -> None:
    graph = small_graph()
    ends = ends_of(graph, ("pe3", "works_at", "co1"))
    assert ends is not None
    assert [end.label for end in ends] == ["Person 3", "Company 1"]
    for edge in (("pe3", "gone", "co1"), ("gone", "works_at", "co1"), ("pe3", "works_at", "gone")):
        assert ends_of(graph, edge) is None
