import numpy as np
import pytest
import torch

from relwise.data.graph import Graph
from relwise.errors import InputError
from relwise.nn.build import build_model, prepare_inputs
from relwise.nn.encoders.gatne import ATTENTION_DIM, EDGE_DIM
from relwise.nn.messages import message_graph
from relwise.settings import Settings
from tests.nn.encoders.cases import EncoderCase

DIM = 6
# Ten nodes: `to` is directed, from lower to higher; `with` is not, and node 9 has none of it.
TO = [(0, 1), (0, 2), (1, 5), (2, 5), (3, 4), (4, 9), (6, 7), (7, 8), (5, 9)]
WITH = [(0, 3), (1, 4), (2, 3), (6, 8), (5, 7)]
MASKED = {(0, 2), (6, 8), (3, 4)}


class TestGATNE(EncoderCase):
    encoder = "gatne"


def ten_nodes():
    """The graph as relwise has it, message relations: `to`, `with`, the inverse of `to`."""
    triples = [(f"{i}", "to", f"{j}") for i, j in TO] + [(f"{i}", "with", f"{j}") for i, j in WITH]
    graph = Graph.from_triples(triples, directed=True)
    relations = [r if r.name == "to" else type(r)(r.name, r.head, r.tail, directed=False) for r in graph.relations]
    return Graph(graph.node_types, tuple(relations), graph.edges)


def dense(model, start, arrows):
    """The formulas with a 0-1 matrix a relation, node by node, in NumPy.

    Args:
        start: (10, d + 3 s) b_i and u_i,r^(0).
        arrows: per message relation, the pairs (j, i) that j tells i through it.
    """
    weights = {name: p.detach().numpy() for name, p in model.named_parameters()}
    base = start[:, :DIM]
    own = start[:, DIM:].reshape(10, 3, EDGE_DIM)
    for k in range(len(model.levels)):
        new = own.copy()
        for r, pairs in enumerate(arrows):
            a = np.zeros((10, 10))
            for j, i in pairs:
                a[i, j] = 1
            for i in np.flatnonzero(a.sum(axis=1)):
                x = (a[i] @ own[:, r]) / a[i].sum() @ weights[f"levels.{k}"]
                new[i, r] = np.where(x > 0, x, 0.5 * x)
        own = new
    states = np.empty((10, 2, DIM))
    for i in range(10):
        u = own[i].T  # (s, M), the paper's U_i
        for r in range(2):
            e = weights["attention_query"][r].T @ np.tanh(weights["attention"][r].T @ u)
            a = (np.exp(e) / np.exp(e).sum()).T
            states[i, r] = base[i] + (weights["edge_weight"][r].T @ u @ a)[:, 0]
    return states


@pytest.mark.parametrize("levels", [1, 2, 3])
@pytest.mark.parametrize("masked", [set(), MASKED, {*TO, *WITH}])
def test_it_is_the_formulas_in_dense_matrices(levels, masked):
    graph = ten_nodes()
    order = [int(i) for i in graph.node_types[0].ids]  # of the paper's numbers in the node space
    settings = Settings.of({"encoder": "gatne", "dim": DIM, "layers": levels})
    model = build_model(graph, settings, 0).double().eval()
    assert model.attention.shape == (2, EDGE_DIM, ATTENTION_DIM)
    inputs, messages = prepare_inputs(model, graph), message_graph(graph, graph.edges)
    edges, keep = [(order[h], order[t]) for h, t in zip(graph.edges.heads, graph.edges.tails, strict=True)], None
    if masked:
        keep = torch.ones(messages.num_facts, dtype=torch.bool)
        keep[messages.facts[[pair in masked for pair in edges]]] = False
    to, both = ([pair for pair in pairs if pair not in masked] for pairs in (TO, WITH))
    arrows = [to, both + [pair[::-1] for pair in both], [pair[::-1] for pair in to]]
    got = model.encode(inputs, messages.adjacency, keep).view(10, 2, DIM).detach().numpy()
    place = np.argsort(order)
    names = graph.relation_names
    assert names == ("to", "with")
    want = dense(model, model.start(inputs, messages.adjacency).detach().numpy()[place], arrows)
    np.testing.assert_allclose(got[place], want, atol=1e-12)


def test_gradients_are_those_of_differences():
    graph = ten_nodes()
    model = build_model(graph, Settings.of({"encoder": "gatne", "dim": 2}), 0).double().eval()
    adjacency = message_graph(graph, graph.edges).adjacency
    start = torch.randn(10, 2 + 3 * EDGE_DIM, dtype=torch.float64, requires_grad=True)
    names = ("levels.0", "levels.1", "attention", "attention_query", "edge_weight")

    def states(start, *weights):
        given = dict(zip(names, weights, strict=True))
        return torch.func.functional_call(_Passing(model), {f"m.{k}": v for k, v in given.items()}, (start, adjacency))

    weights = [model.get_parameter(name).detach().clone().requires_grad_() for name in names]
    assert torch.autograd.gradcheck(states, (start, *weights), fast_mode=True)


class _Passing(torch.nn.Module):
    def __init__(self, m):
        super().__init__()
        self.m = m

    def forward(self, start, adjacency):
        return self.m.propagate(start, adjacency, None, None, [10])


def test_states_are_scored_by_their_relations_slices_alone():
    settings = Settings.of({"encoder": "gatne", "dim": DIM})
    graph = ten_nodes()
    model = build_model(graph, settings, 0).eval()
    nodes = model.encode(prepare_inputs(model, graph), message_graph(graph, graph.edges).adjacency)
    assert nodes.shape == (10, 2 * DIM)
    got = model.decoder(nodes, *(torch.tensor([i]) for i in (4, 1, 7)))
    assert torch.allclose(got, nodes[4, DIM:] @ nodes[7, DIM:])  # h_r is one at the start


def test_another_decoder_is_refused():
    with pytest.raises(InputError, match="decoder = complex has no use with encoder = gatne"):
        Settings.of({"encoder": "gatne", "decoder": "complex"})
