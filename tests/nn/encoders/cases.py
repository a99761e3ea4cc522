"""What every encoder must do on a graph of several node types: one abstract test case, a few lines per encoder."""

from __future__ import annotations

import json

import torch
from safetensors.torch import load, save

from relwise.data.graph import Graph, NodeType
from relwise.nn.build import build_model, describe_model, prepare_inputs, rebuild_model
from relwise.nn.messages import message_graph
from relwise.settings import Settings
from tests.fakes import small_graph


class EncoderCase:
    """Subclasses name the encoder; `small_graph` has directed and undirected relations between three types."""

    encoder = ""
    alone = True  # whether what a node's own type is otherwise made of leaves its state as it is

    def built(self, **options):
        graph = small_graph(0)
        settings = Settings.of({"encoder": self.encoder, "dim": 8, "dropout": 0.0, "embedding_dropout": 0.0, **options})
        messages = message_graph(graph, graph.edges)
        model = build_model(graph, settings, 0, graph.edges)
        return graph, settings, model, prepare_inputs(model, graph), messages

    def test_a_masked_edge_might_as_well_not_be(self):
        graph, _, model, inputs, messages = self.built()
        model = model.double().eval()
        inputs = [{name: x.double() if _floating(x) else x for name, x in given.items()} for given in inputs]
        keep = torch.rand(messages.num_facts, generator=torch.Generator().manual_seed(3)) < 0.5
        without = message_graph(graph, graph.edges[keep.numpy()[messages.facts]]).adjacency
        masked, rest = model.encode(inputs, messages.adjacency, keep), model.encode(inputs, without)
        assert torch.allclose(masked, rest, atol=1e-12)
        assert not torch.allclose(masked, model.encode(inputs, messages.adjacency), atol=1e-3)
        none = torch.zeros(messages.num_facts, dtype=torch.bool)
        assert model.encode(inputs, messages.adjacency, none).isfinite().all()

    def test_every_parameter_learns_from_encoding_and_scoring(self):
        graph, _, model, inputs, messages = self.built()
        edges = (torch.from_numpy(a.copy()) for a in (graph.edges.heads, graph.edges.relations, graph.edges.tails))
        model.decoder(model.encode(inputs, messages.adjacency), *edges).square().sum().backward()
        for name, parameter in model.named_parameters():
            assert parameter.grad is not None, name
            assert (parameter.grad != 0).any(), name

    def test_it_is_rebuilt_from_its_description_and_weights_to_the_bit(self):
        graph, settings, model, _, messages = self.built(degrees=True)
        description = json.loads(json.dumps(describe_model(model)))
        other = rebuild_model(description, settings)
        other.load_state_dict(load(save(model.state_dict())), strict=True)
        assert describe_model(other) == describe_model(model)
        states = [m.eval().encode(prepare_inputs(m, graph), messages.adjacency) for m in (model, other)]
        assert torch.equal(*states)

    def test_the_same_seed_draws_the_same_weights(self):
        one, two = (self.built()[2].state_dict() for _ in range(2))
        assert all(torch.equal(one[name], two[name]) for name in one)

    def test_more_nodes_of_a_type_change_no_others_state(self):
        """Nodes of later types move up in the one node space: they are the same nodes still."""
        graph, _, model, inputs, messages = self.built(layers=1)
        grown = graph.add_nodes("person", [{"id": "new"}])
        moved = message_graph(grown, grown.edges).adjacency
        before = model.eval().encode(inputs, messages.adjacency)
        after = model.encode(prepare_inputs(model, grown), moved)
        begin, place = graph.type_range("person")
        assert begin == 0
        assert len(after) == len(before) + 1
        torch.testing.assert_close(after[place + 1 :], before[place:])
        if self.alone:
            torch.testing.assert_close(after[:place], before[:place])


class TypedCase(EncoderCase):
    """Those of a `TypedNetwork`."""

    def test_a_type_that_no_relation_comes_to_keeps_its_states(self):
        graph, settings, *_ = self.built()
        more = Graph((*graph.node_types, NodeType("alone", ["x", "y"])), graph.relations, graph.edges)
        model = build_model(more, settings, 0)
        inputs, adjacency = prepare_inputs(model, more), message_graph(more, more.edges).adjacency
        assert torch.equal(model.encode(inputs, adjacency)[-2:], model.start(inputs, adjacency)[-2:])


def _floating(x):
    return isinstance(x, torch.Tensor) and x.is_floating_point()
