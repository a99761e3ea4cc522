import itertools

import numba
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from relwise.kernels.mixing import mix
from relwise.kernels.own_pool import choose_own
from relwise.kernels.pool import Corruptible, arrange, choose_shared, draw_ends, propose
from relwise.kernels.sieve import sieve_of_rows
from relwise.negatives import ASASampler, HardestSampler, RandomSampler


@given(st.integers(0, 2**64 - 1))
@settings(max_examples=60, deadline=None)
def test_mix_is_the_published_finaliser(value):
    x = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9 % 2**64
    x = (x ^ (x >> 27)) * 0x94D049BB133111EB % 2**64
    assert int(mix(np.uint64(value))) == x ^ (x >> 31)


# -- proposing -------------------------------------------------------------------------------------------


class Task:
    """Anchors to corrupt in a graph of 60 nodes: relation 0 directed, relation 1 not."""

    nodes, directed, sieved = 60, np.array([True, False]), False

    def __init__(self, count, known=(), low=10, high=50, seed=0):
        rng = np.random.default_rng(seed)
        self.low, self.high = low, high
        self.anchor = rng.integers(0, self.nodes, count).astype(np.int32)
        self.relation = rng.integers(0, 2, count).astype(np.int32)
        self.replace_head = rng.random(count) < 0.5
        self.known = {self.key(*edge) for edge in known}

    def key(self, head, relation, tail):
        if not self.directed[relation] and head > tail:
            head, tail = tail, head
        return int((relation * self.nodes + head) * self.nodes + tail)

    def edge(self, i, node):
        ends = (node, self.anchor[i]) if self.replace_head[i] else (self.anchor[i], node)
        return ends[0], self.relation[i], ends[1]

    def refuses(self, i, node):
        return node == self.anchor[i] or self.key(*self.edge(i, node)) in self.known

    def arguments(self, seed):
        rows = [
            [n for n in range(self.nodes) if n != anchor and self.key(*self.edge(i, n)) in self.known]
            for i, anchor in enumerate(self.anchor)
        ]
        count, end = len(self.anchor), self.replaced
        edges = Corruptible(
            # The end that is replaced is none of the kernel's business: a node that is not there.
            np.where(np.arange(2)[:, None] == end, np.int32(self.nodes), self.anchor),
            self.relation,
            np.broadcast_to([self.low, self.high], (2, 2, 2)).copy(),
            np.where(np.arange(2)[:, None] == end, np.arange(count), count).astype(np.int32),
            np.cumsum([0, *map(len, rows), 0]),
            np.array([n for row in rows for n in row], dtype=np.int32),
        )
        if self.sieved:
            edges = edges._replace(sieve=sieve_of_rows(edges.indptr, edges.partners))
        return np.uint64(seed), edges, np.arange(count), end

    @property
    def replaced(self):
        return np.where(self.replace_head, 0, 1)

    def arrange(self, shared):
        return arrange(self.relation, 2, np.arange(len(self.anchor)), self.replaced, shared)

    def propose(self, pool, seed=0, shared=1):
        candidates = np.full((len(self.anchor), pool), -7)
        refused, owner = np.full(len(self.anchor), -7), np.arange(len(self.anchor))
        order, blocks, _ = self.arrange(shared)
        for first, last in itertools.pairwise(blocks):
            owner[order[first:last]] = order[first]
        propose(*self.arguments(seed), owner, candidates, refused)
        return candidates, refused

    def choose(self, query, states, sampler, positive, seed=0, shared=1, factors=None):
        """What the fused pass takes for all edges, and how many refusals it counted; `factors` make the queries."""
        order, blocks, _ = self.arrange(shared)
        chosen, refused = np.full(len(self.anchor), -7), np.full(len(self.anchor), -7)
        wanted, bound = (value.numpy() for value in sampler.goals(positive, 0))
        rest = (query[order], states, wanted, bound, sampler.pool(0), chosen, refused)
        if shared == 1:
            choose_own(*self.arguments(seed), order, *rest)
        else:
            given = (rest[0], states[:0]) if factors is None else (states[:0], factors)
            choose_shared(*self.arguments(seed), order, blocks, *given, *rest[1:])
        return chosen, refused


