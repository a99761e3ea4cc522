"""Reciprocal relations: a relation's second state asks for its heads."""

from __future__ import annotations

import pytest
import torch

from reciprocal import Reciprocal, reciprocate
from relwise.data.split import split_graph
from relwise.nn.decoders import ComplEx, Decoder, DistMult
from relwise.settings import Settings
from relwise.train.loop import Trainer
from tests.fakes import small_graph

OWN = {
    "encoder": "lookup", "dim": 16, "share": 0.5, "steps": 60, "eval_every": 10, "learning_rate": 0.05, "select": "mrr",
    "sampler": "self_adversarial", "pool": 8, "shared_pool": 32, "embedding_dropout": 0.0,
}  # fmt: skip


@pytest.mark.parametrize("kind", [DistMult, ComplEx])
def test_a_head_is_asked_for_as_the_tail_of_the_reciprocal(kind: type[Decoder]) -> None:
    torch.manual_seed(0)
    inner = kind(6, 8)
    decoder = Reciprocal(inner)
    nodes, heads, tails = torch.randn(9, 8), torch.tensor([0, 3, 8]), torch.tensor([5, 1, 2])
    relations = torch.tensor([0, 2, 1])
    ahead = (decoder.query("tail", nodes[heads], relations) * decoder.keys(nodes[tails])).sum(dim=1)
    back = (decoder.query("head", nodes[tails], relations) * decoder.keys(nodes[heads])).sum(dim=1)
    assert torch.allclose(ahead, inner(nodes, heads, relations, tails), atol=1e-6)
    assert torch.allclose(back, inner(nodes, tails, relations + 3, heads), atol=1e-6)
    assert torch.allclose(decoder(nodes, heads, relations, tails), (ahead + back) / 2, atol=1e-6)
    assert (ahead - back).abs().min() > 1e-3


def test_queries_lose_numbers_in_training_alone() -> None:
    torch.manual_seed(0)
    decoder = Reciprocal(DistMult(4, 1000), dropout=0.25)
    asked = "tail", torch.ones(5, 1000), torch.tensor([0, 1, 0, 1, 1])
    learning = decoder.query(*asked)
    decoder.eval()
    whole = decoder.query(*asked)
    kept = learning != 0
    assert abs(kept.float().mean() - 0.75) < 0.03
    assert torch.allclose(learning[kept], whole[kept] / 0.75)


@pytest.mark.parametrize("decoder", ["distmult", "complex"])
def test_a_trainer_learns_both_states_of_each_relation(decoder: str) -> None:
    graph = small_graph()
    trainer = Trainer(graph, split_graph(graph, 0), Settings.of({**OWN, "decoder": decoder}))
    reciprocate(trainer, dropout=0.1)
    relation = trainer.model.decoder.relation
    assert relation.shape == (2 * graph.num_relations, 16)
    before = relation.detach().clone()
    trainer.fit()
    history = trainer.state.history
    assert history[-1]["loss"] < history[0]["loss"]
    assert history[-1]["mrr"] > history[0]["mrr"]
    assert ((trainer.model.decoder.relation.detach() - before).abs().amax(dim=1) > 1e-3).all()
