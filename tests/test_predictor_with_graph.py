"""A trained model on a graph that has grown: scores at once, old ones unmoved where nothing near them changed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import relwise
from relwise.data.edges import Edges
from relwise.data.graph import Graph
from relwise.errors import InputError
from relwise.nn.build import prepare_inputs
from relwise.nn.messages import message_graph
from relwise.predict.scorer import sigmoid
from relwise.predictor import RelationshipPredictor
from tests.fakes import small_graph
from tests.small_data import TINY, triples

RELATIONS = ("works_at", "owns", "knows", "located_in")


@pytest.fixture(scope="module", params=[False, True], ids=["attributes", "and embeddings"])
def model(request: pytest.FixtureRequest) -> RelationshipPredictor:
    settings: dict[str, Any] = {**TINY, "node_embedding": request.param}
    return RelationshipPredictor(**settings).fit(small_graph())


@pytest.fixture(scope="module")
def plain() -> RelationshipPredictor:
    """Trained on nodes without attributes."""
    rows = [(i, "likes", (i + k) % 40) for i in range(40) for k in (1, 2, 3, 4)]
    return RelationshipPredictor(**TINY).fit(Graph.from_triples(rows))  # type: ignore[arg-type]


def people(model: RelationshipPredictor, person: str) -> np.ndarray:
    """The probabilities that the person works at each company, and knows each of the people trained on."""
    ids = {t.name: t.ids for t in small_graph().node_types}
    asked = [(person, "works_at", company) for company in ids["company"]]
    return model.predict_proba(asked + [(person, "knows", other) for other in ids["person"] if other != person])


@pytest.mark.parametrize("node_type", ["person", "company", "city"])
def test_an_isolated_node_changes_no_other_score(model: RelationshipPredictor, node_type: str) -> None:
    edges = triples(model.graph)
    before = model.predict_proba(edges)
    other = model.with_graph(model.graph.add_nodes(node_type, [{"id": "new"}]))
    np.testing.assert_array_equal(other.predict_proba(edges), before)
    np.testing.assert_array_equal(model.predict_proba(edges), before)


def test_the_graph_itself_gives_the_same_scores_and_measures(model: RelationshipPredictor) -> None:
    other = model.with_graph(model.graph)
    np.testing.assert_array_equal(other.predict_proba(triples(model.graph)), model.predict_proba(triples(model.graph)))
    assert {**other.metrics(), "seconds": 0} == {**model.metrics(), "seconds": 0}


def test_a_node_with_attributes_and_no_edge_is_what_its_attributes_say(model: RelationshipPredictor) -> None:
    rows = [
        {"id": "cook", "role": "cook", "age": 40, "since": "1995-01-01", "bio": "grows tomatoes"},
        {"id": "pilot", "role": "pilot", "age": 20, "since": "1990-01-01", "bio": "likes rivers and boats"},
        {"id": "again", "role": "cook", "age": 40, "since": "1995-01-01", "bio": "grows tomatoes"},
    ]
    other = model.with_graph(model.graph.add_nodes("person", rows))
    cook, pilot, again = (people(other, person) for person in ("cook", "pilot", "again"))
    assert np.isfinite([cook, pilot]).all()
    assert ((cook > 0) & (cook < 1)).all()
    assert np.abs(cook - pilot).max() > 1e-4
    np.testing.assert_array_equal(again, cook)


def test_a_node_with_edges_and_no_attributes_is_what_its_edges_say(model: RelationshipPredictor) -> None:
    grown = model.graph.add_nodes("person", [{"id": "new"}, {"id": "alone"}])
    alone = model.with_graph(grown)
    np.testing.assert_array_equal(people(alone, "new"), people(alone, "alone"))
    tied = model.with_graph(grown.add_edges("works_at", [{"head": "new", "tail": "co1"}]))
    assert np.isfinite(people(tied, "new")).all()
    assert np.abs(people(tied, "new") - people(alone, "new")).max() > 1e-5
    # Two layers: the edge reaches its other end and that end's neighbours, nobody else.
    train = triples(Graph(model.graph.node_types, model.graph.relations, model.split.message))
    reached = {"co1"} | {h for h, _, t in train if t == "co1"} | {t for h, _, t in train if h == "co1"}
    ids = [*model.graph.node_types[1].ids, *model.graph.node_types[0].ids]
    changed = people(tied, "alone") != people(alone, "alone")
    assert "co1" in {node for node, is_changed in zip(ids, changed, strict=True) if is_changed} <= reached


def test_new_nodes_without_attributes_start_from_one_vector(plain: RelationshipPredictor) -> None:
    graph = plain.graph.add_nodes("node", [{"id": "one"}, {"id": "two"}, {"id": "tied"}])
    other = plain.with_graph(graph.add_edges("likes", [{"head": "tied", "tail": 3}]))
    one, two, tied = (other.predict_proba([(node, "likes", i) for i in range(40)]) for node in ("one", "two", "tied"))
    assert np.isfinite([one, tied]).all()
    np.testing.assert_array_equal(one, two)
    assert np.abs(tied - one).max() > 1e-5
    assert len(other.top_k("likes", head="tied", k=5)) == 5


def test_scores_are_those_of_the_network_over_old_and_new_messages(model: RelationshipPredictor) -> None:
    """From the network itself: inputs of all nodes; as messages the training edges, by id, and the new ones."""
    graph = model.graph.add_nodes("company", [{"id": "new", "revenue": 3}]).add_nodes("city", [{"id": "town"}])
    graph = graph.add_edges("located_in", [{"head": "new", "tail": "town"}])
    graph = graph.add_edges("owns", [{"head": "pe1", "tail": "new"}])
    train = triples(Graph(model.graph.node_types, model.graph.relations, model.split.message))
    other = model.with_graph(graph)
    messages = other.indexed([*train, ("new", "located_in", "town"), ("pe1", "owns", "new")])
    with torch.no_grad():
        nodes = model.network.encode(prepare_inputs(model.network, graph), message_graph(graph, messages).adjacency)
        asked = [*triples(model.graph), ("new", "located_in", "town"), ("pe7", "works_at", "new")]
        edges = other.indexed(asked)
        arrays = (torch.from_numpy(a.copy()) for a in (edges.heads, edges.relations, edges.tails))
        expected = sigmoid(model.network.decoder(nodes, *arrays).numpy())
    np.testing.assert_allclose(other.predict_proba(asked), expected, rtol=0, atol=1e-6)


def test_nothing_is_trained_and_the_model_stays_as_it_was(model: RelationshipPredictor) -> None:
    weights = {name: weight.clone() for name, weight in model.network.state_dict().items()}
    graph, log = model.graph, model.log
    other = model.with_graph(graph.add_nodes("person", [{"id": "new"}]))
    other.top_k("works_at", head="new")
    assert (other.network, other.log, other.get_params()) == (model.network, log, model.get_params())
    assert model.graph is graph
    for name, weight in model.network.state_dict().items():
        assert torch.equal(weight, weights[name])


def test_it_is_measured_on_the_same_edges(model: RelationshipPredictor) -> None:
    other = model.with_graph(model.graph.add_nodes("person", [{"id": "new"}]))
    before, after = model.metrics(), other.metrics()
    assert after["counts"] == before["counts"]
    assert after["micro"]["auc"] == before["micro"]["auc"]
    assert after["micro"]["mrr"] <= before["micro"]["mrr"], "there is a candidate more"


def test_held_out_edges_carry_messages_when_asked(model: RelationshipPredictor) -> None:
    other = model.with_graph(model.graph, use_held_out=True)
    edges = triples(model.graph)
    assert (other.predict_proba(edges) != model.predict_proba(edges)).any()
    with pytest.raises(InputError, match="the test part has no edges"):
        other.metrics()


@pytest.mark.parametrize("use_held_out", [False, True])
def test_it_is_saved_and_read_again(model: RelationshipPredictor, tmp_path: Path, use_held_out: bool) -> None:
    graph = model.graph.add_nodes("person", [{"id": "new"}]).add_edges("knows", [{"head": "new", "tail": "pe1"}])
    other = model.with_graph(graph, use_held_out=use_held_out)
    other.save(tmp_path)
    loaded = relwise.load(tmp_path)
    np.testing.assert_array_equal(people(loaded, "new"), people(other, "new"))
    once_more = loaded.with_graph(loaded.graph.add_nodes("person", [{"id": "newer"}]))
    np.testing.assert_array_equal(people(once_more, "new"), people(other, "new"))
    assert json.loads((tmp_path / "metrics.json").read_text())["split"] == "test"


def test_mistakes_are_told(model: RelationshipPredictor) -> None:
    with pytest.raises(InputError, match="not trained yet; call fit"):
        RelationshipPredictor().with_graph(model.graph)
    with pytest.raises(InputError, match="the node types are node, and were person, company, city in training; make"):
        model.with_graph(Graph.from_triples([("a", "r", "b")]))
    fewer = small_graph()
    cut = Graph(
        (fewer.node_types[0], fewer.node_types[1], type(fewer.node_types[2])("city", fewer.node_types[2].ids[:3])),
        fewer.relations,
        Edges.empty(),
    )
    with pytest.raises(InputError, match="the attributes of city are none"):
        model.with_graph(cut)
