import json

import numpy as np
import pytest
import torch
from safetensors.torch import load, save

from relwise.data.graph import Graph
from relwise.kernels import remaking
from relwise.nn.build import build_model, describe_model, prepare_inputs, rebuild_model
from relwise.nn.messages import message_graph
from relwise.nn.model import RelGNN
from relwise.nn.relgnn import SLOPE
from relwise.settings import Settings
from tests.fakes import SIZES, small_graph

DIM = 16


def built(graph=None, seed=0, **options):
    graph = small_graph(0) if graph is None else graph
    config = Settings(**{"dim": DIM, "dropout": 0.0, "embedding_dropout": 0.0, **options})
    model = build_model(graph, config, seed)
    return model, prepare_inputs(model, graph), message_graph(graph, graph.edges).adjacency, config


def triples(directed=True):
    rows = [(i, f"r{i % 3}", (i * 7 + 1) % 20) for i in range(20)]
    return Graph.from_triples(rows, directed=directed)


@pytest.mark.parametrize("options", [{}, {"layers": 1, "heads": 3}, {"bases": 2}, {"node_embedding": True}])
def test_every_node_of_every_type_gets_a_finite_state_of_d_numbers(options):
    model, inputs, adjacency, _ = built(**options)
    states = model.encode(inputs, adjacency)
    assert states.shape == (sum(SIZES.values()), DIM)
    assert states.isfinite().all()
    assert len(model.layers) == options.get("layers", 2)
    none = torch.zeros(int(adjacency.fact.max()) + 1, dtype=torch.bool)
    assert model.encode(inputs, adjacency, none).isfinite().all()


def test_the_relation_states_are_the_decoders_own_parameter():
    model, inputs, adjacency, _ = built()
    model.encode(inputs, adjacency).square().sum().backward()  # the encoder alone: nothing was scored
    assert model.decoder.relation.grad is not None
    assert (model.decoder.relation.grad != 0).any(dim=1).all()
    assert (model.inverse_state.grad != 0).any(dim=1).all()
    names = [name for name, _ in model.named_parameters() if "relation" in name and "attention" not in name]
    assert names == ["decoder.relation"]


def test_there_is_one_inverse_relation_per_directed_one():
    model, *_ = built()
    assert (len(model.decoder.relation), len(model.inverse_state)) == (4, 3)  # `knows` is undirected
    assert len(model.relation_state()) == 7
    assert torch.equal(model.relation_state()[:4], model.decoder.relation)


@pytest.mark.parametrize("options", [{}, {"bases": 3}])
def test_every_parameter_learns_from_encoding_and_scoring(options):
    graph = small_graph(0)
    model, inputs, adjacency, _ = built(graph, **options)
    arrays = (torch.from_numpy(a.copy()) for a in (graph.edges.heads, graph.edges.relations, graph.edges.tails))
    model.decoder(model.encode(inputs, adjacency), *arrays).square().sum().backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name
        assert (parameter.grad != 0).any(), name


@pytest.mark.parametrize(
    ("graph", "options"),
    [(small_graph(0), {}), (small_graph(1), {"bases": 2, "node_embedding": True}), (triples(), {"heads": 1})],
)
def test_a_network_rebuilt_from_its_description_and_weights_gives_the_same_bits(graph, options):
    model, inputs, adjacency, config = built(graph, **options)
    description = json.loads(json.dumps(describe_model(model)))
    other = rebuild_model(description, config)
    other.load_state_dict(load(save(model.state_dict())), strict=True)
    again = prepare_inputs(other, graph)
    for one, two in zip(inputs, again, strict=True):
        assert one.keys() == two.keys()
        assert all(torch.equal(one[name], two[name]) for name in one)
    assert torch.equal(model.eval().encode(inputs, adjacency), other.eval().encode(again, adjacency))
    assert describe_model(other) == describe_model(model)


