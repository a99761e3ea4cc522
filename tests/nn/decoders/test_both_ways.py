import json

import numpy as np
import pytest
import torch

from relwise.data.edges import Edges
from relwise.data.graph import Graph
from relwise.data.split import split_graph
from relwise.evaluate.metrics import roc_auc
from relwise.nn.build import build_model, describe_model, rebuild_model
from relwise.nn.decoders import BothWays, ComplEx, ConvE, RotatE, TransE
from relwise.settings import Settings
from relwise.train.loop import Trainer
from tests.fakes import small_graph
from tests.nn.decoders.cases import DecoderCase
from tests.small_data import TINY

ONE_WAY = {"complex": ComplEx, "conve": ConvE, "rotate": RotatE, "transe": TransE}
KNOWS = "knows"  # the undirected one of small_graph's relations


class BothWaysCase(DecoderCase):
    inner = TransE

    def decoder(self, relations, dim):
        return BothWays(self.inner(relations, dim), torch.arange(relations) % 2 == 0)

    def test_an_undirected_edge_has_one_logit_and_a_directed_one_the_inner_decoders(self):
        decoder, nodes, heads, relations, tails = self.given()
        undirected = relations % 2 == 0
        assert 0 < undirected.sum() < len(relations)
        with torch.no_grad():
            ahead, back = decoder(nodes, heads, relations, tails), decoder(nodes, tails, relations, heads)
            inner = [decoder.inner(nodes, *ends) for ends in ((heads, relations, tails), (tails, relations, heads))]
        torch.testing.assert_close(ahead[undirected], back[undirected])
        torch.testing.assert_close(ahead[undirected], ((inner[0] + inner[1]) / 2)[undirected])
        torch.testing.assert_close(ahead[~undirected], inner[0][~undirected])
        assert not torch.allclose(ahead[~undirected], back[~undirected])


class TestComplEx(BothWaysCase):
    inner = ComplEx


class TestRotatE(BothWaysCase):
    inner = RotatE


class TestTransE(BothWaysCase):
    inner = TransE


class TestConvE(BothWaysCase):
    inner = ConvE

    def of_end(self, end, decoder, nodes, heads, relations, tails, logits):
        """A query's score differs from end to end, of undirected edges too; the mean of the two is the logit."""
        keys, score = decoder.keys(nodes), {}
        for own, anchor, other in (("tail", heads, tails), ("head", tails, heads)):
            score[own] = (decoder.query(own, nodes[anchor], relations) * keys[other]).sum(dim=1)
        torch.testing.assert_close((score["tail"] + score["head"]) / 2, logits)
        return score[end]


@pytest.mark.parametrize("name", ONE_WAY)
def test_a_network_scores_undirected_relations_both_ways_and_keeps_to_it_when_stored(name):
    graph = small_graph()
    settings = Settings.of({"dim": 16, "decoder": name})
    model = build_model(graph, settings, 0)
    assert isinstance(model.decoder, BothWays)
    assert isinstance(model.decoder.inner, ONE_WAY[name])
    assert [graph.relation_names[r] for r in model.decoder.undirected.nonzero()] == [KNOWS]
    description = json.loads(json.dumps(describe_model(model)))
    again = rebuild_model(description, settings)
    again.load_state_dict(model.state_dict())
    assert torch.equal(again.decoder.undirected, model.decoder.undirected)
    assert again.state_dict().keys() == model.state_dict().keys()


def test_one_described_before_there_were_two_ways_scores_as_it_learnt_to():
    settings = Settings.of({"dim": 16, "decoder": "transe"})
    description = describe_model(build_model(small_graph(), settings, 0))
    del description["both_ways"]
    assert isinstance(rebuild_model(description, settings).decoder, TransE)


@pytest.mark.parametrize("options", [{"decoder": "distmult"}, {"encoder": "gatne"}])
def test_a_decoder_that_is_symmetric_anyway_is_left_alone(options):
    assert build_model(small_graph(), Settings.of({"dim": 16, **options}), 0).decoder.symmetric


@pytest.mark.parametrize("encoder", ["relgnn", "lookup"])
@pytest.mark.parametrize("name", ONE_WAY)
def test_a_trained_network_does_not_know_which_end_was_written_first(name, encoder):
    graph = small_graph()
    split = split_graph(graph, 0)
    trainer = Trainer(graph, split, Settings.of({**TINY, "dim": 16, "decoder": name, "encoder": encoder}), 0)
    trainer.fit()
    scorer, known = trainer.scorer(), graph.edges[graph.edges.relations == graph.relation_names.index(KNOWS)]
    logits = scorer.logits(known)
    assert np.ptp(logits) > 0
    np.testing.assert_allclose(logits, scorer.logits(Edges(known.tails, known.relations, known.heads)), atol=1e-5)


def test_the_order_in_which_chance_edges_are_written_is_learnt_of_a_directed_relation_alone():
    """Edges at random, the smaller number first; negatives replace the second end: there is nothing else to learn."""
    rng, count = np.random.default_rng(0), 200
    pairs = np.unique(np.sort(rng.integers(0, count, (4000, 2)), axis=1), axis=0)
    pairs = [(i, j) for i, j in pairs.tolist() if i != j]
    options = {"encoder": "lookup", "decoder": "transe", "dim": 8, "dropout": 0, "embedding_std": 0.1}
    settings, found = Settings.of({**options, "sampler": "random", "steps": 100}), {}
    for directed in (True, False):
        graph = Graph.from_triples([(i, "meets", j) for i, j in pairs], directed=directed)
        trainer = Trainer(graph, split_graph(graph, 0), settings, 0)
        trainer.fit()
        true = trainer.split.test.positives
        false = Edges(true.heads, true.relations, rng.integers(0, count, len(true), dtype=true.tails.dtype))
        logits = trainer.scorer().logits(Edges.concatenate(true, false))
        found[directed] = roc_auc(np.arange(len(logits)) < len(true), logits)
    assert found[True] > 0.62
    assert found[False] < 0.55
