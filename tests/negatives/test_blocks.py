"""Pools that edges share, learnt from whole: against explicit loops in float64."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

from relwise.negatives import Corruptor, KnownEdges, SelfAdversarialSampler
from relwise.negatives.base import Asked
from relwise.negatives.blocks import draw_pools, pool_loss
from relwise.negatives.device import DeviceCorruptor
from relwise.nn.decoders import ComplEx, ConvE, Decoder, DistMult, RotatE, TransE
from tests.fakes import small_graph, tangled_graph

DECODERS = {"distmult": DistMult, "complex": ComplEx, "rotate": RotatE, "transe": TransE, "conve": ConvE}
DIM = 12


class Step:
    """What a step asks of a sampler, on some graph."""

    def __init__(self, graph, decoder: str = "distmult", dtype: torch.dtype = torch.float64, seed: int = 3) -> None:
        self.graph, self.known = graph, KnownEdges(graph, graph.edges)
        self.corruptor = Corruptor(graph, graph.edges, self.known)
        self.index = np.flatnonzero(self.corruptor.corruptible)
        self.replaced = self.corruptor.replaced(self.index, seed)
        torch.manual_seed(seed)
        self.decoder: Decoder = DECODERS[decoder](graph.num_relations, DIM).to(dtype).eval()
        self.nodes = torch.randn(graph.num_nodes, DIM, dtype=dtype, requires_grad=True)
        self.seed = seed

    def draw(self, pool: int, shared: int):
        asked = Asked(self.index, self.replaced, self.decoder, self.nodes, torch.zeros(len(self.index)), 0, self.seed)
        return draw_pools(self.corruptor, asked, pool, shared)

    def forbidden(self, position: int) -> set[int]:
        """The nodes that may not be put at the replaced end, by looking at every edge."""
        edges, edge = self.graph.edges, self.index[position]
        relation, end = edges.relations[edge], self.replaced[position]
        anchor = int((edges.tails if end == 0 else edges.heads)[edge])
        out = {anchor}
        for head, other, tail in zip(edges.heads, edges.relations, edges.tails, strict=True):
            if other == relation:
                both = [(head, tail)] if self.graph.directed[relation] else [(head, tail), (tail, head)]
                out |= {int(h if end == 0 else t) for h, t in both if (t if end == 0 else h) == anchor}
        return out

    def range_of(self, position: int) -> tuple[int, int]:
        ranges = self.graph.head_ranges if self.replaced[position] == 0 else self.graph.tail_ranges
        low, high = ranges[self.graph.edges.relations[self.index[position]]]
        return int(low), int(high)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([1, 3, 8, 200]), st.sampled_from([2, 5, 64]))
def test_what_is_refused_is_what_a_look_at_every_edge_refuses(seed, pool, shared):
    step = Step(tangled_graph(seed), seed=seed % 1000)
    if not len(step.index):
        return
    pools, nodes = step.draw(pool, shared)
    assert sorted(pools.order.tolist()) == list(range(len(step.index)))
    block = np.repeat(np.arange(len(pools.blocks) - 1), np.diff(pools.blocks))
    for place, position in enumerate(pools.order):
        low, high = step.range_of(position)
        forbidden, own = step.forbidden(position), pools.candidates[block[place]]
        assert ((own >= low) & (own < high)).all()
        allowed = own[~pools.refused[place]].tolist()
        assert len(set(allowed)) == len(allowed)
        assert set(allowed) == set(own.tolist()) - forbidden
        if pool >= high - low:
            assert set(allowed) == set(range(low, high)) - forbidden
        slot = pools.slots[place]
        assert (slot < 0) == (not allowed)
        assert nodes[position] not in forbidden
        assert low <= nodes[position] < high
        if slot >= 0:
            assert own[slot] == nodes[position]


@pytest.mark.parametrize("decoder", DECODERS)
@pytest.mark.parametrize(("pool", "shared"), [(3, 4), (50, 7)])
def test_loss_and_gradients_are_those_of_plain_loops(decoder, pool, shared):
    step, sampler = Step(small_graph(1), decoder), SelfAdversarialSampler(pool, temperature=0.7, shared=shared)
    pools, _ = step.draw(pool, shared)
    block = np.repeat(np.arange(len(pools.blocks) - 1), np.diff(pools.blocks))
    keys, total, positives, taken = step.decoder.keys(step.nodes), torch.zeros((), dtype=torch.float64), [], []
    for place, position in enumerate(pools.order):
        edges, edge, end = step.graph.edges, step.index[position], step.replaced[position]
        anchor, replaced = (edges.tails, edges.heads) if end == 0 else (edges.heads, edges.tails)
        relation = torch.tensor([edges.relations[edge]])
        query = step.decoder.query("head" if end == 0 else "tail", step.nodes[anchor[edge]][None], relation)[0]
        own = pools.candidates[block[place]]
        logits = keys[own[~pools.refused[place]]] @ query
        positive = query @ keys[replaced[edge]]
        weights = (0.7 * logits.detach()).softmax(dim=0)
        total = total + functional.softplus(-positive) + (weights * functional.softplus(logits)).sum()
        positives.append(positive)
        if len(logits):
            taken.append(query @ keys[own[pools.slots[place]]])
    expected = total / (2 * len(pools.order))
    found, found_positive, found_taken = pool_loss(pools, step.decoder, step.nodes, sampler.weigh)
    torch.testing.assert_close(found, expected)
    torch.testing.assert_close(found_positive, torch.stack(positives))
    torch.testing.assert_close(found_taken, torch.stack(taken))
    learnt = [step.nodes, *step.decoder.parameters()]
    want = torch.autograd.grad(expected, learnt, allow_unused=True)
    got = torch.autograd.grad(3 * found, learnt, allow_unused=True)
    for one, other in zip(got, want, strict=True):
        assert (one is None) == (other is None)
        if one is not None and other is not None:
            torch.testing.assert_close(one, 3 * other)


def test_float32_is_near_float64():
    single, double = Step(small_graph(1), dtype=torch.float32), Step(small_graph(1))
    with torch.no_grad():
        double.nodes.copy_(single.nodes)
        double.decoder.relation.copy_(single.decoder.relation)
    weigh = SelfAdversarialSampler(40).weigh
    losses = [pool_loss(step.draw(40, 16)[0], step.decoder, step.nodes, weigh)[0] for step in (single, double)]
    gradients = [torch.autograd.grad(loss, s.nodes)[0] for loss, s in zip(losses, (single, double), strict=True)]
    assert abs(losses[0].double() - losses[1]) < 1e-5 * losses[1]
    assert (gradients[0].double() - gradients[1]).norm() < 1e-5 * gradients[1].norm()


def test_a_pool_refused_whole_teaches_nothing_and_its_positive_is_learnt_all_the_same():
    step = Step(small_graph(1))
    pools, _ = step.draw(4, 8)
    pools.refused[0], pools.slots[0] = True, -1
    loss, positive, taken = pool_loss(pools, step.decoder, step.nodes, SelfAdversarialSampler(4).weigh)
    assert torch.isfinite(loss)
    assert (len(positive), len(taken)) == (len(step.index), len(step.index) - 1)
    assert torch.isfinite(torch.autograd.grad(loss, step.nodes)[0]).all()


def test_a_temperature_of_nothing_weighs_all_that_are_not_refused_alike():
    logits = torch.tensor([[1.0, -torch.inf, 5.0], [-torch.inf, -torch.inf, -torch.inf]])
    weights = SelfAdversarialSampler(3, temperature=0.0).weigh(logits)
    assert weights.tolist() == [[0.5, 0.0, 0.5], [0.0, 0.0, 0.0]]


def test_the_same_seed_draws_the_same_pools_and_another_seed_others():
    step = Step(small_graph(1))
    one, two = step.draw(3, 4)[0], step.draw(3, 4)[0]
    assert np.array_equal(one.candidates, two.candidates)
    assert np.array_equal(one.refused, two.refused)
    step.seed += 1
    assert not np.array_equal(one.candidates, step.draw(3, 4)[0].candidates)


def test_where_states_lie_on_a_device_the_same_pools_are_learnt_from():
    step, sampler = Step(small_graph(1)), SelfAdversarialSampler(6, shared=8)
    device = DeviceCorruptor(step.corruptor, torch.device("cpu"))
    found = [
        corruptor.sample(index, sampler, step.decoder, step.nodes, torch.zeros(len(step.index)), 0, step.seed)
        for corruptor, index in ((step.corruptor, step.index), (device, torch.from_numpy(step.index)))
    ]
    host, drawn = (negatives.pools for negatives in found)
    assert host is not None
    assert drawn is not None
    assert np.array_equal(host.candidates, drawn.candidates)
    assert np.array_equal(host.refused, drawn.refused)
    assert np.array_equal(found[0].edges.heads, found[1].edges.heads.numpy())
    assert found[0].refused == int(host.refused.sum()) == found[1].refused