def random_known(count, seed=0, nodes=Task.nodes):
    rng = np.random.default_rng(seed)
    return zip(rng.integers(0, nodes, count), rng.integers(0, 2, count), rng.integers(0, nodes, count), strict=True)


@given(st.integers(0, 6000), st.integers(0, 59), st.integers(1, 60), st.integers(0, 2**64 - 1))
@settings(max_examples=40, deadline=None)
def test_proposals_are_never_known_never_loops_and_stay_in_range(known, low, size, seed):
    task = Task(25, random_known(known), low, min(60, low + size))
    candidates, refused = task.propose(4, seed)
    for i, row in enumerate(candidates):
        allowed = [n for n in range(task.low, task.high) if not task.refuses(i, n)]
        assert set(row.tolist()) <= set(allowed or [-1])
    assert (refused >= 0).all()


@pytest.mark.parametrize("shared", [1, 7])
def test_one_thread_and_two_propose_and_choose_the_same(shared):
    task, before, results = Task(500, random_known(3000)), numba.get_num_threads(), []
    states = np.random.default_rng(0).normal(size=(60, 8)).astype(np.float32)
    for threads in (1, min(2, numba.config.NUMBA_NUM_THREADS)):
        numba.set_num_threads(threads)
        chosen = task.choose(states[task.anchor], states, ASASampler(6), torch.zeros(500), 3, shared)
        results.append((*task.propose(6, 3, shared), *chosen))
    numba.set_num_threads(before)
    assert all(np.array_equal(a, b) for a, b in zip(*results, strict=True))


@given(st.integers(0, 6000), st.integers(0, 2**64 - 1))
@settings(max_examples=20, deadline=None)
def test_with_a_sieve_the_same_is_proposed(known, seed):
    task = Task(100, random_known(known))
    plain = task.propose(3, seed)
    task.sieved = True
    assert all(np.array_equal(a, b) for a, b in zip(plain, task.propose(3, seed), strict=True))


def test_another_seed_proposes_others_and_the_same_seed_the_same():
    task = Task(50)
    assert np.array_equal(task.propose(5, seed=1)[0], task.propose(5, seed=1)[0])
    assert (task.propose(5, seed=1)[0] == task.propose(5, seed=2)[0]).mean() < 0.1


def test_a_smaller_pool_is_the_beginning_of_a_larger_one():
    task = Task(50, random_known(2000))
    assert np.array_equal(task.propose(3)[0], task.propose(9)[0][:, :3])


@pytest.mark.parametrize("seed", [0, 1, 2**63])
def test_proposals_are_uniform_over_the_edges_that_are_not_known(seed):
    task = Task(4000)
    task.anchor[:], task.relation[:], task.replace_head[:] = 12, 0, True
    task.known = {task.key(n, 0, 12) for n in range(30, 45)}
    candidates, refused = task.propose(5, seed)
    allowed = [n for n in range(10, 50) if not task.refuses(0, n)]
    counts = np.bincount(candidates.ravel(), minlength=60)
    assert counts.sum() == counts[allowed].sum() == 20_000
    assert stats.chisquare(counts[allowed]).pvalue > 0.001
    # 16 of 40 nodes are refused: each slot refuses 16/24 times before it takes one.
    assert refused.sum() / 20_000 == pytest.approx(16 / 24, rel=0.05)


@pytest.mark.parametrize("seed", [0, 1])
def test_neighbouring_slots_and_neighbouring_edges_are_drawn_independently(seed):
    task = Task(20_000, low=0, high=8)
    task.anchor[:] = 59
    candidates, _ = task.propose(2, seed)
    for one, other in ((candidates[:, 0], candidates[:, 1]), (candidates[:-1, 0], candidates[1:, 0])):
        assert stats.chisquare(np.bincount(one * 8 + other, minlength=64)).pvalue > 0.001


@pytest.mark.parametrize("left", [10, 27, 49])
@pytest.mark.parametrize("relation", [0, 1])
@pytest.mark.parametrize("replace_head", [True, False])
def test_the_only_candidate_that_is_not_known_is_found(left, relation, replace_head):
    task = Task(30)
    task.anchor[:], task.relation[:], task.replace_head[:] = 5, relation, replace_head
    task.known = {task.key(*task.edge(0, n)) for n in range(10, 50) if n != left}
    candidates, refused = task.propose(3)
    assert (candidates == left).all()
    assert (refused > 0).all()