def test_the_same_seed_gives_the_same_weights_and_another_seed_others():
    torch.manual_seed(1)
    np.random.seed(1)
    first = built(seed=5)[0].state_dict()
    torch.manual_seed(2)
    np.random.seed(2)
    second, other = built(seed=5)[0].state_dict(), dict(built(seed=6)[0].named_parameters())
    assert all(torch.equal(first[name], second[name]) for name in first)
    drawn = [name for name in other if first[name].unique().numel() > 1]
    assert len(drawn) > 10
    assert all(not torch.equal(first[name], other[name]) for name in drawn)


def test_building_leaves_torchs_global_generator_as_it_was():
    torch.manual_seed(3)
    expected = torch.rand(1)
    torch.manual_seed(3)
    built(seed=9)
    assert torch.equal(torch.rand(1), expected)


def test_attention_has_the_weights_of_each_layer_that_encoding_used(monkeypatch):
    monkeypatch.setattr(RelGNN, "_chains", lambda *_: False)  # one operator shows nobody its layers' states
    model, inputs, adjacency, _ = built(layers=3, heads=2, dropout=0.5)
    model.eval()
    weights = model.attention(inputs, adjacency)
    assert [tuple(w.shape) for w in weights] == [(adjacency.num_edges, 2)] * 3
    fed = adjacency.indptr.diff() > 0
    target = torch.repeat_interleave(torch.arange(adjacency.num_nodes), adjacency.indptr.diff().long())
    passed = []
    for layer in model.layers:
        propagate = layer.propagate

        def spy(*args, propagate=propagate, **how):
            passed.append((args[0], propagate(*args, **how)))
            return passed[-1][1]

        layer.propagate = spy
    model.encode(inputs, adjacency)
    for layer, alpha, (state, out) in zip(model.layers, weights, passed, strict=True):
        total = torch.zeros(adjacency.num_nodes, 2).index_add(0, target, alpha)
        torch.testing.assert_close(total[fed], torch.ones_like(total[fed]))
        # The weights are those of the sum that the layer made.
        own, weights_of_rows = state @ layer.weight_self, layer.weights()[adjacency.row_relation]
        says = torch.einsum("pi,pio->po", state[adjacency.row_source], weights_of_rows)
        summed = torch.zeros_like(out).index_add(0, target, alpha.mean(1, keepdim=True) * says[adjacency.row.long()])
        torch.testing.assert_close(torch.nn.functional.leaky_relu(summed + own, SLOPE), out)


def test_attention_of_a_training_model_is_that_of_the_finished_one():
    model, inputs, adjacency, _ = built(dropout=0.5)
    during = model.train().attention(inputs, adjacency)
    assert all(map(torch.equal, during, model.eval().attention(inputs, adjacency)))


@pytest.mark.parametrize("options", [{}, {"dropout": 0.4}, {"dropout": 0.4, "layers": 3, "heads": 1}])
@pytest.mark.parametrize("large", [False, True])
def test_layers_that_share_their_gradients_passes_give_what_layers_alone_give(options, large, monkeypatch):
    if large:  # nothing is kept that can be made again
        monkeypatch.setattr(remaking, "LARGE", 0)
    model, inputs, adjacency, _ = built(**options)
    model.double().train()
    keep = torch.rand(int(adjacency.fact.max()) + 1) < 0.7
    inputs = [{k: v.double() if v.is_floating_point() else v for k, v in one.items()} for one in inputs]
    found = []
    for shared in (True, False):
        if not shared:
            monkeypatch.setattr(type(model), "_chains", lambda *_: False)
        torch.manual_seed(3)
        states, weights = model.encode(inputs, adjacency, keep), list(model.layers.parameters())
        loss = (states.sin() * torch.arange(states.numel(), dtype=states.dtype).view_as(states).cos()).sum()
        twice = [torch.autograd.grad(loss, weights, retain_graph=True) for _ in range(2)]
        assert all(torch.equal(one, other) for one, other in zip(*twice, strict=True))
        found.append((states, *twice[0]))
    for one, other in zip(*found, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-10, atol=1e-10)


