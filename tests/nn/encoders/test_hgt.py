import pytest
import torch

from tests.nn.encoders.cases import TypedCase
from tests.nn.encoders.typed import by_relation, by_type, random_keep

pytest.importorskip("torch_geometric")


class TestHGT(TypedCase):
    encoder = "hgt"

    @pytest.mark.parametrize("share", [None, 0.5])
    def test_it_is_pygs_layers_on_the_graph_as_pyg_has_it(self, share):
        graph, _, model, inputs, messages = self.built(layers=2, heads=2)
        keep = random_keep(messages, share)
        states = by_type(graph, model.start(inputs, messages.adjacency, keep))
        links = by_relation(graph, messages, keep)
        for layer in model.layers:
            assert (layer.heads, layer.node_types, layer.edge_types) == (2, list(states), list(links))
            states = layer(states, links)
        got = model.encode(inputs, messages.adjacency, keep)
        torch.testing.assert_close(got, torch.cat(list(states.values())))
