import pytest
import torch

from relwise.nn.decoders import ConvE
from tests.nn.decoders.cases import DecoderCase


class TestConvE(DecoderCase):
    def decoder(self, relations, dim):
        made = ConvE(relations, dim)
        torch.nn.init.normal_(made.bias)
        return made

    def of_end(self, end, decoder, nodes, heads, relations, tails, logits):
        """The two ends' scores differ; their mean is the logit."""
        own, other = self.scores(decoder, nodes, heads, relations, tails), "head" if end == "tail" else "tail"
        torch.testing.assert_close((own[end] + own[other]) / 2, logits)
        return own[end]

    def scores(self, decoder, nodes, heads, relations, tails):
        return {
            "tail": (decoder.query("tail", nodes[heads], relations) * nodes[tails]).sum(dim=1),
            "head": (decoder.query("head", nodes[tails], relations) * nodes[heads]).sum(dim=1),
        }

    def test_a_score_is_pykeens(self):
        modules = pytest.importorskip("pykeen.nn.modules")
        decoder, nodes, heads, relations, tails = self.given()
        theirs = modules.ConvEInteraction(
            embedding_dim=self.dim, embedding_height=decoder.height, embedding_width=decoder.width
        )
        names = {"hr2d.0": "image_norm", "hr2d.2": "convolution", "hr2d.3": "map_norm"}
        names |= {"hr1d.0": "projection", "hr1d.2": "norm"}
        ours = decoder.state_dict()
        ours |= {key: torch.rand_like(ours[key]) for key in ours if "running" in key}
        decoder.load_state_dict(ours)
        theirs.load_state_dict({f"{k}.{n}": ours[f"{name}.{n}"] for k, name in names.items()
                                for n in dict(getattr(decoder, name).state_dict())})  # fmt: skip
        theirs = theirs.double().eval()
        with torch.no_grad():
            got = self.scores(decoder, nodes, heads, relations, tails)
            for end, vectors, anchor, other in (
                ("tail", decoder.relation, heads, tails),
                ("head", decoder.inverse, tails, heads),
            ):
                bias = nodes[other] @ decoder.bias
                want = theirs(nodes[anchor], vectors[relations], (nodes[other], bias))
                torch.testing.assert_close(got[end], want)

    def test_in_slices_it_learns_what_it_learns_at_once(self, monkeypatch):
        decoder, nodes, heads, relations, tails = self.given()
        grads = []
        for size in (1000, 7):
            monkeypatch.setattr("relwise.nn.decoders.conve.AT_ONCE", size)
            decoder.zero_grad()
            decoder(nodes, heads, relations, tails).square().sum().backward()
            grads.append([p.grad.clone() for p in decoder.parameters()])
        for one, two in zip(*grads, strict=True):
            torch.testing.assert_close(one, two)

    def test_a_sampler_that_asks_moves_no_statistic_and_drops_nothing(self):
        decoder, nodes, heads, relations, _ = self.given()
        before = decoder.norm.running_mean.clone()
        decoder.train()
        with torch.no_grad():
            one, two = (decoder.query("tail", nodes[heads], relations) for _ in range(2))
        assert torch.equal(one, two)
        assert torch.equal(decoder.norm.running_mean, before)
        decoder.query("tail", nodes[heads], relations)
        assert not torch.equal(decoder.norm.running_mean, before)

    def test_a_size_that_is_no_image_is_refused(self):
        with pytest.raises(ValueError, match="dim = 7"):
            ConvE(2, 7)