def test_dropout_is_drawn_in_training_and_not_in_evaluation():
    model, inputs, adjacency, _ = built(dropout=0.5)
    model.train()
    assert not torch.equal(model.encode(inputs, adjacency), model.encode(inputs, adjacency))
    torch.manual_seed(0)
    one = model.encode(inputs, adjacency)
    torch.manual_seed(0)
    assert torch.equal(one, model.encode(inputs, adjacency))
    model.eval()
    assert torch.equal(model.encode(inputs, adjacency), model.encode(inputs, adjacency))


def test_types_without_attributes_get_a_learnt_vector_per_node_that_learns():
    graph = triples()
    model, inputs, adjacency, _ = built(graph)
    learnt = model.encoders[0].learnt
    assert learnt is not None
    assert learnt.weight.shape == (graph.num_nodes, DIM)
    model.encode(inputs, adjacency).square().sum().backward()
    assert (learnt.weight.grad != 0).any(dim=1).all()
    assert all(encoder.learnt is None for encoder in built()[0].encoders)
    assert all(encoder.learnt is not None for encoder in built(node_embedding=True)[0].encoders)


def test_nodes_of_no_message_edge_share_a_vector_with_those_still_to_come():
    graph = triples()
    message = graph.edges[graph.edges.heads > 4]
    met = set(message.heads.tolist()) | set(message.tails.tolist())
    model = build_model(graph, Settings.of({"dim": DIM}), 0, message).eval()
    (prepared,) = prepare_inputs(model, graph)
    assert [i for i, index in enumerate(prepared[""].tolist()) if index >= 0] == sorted(met)
    with torch.no_grad():
        model.encoders[0].learnt.unknown.fill_(2.0)
    given = model.encoders[0](prepared)
    new = torch.tensor(sorted(set(range(graph.num_nodes)) - met))
    assert len(new) > 0
    assert (given[new] == 2).all()
    grown = graph.add_nodes("node", [{"id": "new"}])
    (more,) = prepare_inputs(model, grown)
    assert torch.equal(model.encoders[0](more), torch.cat([given, torch.full((1, DIM), 2.0)]))


@pytest.mark.parametrize("text", ["tfidf", "rnn", "rnn_pretrained"])
def test_texts_are_read_as_the_setting_says_and_rebuilt(text):
    graph = small_graph(0)
    model, inputs, adjacency, config = built(graph, text=text)
    persons = model.encoders[0]
    assert type(persons.encoders[persons.names.index("bio")]).__name__ == (
        "TextEncoder" if text == "tfidf" else "RecurrentTextEncoder"
    )
    other = rebuild_model(json.loads(json.dumps(describe_model(model))), config)
    other.load_state_dict(load(save(model.state_dict())), strict=True)
    again = prepare_inputs(other, graph)
    assert torch.equal(model.eval().encode(inputs, adjacency), other.eval().encode(again, adjacency))


def test_a_graph_of_undirected_relations_alone_needs_no_inverse_relation():
    model, inputs, adjacency, config = built(triples(directed=False))
    assert model.inverse_state.shape == (0, DIM)
    model.encode(inputs, adjacency).sum().backward()
    torch.optim.Adam(model.parameters(), fused=True).step()
    other = rebuild_model(describe_model(model), config)
    other.load_state_dict(load(save(model.state_dict())), strict=True)
    assert torch.equal(model.encode(inputs, adjacency), other.encode(inputs, adjacency))


def test_bases_are_taken_beyond_ten_relations_inverse_ones_counted():
    assert built()[0].layers[0].coefficient is None
    rows = [(i, f"r{i}", i + 1) for i in range(6)]
    model, inputs, adjacency, _ = built(Graph.from_triples(rows))
    assert model.layers[0].coefficient.shape == (12, 10)
    assert model.encode(inputs, adjacency).isfinite().all()
