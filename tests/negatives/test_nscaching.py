import numpy as np
import pytest
import torch

from relwise.negatives import Corruptor, KnownEdges, NSCachingSampler, RandomSampler
from tests.fakes import small_graph
from tests.negatives.cases import Scene, same_edges


def keys_of(graph, edges):
    return set(graph.keys(edges).tolist())


def test_its_negatives_are_unknown_of_the_right_type_and_keep_one_end():
    scene, sampler = Scene(torch.float32), NSCachingSampler(4)
    edges, graph = scene.graph.edges[scene.index], scene.graph
    for step in range(5):
        found = scene.sample(sampler, step, seed=step)
        assert not keys_of(graph, found.edges) & keys_of(graph, graph.edges)
        assert ((found.edges.heads == edges.heads) != (found.edges.tails == edges.tails)).all()
        for nodes, ranges in ((found.edges.heads, graph.head_ranges), (found.edges.tails, graph.tail_ranges)):
            low, high = ranges[edges.relations].T
            assert ((nodes >= low) & (nodes < high)).all()
        assert (found.edges.heads != found.edges.tails).all()
        assert found.proposed > found.refused >= 0
    assert sampler.cache is not None
    assert sampler.cache.dtype == torch.int32


def test_its_negatives_grow_likelier_than_random_ones():
    scene, sampler = Scene(), NSCachingSampler(8)
    scene.nodes.requires_grad_(False)
    scene.decoder.requires_grad_(False)
    scores = torch.stack([scene.score(scene.sample(sampler, s, seed=s).edges).mean() for s in range(8)])
    fresh = torch.stack([scene.score(scene.sample(NSCachingSampler(8), seed=s).edges).mean() for s in range(40)])
    uniform = torch.stack([scene.score(scene.sample(RandomSampler(), seed=s).edges).mean() for s in range(40)])
    assert float(fresh.mean()) == pytest.approx(float(uniform.mean()), abs=4 * float(fresh.std()) / 40**0.5)
    assert scores[-1] > uniform.mean() + 6 * uniform.std()


def test_the_warm_up_and_a_pool_of_one_are_the_random_sampler_and_touch_no_cache():
    scene = Scene()
    for sampler, step in ((NSCachingSampler(9, warmup=3), 2), (NSCachingSampler(1), 5)):
        assert sampler.pool(step) == 1
        found, expected = scene.sample(sampler, step), scene.sample(RandomSampler())
        assert same_edges(found.edges, expected.edges)
        assert (found.proposed, found.refused) == (expected.proposed, expected.refused)
        assert sampler.state() == {}


def test_its_state_is_all_it_remembers():
    scene, one, other = Scene(), NSCachingSampler(5), NSCachingSampler(5)
    for seed in range(3):
        scene.sample(one, seed, seed=seed)
    kept = {name: tensor.clone() for name, tensor in one.state().items()}
    other.load_state(one.state())
    for seed in range(3, 6):
        found = [scene.sample(sampler, seed, seed=seed) for sampler in (one, other)]
        assert same_edges(found[0].edges, found[1].edges)
    assert torch.equal(one.state()["cache"], other.state()["cache"])
    other.load_state(kept)
    assert not torch.equal(one.state()["cache"], other.state()["cache"])
    other.load_state({})
    assert other.state() == {}


def test_the_same_seed_gives_the_same_caches():
    scene, samplers = Scene(), (NSCachingSampler(5), NSCachingSampler(5), NSCachingSampler(5))
    for sampler, first in zip(samplers, (0, 0, 7), strict=True):
        scene.sample(sampler, 0, seed=first)
    caches = [sampler.state()["cache"] for sampler in samplers]
    assert torch.equal(caches[0], caches[1])
    assert not torch.equal(caches[0], caches[2])


def test_it_leaves_no_gradient_behind():
    scene = Scene()
    scene.sample(NSCachingSampler(4))
    assert scene.nodes.grad is None
    assert scene.decoder.relation.grad is None


def test_edges_that_are_not_known_are_refused():
    graph = small_graph(0)
    corruptor = Corruptor(graph, graph.edges, KnownEdges(graph, graph.edges[np.arange(3)]))
    scene = Scene()
    scene.corruptor = corruptor
    with pytest.raises(ValueError, match="not known"):
        scene.sample(NSCachingSampler(4))
