import numpy as np
import torch
from torch.nn import functional

from relwise.data.split import split_graph
from relwise.negatives import RandomSampler, SelfAdversarialSampler
from relwise.settings import Settings
from relwise.train.loop import Trainer
from tests.fakes import small_graph
from tests.negatives.cases import Scene, same_edges


def test_all_of_the_pool_are_taken_and_none_is_known():
    scene = Scene()
    graph, edges = scene.graph, scene.graph.edges[scene.index]
    found = scene.sample(SelfAdversarialSampler(6))
    assert len(found.edges) == 6 * len(edges) == found.proposed - found.refused
    heads, tails = (array.reshape(-1, 6) for array in (found.edges.heads, found.edges.tails))
    kept = (heads == edges.heads[:, None]).all(axis=1), (tails == edges.tails[:, None]).all(axis=1)
    assert (kept[0] | kept[1]).all()
    assert (found.edges.relations.reshape(-1, 6) == edges.relations[:, None]).all()
    assert not set(graph.keys(found.edges).tolist()) & set(graph.keys(graph.edges).tolist())


def test_weights_are_a_softmax_that_carries_no_gradient():
    logits = torch.randn(5, 4, requires_grad=True)
    weights = SelfAdversarialSampler(4, temperature=0.5).weigh(logits)
    assert torch.allclose(weights, (0.5 * logits).softmax(dim=1))
    assert not weights.requires_grad
    assert torch.equal(SelfAdversarialSampler(4, temperature=0.0).weigh(logits), torch.full((5, 4), 0.25))


def test_the_loss_is_the_papers():
    graph = small_graph(0)
    settings = Settings.of({"dim": 8, "sampler": "self_adversarial", "pool": 3, "temperature": 2.0, "warmup": 0})
    trainer = Trainer(graph, split_graph(graph, 0), settings, seed=0)
    logits = torch.randn(7 + 21, dtype=torch.float64)
    want = []
    for i in range(7):
        own = logits[7 + 3 * i : 7 + 3 * i + 3]
        share = torch.exp(2 * own) / torch.exp(2 * own).sum()
        want.append(-functional.logsigmoid(logits[i]) - (share * functional.logsigmoid(-own)).sum())
    torch.testing.assert_close(trainer._loss(logits, 7), sum(want) / 14)
    before = trainer.step()
    for trainer.state.step in range(1, 40):
        after = trainer.step()
    assert after < before
    tally = trainer.state.tally
    assert tally.chosen == tally.proposed - tally.refused


def test_the_warm_up_is_the_random_sampler():
    scene = Scene()
    found, expected = (scene.sample(s, 2) for s in (SelfAdversarialSampler(9, warmup=3), RandomSampler()))
    assert same_edges(found.edges, expected.edges)
    assert np.array_equal((found.proposed, found.refused), (expected.proposed, expected.refused))


def test_shared_pools_are_learnt_from_whole_and_one_negative_of_each_positive_is_counted():
    graph = small_graph(0)
    settings = Settings.of({"dim": 8, "sampler": "self_adversarial", "pool": 5, "shared_pool": 4})
    trainer = Trainer(graph, split_graph(graph, 0), settings, seed=0)
    losses = []
    for trainer.state.step in range(60):
        losses.append(trainer.step())
    assert np.mean(losses[-10:]) < 0.95 * np.mean(losses[:10])
    tally = trainer.state.tally
    assert 0 < tally.refused < tally.proposed
    assert tally.proposed % 5 == 0
    assert sum(tally.negatives) == tally.chosen
