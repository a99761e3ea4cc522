"""What every negative sampler must do: one abstract test case, a few lines per sampler."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import strategies as st

from relwise.negatives import Corruptor, KnownEdges, NegativeSampler, PoolSampler, RandomSampler
from relwise.nn.decoders import DistMult
from tests.fakes import small_graph

LOGITS = st.floats(-10, 10) | st.sampled_from([-800.0, -80.0, -30.0, 30.0, 80.0, 800.0])


def logits(draw, count, pool):
    """(count,) positive and (count, pool) candidate logits."""
    rows = st.lists(LOGITS, min_size=pool, max_size=pool)
    positive = draw(st.lists(LOGITS, min_size=count, max_size=count))
    candidates = draw(st.lists(rows, min_size=count, max_size=count))
    return (
        torch.tensor(positive, dtype=torch.float64),
        torch.tensor(candidates, dtype=torch.float64).reshape(count, pool),
    )


class Scene:
    """Everything that `Corruptor.sample` needs, on `small_graph`."""

    def __init__(self, dtype: torch.dtype = torch.float64, seed: int = 0) -> None:
        self.graph = small_graph(0)
        self.corruptor = Corruptor(self.graph, self.graph.edges, KnownEdges(self.graph, self.graph.edges))
        self.index = np.flatnonzero(self.corruptor.corruptible)
        torch.manual_seed(seed)
        self.decoder = DistMult(4, 8).to(dtype)
        self.nodes = torch.randn(self.graph.num_nodes, 8, dtype=dtype, requires_grad=True)
        self.positive = self.score(self.graph.edges[self.index])

    def score(self, edges) -> torch.Tensor:
        arrays = (torch.from_numpy(a.copy()) for a in (edges.heads, edges.relations, edges.tails))
        return self.decoder(self.nodes, *arrays)

    def sample(self, sampler: NegativeSampler, step: int = 10_000, seed: int = 5):
        return self.corruptor.sample(self.index, sampler, self.decoder, self.nodes, self.positive, step=step, seed=seed)


def same_edges(one, other) -> bool:
    return all(np.array_equal(getattr(one, n), getattr(other, n)) for n in ("heads", "relations", "tails"))


class SamplerCase:
    """Subclasses say how to make the sampler with a pool of k, after its warm-up by step 10,000."""

    def sampler(self, pool: int) -> PoolSampler:
        raise NotImplementedError

    @pytest.mark.parametrize("step", [0, 3, 50, 10_000])
    @pytest.mark.parametrize("scale", [0.0, 1.0, 80.0])
    def test_it_chooses_one_of_the_pool_and_the_same_one_again(self, step, scale):
        sampler, generator = self.sampler(5), torch.Generator().manual_seed(step)
        pool = sampler.pool(step)
        positive = scale * torch.randn(20, generator=generator)
        candidates = scale * torch.randn(20, pool, generator=generator)
        chosen = sampler.choose(positive, candidates, step)
        assert chosen.shape == (20,)
        assert chosen.dtype == torch.int64
        assert ((chosen >= 0) & (chosen < pool)).all()
        assert torch.equal(chosen, sampler.choose(positive, candidates, step))
        alone = [sampler.choose(positive[i : i + 1], candidates[i : i + 1], step) for i in range(20)]
        assert torch.equal(torch.cat(alone), chosen)

    def test_it_chooses_without_gradient(self):
        sampler = self.sampler(3)
        positive, candidates = torch.zeros(2, requires_grad=True), torch.zeros(2, 3, requires_grad=True)
        assert not sampler.choose(positive, candidates, 10_000).requires_grad
        assert not sampler.wanted(positive.detach(), 10_000).requires_grad

    def test_a_pool_of_one_is_the_random_sampler(self):
        scene = Scene()
        expected = scene.sample(RandomSampler())
        for step in (0, 10_000):
            found = scene.sample(self.sampler(1), step)
            assert same_edges(found.edges, expected.edges)
            assert (found.proposed, found.refused) == (expected.proposed, expected.refused)

    @pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
    @pytest.mark.parametrize("step", [0, 10_000])
    def test_one_pass_gives_what_proposing_scoring_and_choosing_gives(self, dtype, step):
        scene, sampler = Scene(dtype), self.sampler(6)
        index, corruptor = scene.index, scene.corruptor
        replaced = corruptor.replaced(index, seed=5)
        replace_head = replaced == 0
        pool = corruptor.propose(index, replaced, sampler.pool(step), 5, sampler.shared(step))
        edges = scene.graph.edges[index]
        columns = []
        for slot in range(pool.shape[1]):
            heads = np.where(replace_head, pool[:, slot], edges.heads)
            tails = np.where(replace_head, edges.tails, pool[:, slot])
            columns.append(scene.score(type(edges)(heads, edges.relations, tails)))
        chosen = sampler.choose(scene.positive, torch.stack(columns, dim=1), step).numpy()
        node = pool[np.arange(len(index)), chosen]
        found = scene.sample(sampler, step).edges
        assert np.array_equal(found.heads, np.where(replace_head, node, edges.heads))
        assert np.array_equal(found.tails, np.where(replace_head, edges.tails, node))
        assert np.array_equal(found.relations, edges.relations)

    def test_the_same_seed_gives_the_same_negatives_and_another_seed_others(self):
        scene, sampler = Scene(), self.sampler(4)
        assert same_edges(scene.sample(sampler, seed=1).edges, scene.sample(sampler, seed=1).edges)
        assert not same_edges(scene.sample(sampler, seed=1).edges, scene.sample(sampler, seed=2).edges)

    def test_sampling_leaves_no_gradient_behind(self):
        scene = Scene()
        scene.sample(self.sampler(4))
        assert scene.nodes.grad is None
        assert scene.decoder.relation.grad is None
