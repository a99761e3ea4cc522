"""KBGAN: what it draws, what its generator learns, what it remembers."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from relwise.data.graph import Graph
from relwise.negatives import Corruptor, KBGANSampler, KnownEdges, RandomSampler, kbgan
from relwise.nn.decoders import ComplEx
from tests.negatives.cases import Scene, same_edges

RATE, DIM = 0.02, 5


class TenNodes(Scene):
    """Ten nodes, two relations, and a decoder that tells an edge from its reverse."""

    def __init__(self) -> None:
        pairs = [(i, (i * k + 1) % 10) for i in range(10) for k in (3, 4)]
        self.graph = Graph.from_triples([(h, "ab"[(h + t) % 2], t) for h, t in pairs if h != t])
        self.corruptor = Corruptor(self.graph, self.graph.edges, KnownEdges(self.graph, self.graph.edges))
        self.index = np.flatnonzero(self.corruptor.corruptible)[::-1].copy()
        torch.manual_seed(0)
        self.decoder = ComplEx(2, 8)
        self.nodes = torch.randn(self.graph.num_nodes, 8)
        self.positive = self.score(self.graph.edges[self.index]).detach()


def copied(sampler):
    return {name: tensor.clone() for name, tensor in sampler.state().items()}


def reinforce(scene, before, found, pool, seed):
    """Gradients of −1/n Σ (R_i − b) log p_i,s in float64, edge by edge and candidate by candidate, and the mean R."""
    node, relation = before["node"].double().numpy(), before["relation"].double().numpy()
    replaced = scene.corruptor.replaced(scene.index, seed)
    pools = scene.corruptor.propose(scene.index, replaced, pool, seed)
    edges, count = scene.graph.edges[scene.index], len(scene.index)
    with torch.no_grad():
        reward = scene.score(found.edges).double().numpy()
    of_node, of_relation = np.zeros_like(node), np.zeros_like(relation)
    for i, candidates in enumerate(pools):
        a, taken = (
            (edges.tails[i], found.edges.heads[i]) if replaced[i] == 0 else (edges.heads[i], found.edges.tails[i])
        )
        r, slot = edges.relations[i], list(candidates).index(taken)
        share = np.exp([(node[a] * relation[r] * node[c]).sum() for c in candidates])
        share /= share.sum()
        for j, c in enumerate(candidates):
            pull = -(reward[i] - float(before["baseline"])) / count * ((j == slot) - share[j])
            of_node[c] += pull * node[a] * relation[r]
            of_node[a] += pull * node[c] * relation[r]
            of_relation[r] += pull * node[a] * node[c]
    return {"node": of_node, "relation": of_relation}, reward.mean()


@pytest.mark.parametrize("at_once", [7, 1 << 15])
def test_a_step_is_reinforce_written_out_in_float64(monkeypatch, at_once):
    monkeypatch.setattr(kbgan, "AT_ONCE", at_once)  # in many parts and in one
    scene, sampler, pool = TenNodes(), KBGANSampler(4, dim=DIM, learning_rate=RATE), 4
    scene.sample(sampler, seed=1)
    # Weights with logits of some size, so that the shares differ, and a baseline that is not 0.
    state = copied(sampler)
    state |= {name: 4 * state[name] for name in ("node", "relation")}
    sampler.load_state(state)
    first, second = ({n: state[f"{n}.{m}"].double().numpy() for n in ("node", "relation")} for m in
                     ("exp_avg", "exp_avg_sq"))  # fmt: skip
    assert float(state["baseline"]) != 0
    for step in (2, 3):
        before = copied(sampler)
        found = scene.sample(sampler, seed=step)
        grads, mean = reinforce(scene, before, found, pool, step)
        after = copied(sampler)
        assert float(after["baseline"]) == pytest.approx(mean, rel=1e-6)
        for name, grad in grads.items():
            first[name] = 0.9 * first[name] + 0.1 * grad
            second[name] = 0.999 * second[name] + 0.001 * grad**2
            assert np.abs(grad).max() > 0.01
            np.testing.assert_allclose(after[f"{name}.exp_avg"].numpy(), first[name], rtol=1e-4, atol=1e-6)
            np.testing.assert_allclose(after[f"{name}.exp_avg_sq"].numpy(), second[name], rtol=1e-4, atol=1e-8)
            root = np.sqrt(second[name] / (1 - 0.999**step)) + 1e-8
            want = before[name].double().numpy() - RATE * first[name] / (1 - 0.9**step) / root
            np.testing.assert_allclose(after[name].numpy(), want, atol=1e-5)


def test_the_first_baseline_is_zero():
    scene, sampler = TenNodes(), KBGANSampler(4, dim=DIM, learning_rate=0.0)
    scene.sample(sampler, seed=1)
    before = copied(sampler)
    sampler.load_state({})
    found = scene.sample(sampler, seed=1)
    grads, _ = reinforce(scene, before | {"baseline": torch.zeros(())}, found, 4, 1)
    for name, grad in grads.items():
        np.testing.assert_allclose(sampler.state()[f"{name}.exp_avg"].numpy() / 0.1, grad, rtol=1e-4, atol=1e-6)


def test_candidates_are_drawn_in_the_generators_shares():
    scene, sampler, pool = TenNodes(), KBGANSampler(4, dim=DIM, learning_rate=0.0), 4
    scene.sample(sampler, seed=0)
    state = copied(sampler)
    state |= {name: 4 * state[name] for name in ("node", "relation")}
    sampler.load_state(state)
    node, relation, edges = state["node"].double(), state["relation"].double(), scene.graph.edges[scene.index]
    hits, shares = [], []
    for seed in range(300):
        replaced = scene.corruptor.replaced(scene.index, seed)
        pools = scene.corruptor.propose(scene.index, replaced, pool, seed)
        found = scene.sample(sampler, seed=seed).edges
        anchor = np.where(replaced == 0, edges.tails, edges.heads)
        logits = (node[pools] * (node[anchor] * relation[edges.relations.copy()])[:, None]).sum(dim=2)
        likeliest = pools[np.arange(len(pools)), logits.argmax(dim=1).numpy()]
        same = torch.from_numpy(pools == likeliest[:, None])
        shares.append((logits.softmax(dim=1) * same).sum(dim=1))
        hits.append(np.where(replaced == 0, found.heads, found.tails) == likeliest)
    want, got = torch.cat(shares).numpy(), np.concatenate(hits)
    assert want.std() > 0.1  # else any draw would do
    assert got.mean() == pytest.approx(want.mean(), abs=4 * np.sqrt((want * (1 - want)).sum()) / len(want))
    for low, high in ((0, 0.4), (0.4, 0.6), (0.6, 1)):
        part = (want > low) & (want <= high)
        deviation = np.sqrt((want * (1 - want))[part].sum()) / part.sum()
        assert got[part].mean() == pytest.approx(want[part].mean(), abs=4 * deviation)


def test_its_negatives_are_unknown_of_the_right_type_and_keep_one_end():
    scene, sampler = Scene(torch.float32), KBGANSampler(4)
    edges, graph = scene.graph.edges[scene.index], scene.graph
    known = set(graph.keys(graph.edges).tolist())
    for step in range(5):
        found = scene.sample(sampler, step, seed=step)
        assert not set(graph.keys(found.edges).tolist()) & known
        assert ((found.edges.heads == edges.heads) != (found.edges.tails == edges.tails)).all()
        assert (found.edges.relations == edges.relations).all()
        for nodes, ranges in ((found.edges.heads, graph.head_ranges), (found.edges.tails, graph.tail_ranges)):
            low, high = ranges[edges.relations].T
            assert ((nodes >= low) & (nodes < high)).all()
        assert (found.edges.heads != found.edges.tails).all()
        assert found.proposed - found.refused == 4 * len(edges)


def test_its_negatives_grow_likelier_than_random_ones():
    scene, sampler = Scene(), KBGANSampler(8)
    scene.nodes.requires_grad_(False)
    scene.decoder.requires_grad_(False)
    scores = torch.stack([scene.score(scene.sample(sampler, s, seed=s).edges).mean() for s in range(200)])
    uniform = torch.stack([scene.score(scene.sample(RandomSampler(), seed=s).edges).mean() for s in range(40)])
    assert float(scores[0]) == pytest.approx(float(uniform.mean()), abs=4 * float(uniform.std()))
    assert scores[-20:].mean() > uniform.mean() + 4 * uniform.std()


def test_the_warm_up_and_a_pool_of_one_are_the_random_sampler_and_teach_it_nothing():
    scene = Scene()
    for sampler, step in ((KBGANSampler(9, warmup=3), 2), (KBGANSampler(1), 5)):
        assert sampler.pool(step) == 1
        found, expected = scene.sample(sampler, step), scene.sample(RandomSampler())
        assert same_edges(found.edges, expected.edges)
        assert (found.proposed, found.refused) == (expected.proposed, expected.refused)
        assert sampler.state() == {}


def test_its_state_is_all_it_remembers():
    scene, one, other = Scene(), KBGANSampler(5), KBGANSampler(5)
    for seed in range(3):
        scene.sample(one, seed, seed=seed)
    kept = copied(one)
    other.load_state(one.state())
    for seed in range(3, 6):
        found = [scene.sample(sampler, seed, seed=seed) for sampler in (one, other)]
        assert same_edges(found[0].edges, found[1].edges)
    assert one.state().keys() == other.state().keys() == kept.keys()
    for name, tensor in one.state().items():
        assert torch.equal(tensor, other.state()[name]), name
        assert not torch.equal(tensor, kept[name]), name
    other.load_state({})
    assert other.state() == {}


def test_the_same_seed_gives_the_same_generator_and_torchs_own_is_left_alone():
    scene, samplers = Scene(), (KBGANSampler(5), KBGANSampler(5), KBGANSampler(5))
    found = []
    for i, (sampler, first) in enumerate(zip(samplers, (0, 0, 7), strict=True)):
        torch.manual_seed(i)
        before = torch.random.get_rng_state()
        found.append(scene.sample(sampler, 0, seed=first).edges)
        assert torch.equal(torch.random.get_rng_state(), before)
    assert same_edges(found[0], found[1])
    assert not same_edges(found[0], found[2])
    one, two, three = (sampler.state() for sampler in samplers)
    assert all(torch.equal(tensor, two[name]) for name, tensor in one.items())
    assert not torch.equal(one["node"], three["node"])


def test_no_gradient_passes_between_the_networks():
    scene = Scene()
    scene.sample(KBGANSampler(4))
    assert scene.nodes.grad is None
    assert scene.decoder.relation.grad is None