def test_where_all_are_known_there_is_no_candidate():
    task = Task(30)
    task.known = {task.key(*task.edge(i, n)) for i in range(15) for n in range(10, 50)}
    candidates, _ = task.propose(3)
    closed = [all(task.refuses(i, n) for n in range(10, 50)) for i in range(30)]
    assert 15 <= sum(closed) < 30
    assert ((candidates == -1).all(axis=1) == closed).all()


def test_a_range_of_the_anchor_alone_has_no_candidate():
    task = Task(4, low=20, high=21)
    task.anchor[:] = [20, 20, 3, 50]
    assert task.propose(2)[0].tolist() == [[-1, -1], [-1, -1], [20, 20], [20, 20]]


# -- proposing and choosing in one pass ------------------------------------------------------------------


SAMPLERS = {
    "random": RandomSampler(),
    "hardest": HardestSampler(7),
    "asa": ASASampler(7, mu=0.1),
    "asa, wanting more than the positive": ASASampler(7, mu=-0.3),
    "asa, wanting less than nothing": ASASampler(7, mu=1.0),
}


@pytest.mark.parametrize("name", SAMPLERS)
@pytest.mark.parametrize("scale", [0.1, 1, 20])
@pytest.mark.parametrize("shared", [1, 2, 5, 64])
@pytest.mark.parametrize("known", [0, 3000])
def test_the_fused_pass_takes_what_proposing_scoring_and_choosing_takes(name, scale, shared, known):
    sampler, task = SAMPLERS[name], Task(203, random_known(known, shared), seed=shared)
    rng = np.random.default_rng(shared)
    states, query = scale * rng.normal(size=(60, 4)), rng.normal(size=(203, 4))
    positive = torch.from_numpy(scale * rng.normal(size=203))
    candidates, counts = task.propose(sampler.pool(0), 1, shared)
    logits = np.einsum("nd,nkd->nk", query, states[candidates])
    index = sampler.choose(positive, torch.from_numpy(logits), step=0).numpy()
    chosen, refused = task.choose(query, states, sampler, positive, 1, shared)
    assert np.array_equal(chosen, candidates[np.arange(203), index])
    assert np.array_equal(refused, counts)


@pytest.mark.parametrize("sampler", [HardestSampler(20), ASASampler(20, mu=0.2), ASASampler(23, mu=0.0)])
@pytest.mark.parametrize("shared", [1, 16])
def test_of_equal_candidates_both_take_the_first(sampler, shared):
    # Whole numbers, so that float32 sums are exact in any order, and many scores are equal.
    rng, task = np.random.default_rng(0), Task(300)
    states = rng.integers(-1, 2, (60, 3)).astype(np.float32)
    query = rng.integers(-1, 2, (300, 3)).astype(np.float32)
    positive = torch.from_numpy(rng.integers(-2, 3, 300).astype(np.float32))
    candidates, _ = task.propose(sampler.pool(0), 0, shared)
    logits = torch.from_numpy(np.einsum("nd,nkd->nk", query, states[candidates]))
    index = sampler.choose(positive, logits, step=0).numpy()
    chosen, _ = task.choose(query, states, sampler, positive, 0, shared)
    assert np.array_equal(chosen, candidates[np.arange(300), index])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("sampler", [HardestSampler(20), ASASampler(33, mu=0.2)])
def test_queries_that_are_made_on_the_way_are_the_same_to_the_bit(sampler, dtype):
    rng, task = np.random.default_rng(2), Task(300, random_known(2000))
    states, factors = rng.normal(size=(60, 24)).astype(dtype), rng.normal(size=(2, 24)).astype(dtype)
    positive = torch.from_numpy(rng.normal(size=300).astype(dtype))
    query = states[task.anchor] * factors[task.relation]
    for shared in (2, 9, 64):
        given = task.choose(query, states, sampler, positive, 3, shared)
        made = task.choose(query, states, sampler, positive, 3, shared, factors)
        assert np.array_equal(given, made)


