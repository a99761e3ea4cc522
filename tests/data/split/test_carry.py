from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings

from relwise.data.edges import Edges
from relwise.data.graph import Attribute, Graph, NodeType, Relation, SplitRule
from relwise.data.split import carry_over, split_graph
from relwise.errors import InputError
from tests.data.split.cases import SEEDS, same
from tests.fakes import small_graph

PERSON = [{"id": "new 1"}, {"id": "new 2"}]


def told(graph: Graph, edges: Edges) -> list[tuple[str, int, str]]:
    """Edges by id; the ids of `small_graph` name their type."""
    triples = zip(edges.heads, edges.relations, edges.tails, strict=True)
    return [(graph.node_id(h), int(r), graph.node_id(t)) for h, r, t in triples]


@settings(max_examples=15, deadline=None)
@given(SEEDS)
def test_what_is_new_carries_messages_and_the_rest_stays_what_it_was(seed: int) -> None:
    graph = small_graph(split=SplitRule("time", "2020-09-01", "2020-11-01"))
    split = split_graph(graph, seed)
    grown = graph.add_nodes("person", PERSON).add_nodes("company", [{"id": "new 3"}])
    grown = grown.add_edges("works_at", [{"head": "new 1", "tail": "new 3"}, {"head": "pe0", "tail": "new 3"}])
    again = carry_over(split, graph, grown)
    assert told(grown, again.message) == [
        *told(graph, split.message),
        ("new 1", 0, "new 3"),
        ("pe0", 0, "new 3"),
    ]
    np.testing.assert_array_equal(again.supervised, [*split.supervised, False, False])
    for name in ("valid", "test"):
        assert told(grown, again.part(name).edges) == told(graph, split.part(name).edges)
        np.testing.assert_array_equal(again.part(name).labels, split.part(name).labels)
    assert again.filter is grown.edges


def test_the_graph_itself_has_the_same_split() -> None:
    graph = small_graph()
    split = split_graph(graph)
    assert same(carry_over(split, graph, graph), split)


def test_held_out_edges_may_carry_messages_too() -> None:
    graph = small_graph()
    split = split_graph(graph)
    grown = graph.add_nodes("person", PERSON)
    again = carry_over(split, graph, grown, use_held_out=True)
    assert told(grown, again.message) == told(graph, graph.edges)
    assert set(told(grown, again.supervision)) == set(told(graph, split.supervision))
    assert (len(again.valid), len(again.test)) == (0, 0)


def test_a_fact_of_train_and_test_goes_on_carrying_messages() -> None:
    triples = {"train": [("a", "r", "b"), ("b", "r", "c")], "valid": [("c", "r", "a")], "test": [("a", "r", "b")]}
    graph = Graph.from_triples(triples)
    split = split_graph(graph)
    again = carry_over(split, graph, graph.add_nodes("node", [{"id": "d"}]))
    assert set(told(graph, again.message)) == {("a", 0, "b"), ("b", 0, "c")}


def test_another_graph_is_refused() -> None:
    graph = small_graph()
    person, company, city = graph.node_types
    told_apart = {
        "the node types are person, company, and were person, company, city": Graph(
            (person, company), graph.relations[:3], graph.edges[graph.edges.relations < 3]
        ),
        r"the relations are company.works_at.person, .* and were person.works_at.company": replace(
            graph, relations=(Relation("works_at", "company", "person"), *graph.relations[1:])
        ),
        r"and were .*, person.knows.person \(undirected\),": replace(
            graph, relations=tuple(replace(relation, directed=True) for relation in graph.relations)
        ),
        r"the attributes of city are none, and were position \(place\)": replace(
            graph, node_types=(person, company, replace(city, attributes=()))
        ),
        "the nodes of type 'city' do not begin with those trained on; make the graph from that of the model": replace(
            graph, node_types=(person, company, NodeType("city", city.ids[::-1], None, city.attributes))
        ),
        r"the attributes of works_at are hours \(numeric\), and were none in training": replace(
            graph, edge_attributes={0: (Attribute("hours", "numeric", np.zeros(100)),)}
        ),
    }
    for message, other in told_apart.items():
        with pytest.raises(InputError, match=message):
            carry_over(split_graph(graph), graph, other)
