"""What every decoder must do: one abstract test case, a few lines per decoder."""

from __future__ import annotations

import pytest
import torch

from relwise.nn.decoders import Decoder

NODES, RELATIONS, EDGES = 9, 3, 40


class DecoderCase:
    """Subclasses say how to make the decoder for a size of states."""

    dim = 16

    def decoder(self, relations: int, dim: int) -> Decoder:
        raise NotImplementedError

    def given(self, dtype=torch.float64):
        torch.manual_seed(0)
        decoder = self.decoder(RELATIONS, self.dim).to(dtype).eval()
        nodes = torch.randn(NODES, self.dim, dtype=dtype)
        heads, tails = torch.randint(0, NODES, (2, EDGES))
        return decoder, nodes, heads, torch.randint(0, RELATIONS, (EDGES,)), tails

    def test_a_query_and_a_key_make_the_logit_at_both_ends(self):
        decoder, nodes, heads, relations, tails = self.given()
        with torch.no_grad():
            keys, logits = decoder.keys(nodes), decoder(nodes, heads, relations, tails)
            for end, anchor, other in (("tail", heads, tails), ("head", tails, heads)):
                product = (decoder.query(end, nodes[anchor], relations) * keys[other]).sum(dim=1)
                torch.testing.assert_close(product, self.of_end(end, decoder, nodes, heads, relations, tails, logits))

    def of_end(self, end, decoder, nodes, heads, relations, tails, logits):
        """What a query at an end gives: the logit, unless a decoder has a score of its own for each end."""
        return logits

    def test_every_parameter_and_both_ends_have_the_gradients_of_differences(self):
        decoder, nodes, heads, relations, tails = self.given()
        names = [name for name, _ in decoder.named_parameters()]

        def score(nodes, *values):
            given = nodes, heads[:5], relations[:5], tails[:5]
            return torch.func.functional_call(decoder, dict(zip(names, values, strict=True)), given)

        values = [p.detach().clone().requires_grad_() for p in decoder.parameters()]
        assert torch.autograd.gradcheck(score, (nodes.requires_grad_(), *values), fast_mode=True)

    def test_no_edges_have_no_logits(self):
        decoder, nodes, *_ = self.given()
        none = torch.empty(0, dtype=torch.int64)
        assert decoder(nodes, none, none, none).shape == (0,)

    @pytest.mark.parametrize("relations", [1, 300])
    def test_it_has_a_state_of_full_size_for_each_relation(self, relations):
        assert self.decoder(relations, self.dim).relation.shape == (relations, self.dim)