@pytest.mark.parametrize("shared", [1, 2])
def test_the_fused_pass_has_no_choice_where_all_are_known(shared):
    task = Task(3, low=20, high=21)
    task.anchor[:] = 20
    chosen, _ = task.choose(np.ones((3, 2)), np.ones((60, 2)), ASASampler(4), torch.ones(3).double(), 0, shared)
    assert (chosen == -1).all()


# -- sharing ---------------------------------------------------------------------------------------------


@given(st.integers(0, 200), st.integers(1, 70), st.integers(1, 5), st.integers(0, 2**32 - 1))
@settings(max_examples=60, deadline=None)
def test_blocks_hold_one_relation_and_end_and_are_about_as_large_as_said(count, shared, num_relations, seed):
    rng = np.random.default_rng(seed)
    relations, replaced = rng.integers(0, num_relations, 300), rng.integers(0, 2, count)
    index = rng.integers(0, 300, count)
    order, blocks, tails = arrange(relations, num_relations, index, replaced, shared)
    assert sorted(order.tolist()) == list(range(count))
    assert blocks[0] == 0
    assert blocks[-1] == count
    kinds = [set(zip(replaced[b], relations[index[b]], strict=True)) for b in np.split(order, blocks[1:-1]) if count]
    assert all(len(kind) == 1 for kind in kinds)
    assert [end for kind in kinds for end, _ in kind] == [0] * tails + [1] * (len(blocks) - 1 - tails)
    for kind in set().union(*kinds):
        sizes = [last - first for k, first, last in zip(kinds, blocks[:-1], blocks[1:], strict=True) if k == {kind}]
        assert len(sizes) == -(-sum(sizes) // shared)
        assert max(sizes) - min(sizes) <= 1


def test_neighbours_go_to_different_blocks():
    order, blocks, _ = arrange(np.zeros(100, np.int32), 1, np.arange(100), np.zeros(100, np.int64), 10)
    for block in np.split(order, blocks[1:-1]):
        assert np.diff(np.sort(block)).min() == 10


def test_edges_of_a_block_share_what_they_do_not_refuse_and_only_that():
    task = Task(90, random_known(2000))
    order, blocks, _ = task.arrange(8)
    own, _ = task.propose(12)
    candidates, refused = task.propose(12, 0, 8)
    seed, edges, index, replaced = task.arguments(0)
    # What would be drawn if nothing were known, and no node were the anchor.
    free = edges._replace(ends=np.full((2, 90), 60, np.int32), rows=np.full((2, 90), 90, np.int32))
    drawn = np.empty((90, 12), np.int64)
    propose(seed, free, index, replaced, index, drawn, np.empty(90, np.int64))
    for block in np.split(order, blocks[1:-1]):
        assert np.array_equal(candidates[block[0]], own[block[0]])
        for i in block:
            kept = np.array([not task.refuses(i, n) for n in drawn[block[0]]])
            assert np.array_equal(candidates[i] == drawn[block[0]], kept)
            assert kept.all() == (refused[i] == 0)
    assert (candidates == own).mean() < 0.5


def test_a_shared_pool_is_uniform_for_each_edge():
    task, counts = Task(40, random_known(2000)), np.zeros((40, 60))
    for seed in range(800):
        candidates, _ = task.propose(5, seed, 10)
        for i in range(40):
            counts[i] += np.bincount(candidates[i], minlength=60)
    for i in range(40):
        allowed = [n for n in range(10, 50) if not task.refuses(i, n)]
        assert counts[i].sum() == counts[i][allowed].sum() == 4000
        assert stats.chisquare(counts[i][allowed]).pvalue > 1e-4


# -- ends ------------------------------------------------------------------------------------------------


def test_ends_are_drawn_evenly_and_only_open_ones():
    rng, index = np.random.default_rng(0), np.arange(20_000)
    open_ = rng.random((2, 20_000)) < 0.7
    open_[0] |= ~open_.any(axis=0)
    replaced = np.full(20_000, -7)
    draw_ends(np.uint64(3), index, open_, replaced)
    assert open_[replaced, index].all()
    free = open_.all(axis=0)
    assert stats.binomtest(int(replaced[free].sum()), int(free.sum())).pvalue > 0.001
    again = np.full(20_000, -7)
    draw_ends(np.uint64(4), index, open_, again)
    assert 0.45 < (again == replaced)[free].mean() < 0.55
