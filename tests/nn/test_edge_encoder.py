"""Edge attributes: each message bears its own edge's state, and a network with them trains, saves and loads."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

import relwise
from relwise.data.edges import Edges
from relwise.data.graph import Attribute
from relwise.data.split import split_graph
from relwise.nn.build import build_model, describe_model, prepare_edges, prepare_inputs, rebuild_model
from relwise.nn.edge_encoder import EdgeEncoder
from relwise.nn.messages import message_graph
from relwise.predictor import RelationshipPredictor
from relwise.settings import Settings
from tests.fakes import graph_with_amounts, small_graph
from tests.small_data import TINY


def test_each_message_bears_the_state_of_its_own_edge() -> None:
    graph = graph_with_amounts()
    message = graph.edges[np.random.default_rng(1).permutation(len(graph.edges))[: len(graph.edges) // 2]]
    encoder = EdgeEncoder.fit(graph, message)
    assert encoder is not None
    messages = message_graph(graph, message)
    model = build_model(graph, Settings.of({"dim": 8}), 0, message)
    inputs = prepare_edges(model, graph, message, messages.adjacency)
    assert inputs is not None
    assert model.edge_encoder is not None
    states = model.edge_encoder(inputs)
    adjacency, slot = messages.adjacency, inputs.slots.slot
    assert len(torch.unique(slot[slot >= 0])) == int((slot >= 0).sum())
    own = model.edge_encoder.encoders["0"]
    inverse = graph.num_relations + int(graph.directed[:0].sum())
    told = 0
    for i in range(graph.num_nodes):
        for e in range(adjacency.indptr[i], adjacency.indptr[i + 1]):
            row = int(adjacency.row[e])
            relation, source = int(adjacency.row_relation[row]), int(adjacency.row_source[row])
            if relation not in (0, inverse if graph.directed[0] else 0):
                assert slot[e] == -1
                continue
            head, tail = (source, i) if relation == 0 else (i, source)
            edge = Edges(np.array([head]), np.array([0]), np.array([tail]))
            position = graph.edge_rows(edge)[0]
            rows = tuple(Attribute(a.name, a.modality, a.values[[position]]) for a in graph.edge_attributes[0])
            table = replace(graph.node_types[0], ids=np.array(["e"]), labels=None, attributes=rows)  # pyright: ignore
            z = torch.tanh(own(own.prepare(table)))  # pyright: ignore[reportCallIssue]
            z = z if relation == 0 else model.edge_encoder.back(z)
            torch.testing.assert_close(states.state[slot[e]], z[0])
            told += 1
    assert told == int((slot >= 0).sum()) > 0


def test_rows_of_edges_are_found_whatever_their_order() -> None:
    graph = graph_with_amounts()
    order = np.random.default_rng(2).permutation(len(graph.edges))
    rows = graph.edge_rows(graph.edges[order])
    for relation in range(graph.num_relations):
        where = np.flatnonzero(graph.edges.relations == relation)
        asked = np.flatnonzero(graph.edges.relations[order] == relation)
        np.testing.assert_array_equal(where[rows[asked]], order[asked])
    unknown = Edges(np.array([0]), np.array([0]), np.array([0]))
    assert graph.keys(unknown)[0] in graph.keys(graph.edges) or graph.edge_rows(unknown).tolist() == [-1]


def test_nothing_is_learnt_from_edges_that_are_no_messages() -> None:
    graph = graph_with_amounts()
    split = split_graph(graph, 0)
    changed = graph.edge_attributes[0][0].values.copy()
    message = graph.edge_rows(split.message[split.message.relations == 0])
    outside = np.setdiff1d(np.arange(len(changed)), message)
    assert len(outside)
    changed[outside] = 1e9
    other = replace(graph, edge_attributes={0: (Attribute("amount", "numeric", changed), graph.edge_attributes[0][1])})
    one, two = (build_model(g, Settings.of({"dim": 8}), 0, split.message) for g in (graph, other))
    for (name, a), b in zip(one.state_dict().items(), two.state_dict().values(), strict=True):
        assert torch.equal(a, b), name


def test_a_graph_without_edge_attributes_gets_the_same_network_as_ever() -> None:
    graph = small_graph()
    given = build_model(graph, Settings.of({"dim": 8}), 3, graph.edges).state_dict()
    plain = build_model(graph, Settings.of({"dim": 8}), 3).state_dict()
    assert list(given) == list(plain)
    assert all(torch.equal(given[name], plain[name]) for name in given)


def test_is_rebuilt_from_its_description() -> None:
    graph = graph_with_amounts()
    model = build_model(graph, Settings.of({"dim": 8}), 0, graph.edges).eval()
    again = rebuild_model(describe_model(model), Settings.of({"dim": 8})).eval()
    again.load_state_dict(model.state_dict())
    adjacency = message_graph(graph, graph.edges).adjacency
    states = [
        m.encode(prepare_inputs(m, graph), adjacency, edge_inputs=prepare_edges(m, graph, graph.edges, adjacency))
        for m in (model, again)
    ]
    assert torch.equal(*states)
    attention = model.attention(
        prepare_inputs(model, graph), adjacency, prepare_edges(model, graph, graph.edges, adjacency)
    )
    targets = torch.repeat_interleave(
        torch.arange(graph.num_nodes), (adjacency.indptr[1:] - adjacency.indptr[:-1]).long()
    )
    for alpha in attention:
        total = torch.zeros(graph.num_nodes, alpha.shape[1]).index_add(0, targets, alpha)
        assert torch.allclose(total[targets.unique()], torch.ones(()))


def test_trains_saves_and_loads(tmp_path: Path) -> None:
    graph = graph_with_amounts()
    options: dict[str, Any] = dict(TINY)
    model = RelationshipPredictor(**options).fit(graph)
    assert model.network.edge_encoder is not None
    model.save(tmp_path / "run")
    again = relwise.load(tmp_path / "run")
    asked = model.split.test.edges
    np.testing.assert_array_equal(again.scorer.logits(asked), model.scorer.logits(asked))
    # What an edge bears changes what its ends are.
    other = replace(graph, edge_attributes={0: tuple(
        replace(a, values=a.values[::-1].copy()) for a in graph.edge_attributes[0])})  # fmt: skip
    assert not np.array_equal(model.with_graph(other).scorer.logits(asked), model.scorer.logits(asked))
