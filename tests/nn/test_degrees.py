"""States of nodes' degrees: counted right, only of what is kept, and part of the network."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from relwise.nn.build import build_model, describe_model, prepare_inputs, rebuild_model
from relwise.nn.degrees import DegreeEncoder, degrees
from relwise.nn.messages import message_graph
from relwise.settings import Settings
from tests.fakes import small_graph


@pytest.mark.parametrize("seed", range(3))
def test_degrees_are_the_edges_counted_one_by_one(seed: int) -> None:
    graph = small_graph(seed)
    made = message_graph(graph, graph.edges)
    keep = torch.from_numpy(np.random.default_rng(seed).random(made.num_facts) < 0.5)
    for mask in (None, keep):
        inverse = np.cumsum(graph.directed) - 1 + graph.num_relations
        expected = np.zeros((graph.num_nodes, made.adjacency.num_relations))
        for i in made.distinct:
            head, relation, tail = (int(a[i]) for a in (graph.edges.heads, graph.edges.relations, graph.edges.tails))
            if mask is not None and not mask[made.facts[i]]:
                continue
            expected[tail, relation] += 1
            if graph.directed[relation]:
                expected[head, inverse[relation]] += 1
            elif head != tail:
                expected[head, relation] += 1
        np.testing.assert_array_equal(degrees(made.adjacency, mask).numpy(), expected)
        encoder = DegreeEncoder(made.adjacency.num_relations, 5)
        want = np.log1p(expected) @ encoder.weight.weight.detach().numpy().T
        np.testing.assert_allclose(encoder(made.adjacency, mask).detach().numpy(), want, rtol=1e-5, atol=1e-6)


def test_the_network_knows_them_only_where_asked_and_learns_from_them() -> None:
    graph = small_graph(0)
    made = message_graph(graph, graph.edges)
    states = []
    for wanted in (False, True):
        settings = Settings.of({"dim": 8, "dropout": 0, "degrees": wanted})
        model = build_model(graph, settings, 0)
        inputs = prepare_inputs(model, graph)
        model.eval()
        states.append(model.encode(inputs, made.adjacency))
        if wanted:
            states[-1].square().sum().backward()
            assert model.degrees is not None
            assert (model.degrees.weight.weight.grad != 0).any()
            again = rebuild_model(json.loads(json.dumps(describe_model(model))), settings)
            again.load_state_dict(model.state_dict())
            again.eval()
            assert torch.equal(again.encode(prepare_inputs(again, graph), made.adjacency), states[-1])
        else:
            assert not any("degrees" in name for name in model.state_dict())
    assert not torch.allclose(states[0], states[1])


def test_a_node_is_told_from_another_by_the_number_of_alike_neighbours() -> None:
    """One neighbour or five, all the same: attention's mean cannot tell, and the degrees can."""
    from relwise.data.edges import Edges
    from relwise.data.graph import Attribute, Graph, NodeType, Relation

    x = Attribute("x", "numeric", np.zeros(8))
    heads, tails = np.array([2, 3, 4, 5, 6, 7]), np.array([0, 1, 1, 1, 1, 1])
    import pandas as pd

    node_type = NodeType("n", pd.Index([str(i) for i in range(8)]), None, (x,))
    graph = Graph((node_type,), (Relation("r", "n", "n"),), Edges(heads, np.zeros(6, int), tails))
    adjacency = message_graph(graph, graph.edges).adjacency
    apart = {}
    for wanted in (False, True):
        model = build_model(graph, Settings.of({"dim": 8, "layers": 1, "dropout": 0, "degrees": wanted}), 0)
        state = model.eval().encode(prepare_inputs(model, graph), adjacency)
        apart[wanted] = float((state[0] - state[1]).abs().max().detach())
    assert apart[False] < 1e-6 < 1e-2 < apart[True]
