import pytest
import torch

from relwise.nn.decoders import RotatE
from tests.nn.decoders.cases import DecoderCase


class TestRotatE(DecoderCase):
    def decoder(self, relations, dim):
        return RotatE(relations, dim)

    def test_the_distance_is_pykeens(self):
        modules = pytest.importorskip("pykeen.nn.modules")
        decoder, nodes, heads, relations, tails = self.given()
        angle = decoder.relation[relations].chunk(2, dim=1)[0]
        turn = torch.polar(torch.ones_like(angle), angle)
        h, t = (torch.complex(*nodes[ends].chunk(2, dim=1)) for ends in (heads, tails))
        theirs = modules.RotatEInteraction()(h, turn, t)  # minus the distance
        torch.testing.assert_close(decoder(nodes, heads, relations, tails) - decoder.margin, -theirs.square())

    def test_a_relation_turns_its_heads_and_keeps_their_length(self):
        decoder, nodes, heads, relations, _ = self.given()
        turned = decoder.target("tail", nodes[heads], relations)
        torch.testing.assert_close(turned.norm(dim=1), nodes[heads].norm(dim=1))
        torch.testing.assert_close(decoder.target("head", turned, relations), nodes[heads])

    def test_an_odd_size_is_refused(self):
        with pytest.raises(ValueError, match="dim = 5"):
            RotatE(2, 5)
