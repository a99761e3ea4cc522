import sys

import pytest
import torch

from relwise.errors import InputError
from relwise.nn.build import build_model
from relwise.nn.relgnn import SLOPE
from relwise.settings import Settings
from tests.fakes import small_graph
from tests.nn.encoders.cases import EncoderCase
from tests.nn.encoders.typed import by_relation, random_keep

pytest.importorskip("torch_geometric")


class TestRGAT(EncoderCase):
    encoder = "rgat"

    @pytest.mark.parametrize("share", [None, 0.5])
    @pytest.mark.parametrize("bases", [None, 2])
    def test_it_is_pygs_layers_on_the_edges_that_are_left(self, share, bases):
        graph, _, model, inputs, messages = self.built(layers=2, heads=2, bases=bases)
        keep = random_keep(messages, share)
        links = by_relation(graph, messages, keep)
        begins = [torch.tensor([[graph.offsets[int(t[1:])]] for t in (kind[0], kind[2])]) for kind in links]
        ends = torch.cat([pair + begin for pair, begin in zip(links.values(), begins, strict=True)], dim=1)
        counts = torch.tensor([pair.shape[1] for pair in links.values()])
        relation = torch.repeat_interleave(torch.arange(len(links)), counts)
        state = model.start(inputs, messages.adjacency, keep)
        for layer in model.layers:
            assert (layer.heads, layer.num_bases, layer.attention_mechanism) == (2, bases, "across-relation")
            state = state + torch.nn.functional.leaky_relu(layer(state, ends, relation), SLOPE)
        torch.testing.assert_close(model.encode(inputs, messages.adjacency, keep), state)


@pytest.mark.parametrize("encoder", ["han", "hgt", "rgat"])
def test_without_pyg_it_is_said_how_to_get_it(encoder, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch_geometric", None)
    with pytest.raises(InputError, match=rf"encoder = {encoder} needs PyG.*pip install 'relwise\[pyg\]'"):
        build_model(small_graph(), Settings.of({"encoder": encoder, "dim": 8}), 0)


@pytest.mark.parametrize("encoder", ["han", "hgt", "rgat"])
def test_heads_that_cannot_share_the_states_are_refused(encoder):
    with pytest.raises(InputError, match=r"heads = 3 cannot share dim = 8 evenly.*set dim=9, or heads=1"):
        Settings.of({"encoder": encoder, "dim": 8, "heads": 3})
