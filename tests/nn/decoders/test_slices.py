import pytest
import torch

from relwise.nn.decoders import DistMult, Slices
from tests.nn.decoders.cases import EDGES, NODES, RELATIONS, DecoderCase


class TestSlices(DecoderCase):
    def decoder(self, relations, dim):
        made = Slices(relations, dim)
        torch.nn.init.normal_(made.relation)
        return made

    def given(self, dtype=torch.float64):
        decoder, _, *edges = super().given(dtype)
        return decoder, torch.randn(NODES, RELATIONS * self.dim, dtype=dtype), *edges

    def test_it_is_distmult_on_the_slice_of_the_edges_relation(self):
        decoder, nodes, heads, relations, tails = self.given()
        got = decoder(nodes, heads, relations, tails)
        for r in range(RELATIONS):
            theirs = DistMult(1, self.dim).double()
            theirs.relation.data = decoder.relation.data[r : r + 1]
            own = relations == r
            assert own.any()
            part = nodes[:, r * self.dim : (r + 1) * self.dim].contiguous()
            torch.testing.assert_close(got[own], theirs(part, heads[own], relations[own] * 0, tails[own]))

    @pytest.mark.parametrize("end", ["head", "tail"])
    def test_a_query_is_zero_outside_its_relations_slice(self, end):
        decoder, nodes, heads, relations, _ = self.given()
        query = decoder.query(end, nodes[heads], relations).view(EDGES, RELATIONS, self.dim)
        inside = torch.nn.functional.one_hot(relations, RELATIONS).bool()
        assert (query[inside] != 0).all()
        assert (query[~inside] == 0).all()
