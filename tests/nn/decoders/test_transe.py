import pytest
import torch

from relwise.nn.decoders import TransE
from tests.nn.decoders.cases import DecoderCase


class TestTransE(DecoderCase):
    def decoder(self, relations, dim):
        return TransE(relations, dim)

    def test_the_distance_is_pykeens(self):
        modules = pytest.importorskip("pykeen.nn.modules")
        decoder, nodes, heads, relations, tails = self.given()
        theirs = modules.TransEInteraction(p=2, power_norm=True)(
            nodes[heads], decoder.relation[relations], nodes[tails]
        )
        got = decoder(nodes, heads, relations, tails) - decoder.margin
        torch.testing.assert_close(got, theirs)
