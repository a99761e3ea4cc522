import numba
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from relwise.kernels.hashset import build_hash_set, contains, mix
from relwise.kernels.pool import propose, propose_and_choose
from relwise.negatives import ASASampler, HardestSampler, RandomSampler

KEYS = st.integers(0, 2**63 - 1) | st.integers(0, 20) | st.integers(2**63 - 20, 2**63 - 1)


# -- the hash set ----------------------------------------------------------------------------------------


@given(st.lists(KEYS, max_size=60), st.lists(KEYS, max_size=30))
@settings(max_examples=60, deadline=None)
def test_the_hash_set_holds_what_a_python_set_holds(keys, others):
    table, expected = build_hash_set(np.array(keys, dtype=np.int64)), set(keys)
    assert all(contains(table, key) == (key in expected) for key in keys + others)
    assert sorted(table[table >= 0].tolist()) == sorted(expected)


@given(st.integers(0, 2**64 - 1))
@settings(max_examples=60, deadline=None)
def test_mix_is_the_published_finaliser(value):
    x = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9 % 2**64
    x = (x ^ (x >> 27)) * 0x94D049BB133111EB % 2**64
    assert int(mix(np.uint64(value))) == x ^ (x >> 31)


def test_regular_keys_fill_the_hash_set_at_most_by_half():
    for step in (1, 2**20, 2**40):
        keys = np.arange(50_000, dtype=np.int64) * step
        table = build_hash_set(keys)
        assert np.count_nonzero(table >= 0) == len(keys) <= len(table) / 2
        assert all(contains(table, key) for key in keys[::97])
        assert not any(contains(table, key + 1) for key in keys[::97]) or step == 1


# -- proposing -------------------------------------------------------------------------------------------


class Task:
    """Anchors to corrupt in a graph of 60 nodes: relation 0 directed, relation 1 not."""

    nodes, directed = 60, np.array([True, False])

    def __init__(self, count, known=(), low=10, high=50, seed=0):
        rng = np.random.default_rng(seed)
        self.low, self.high = np.full(count, low), np.full(count, high)
        self.anchor = rng.integers(0, self.nodes, count)
        self.relation = rng.integers(0, 2, count)
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
        table = build_hash_set(np.array(sorted(self.known), dtype=np.int64))
        return (
            np.uint64(seed), self.low, self.high, self.anchor, self.relation, self.replace_head,
            self.directed, self.nodes, table,
        )  # fmt: skip

    def propose(self, pool, seed=0):
        candidates = np.full((len(self.anchor), pool), -7)
        refused = np.full(len(self.anchor), -7)
        propose(*self.arguments(seed), candidates, refused)
        return candidates, refused


def random_known(count, seed=0, nodes=Task.nodes):
    rng = np.random.default_rng(seed)
    return zip(rng.integers(0, nodes, count), rng.integers(0, 2, count), rng.integers(0, nodes, count), strict=True)


@given(st.integers(0, 6000), st.integers(0, 59), st.integers(1, 60), st.integers(0, 2**64 - 1))
@settings(max_examples=40, deadline=None)
def test_proposals_are_never_known_never_loops_and_stay_in_range(known, low, size, seed):
    task = Task(25, random_known(known), low, min(60, low + size))
    candidates, refused = task.propose(4, seed)
    for i, row in enumerate(candidates):
        allowed = [n for n in range(task.low[i], task.high[i]) if not task.refuses(i, n)]
        assert set(row.tolist()) <= set(allowed or [-1])
    assert (refused >= 0).all()


def test_one_thread_and_two_propose_and_choose_the_same():
    task, before, results = Task(500, random_known(3000)), numba.get_num_threads(), []
    states = np.random.default_rng(0).normal(size=(60, 8)).astype(np.float32)
    for threads in (1, min(2, numba.config.NUMBA_NUM_THREADS)):
        numba.set_num_threads(threads)
        chosen, refused = np.empty(500, np.int64), np.empty(500, np.int64)
        query, wanted = states[task.anchor], np.full(500, 0.4)
        propose_and_choose(*task.arguments(3), query, states, wanted, 6, chosen, refused)
        results.append((*task.propose(6, seed=3), chosen, refused))
    numba.set_num_threads(before)
    assert all(np.array_equal(a, b) for a, b in zip(*results, strict=True))


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
@pytest.mark.parametrize("seed", [0, 1])
def test_the_fused_pass_takes_what_proposing_scoring_and_choosing_takes(name, scale, seed):
    sampler, task = SAMPLERS[name], Task(200, random_known(3000, seed), seed=seed)
    rng = np.random.default_rng(seed)
    states, query = scale * rng.normal(size=(60, 4)), rng.normal(size=(200, 4))
    positive = torch.from_numpy(scale * rng.normal(size=200))
    pool = sampler.pool(0)
    candidates, counts = task.propose(pool, seed)
    logits = np.einsum("nd,nkd->nk", query, states[candidates])
    index = sampler.choose(positive, torch.from_numpy(logits), step=0).numpy()
    chosen, refused = np.full(200, -7), np.full(200, -7)
    wanted = sampler.wanted(positive.sigmoid(), 0).numpy()
    propose_and_choose(*task.arguments(seed), query, states, wanted, pool, chosen, refused)
    assert np.array_equal(chosen, candidates[np.arange(200), index])
    assert np.array_equal(refused, counts)


@pytest.mark.parametrize("sampler", [HardestSampler(20), ASASampler(20, mu=0.2)])
def test_of_equal_candidates_both_take_the_first(sampler):
    # Whole numbers, so that float32 sums are exact in any order, and many scores are equal.
    rng, task = np.random.default_rng(0), Task(300)
    states = rng.integers(-1, 2, (60, 3)).astype(np.float32)
    query = rng.integers(-1, 2, (300, 3)).astype(np.float32)
    positive = torch.from_numpy(rng.integers(-2, 3, 300).astype(np.float32))
    candidates, _ = task.propose(20)
    logits = torch.from_numpy(np.einsum("nd,nkd->nk", query, states[candidates]))
    index = sampler.choose(positive, logits, step=0).numpy()
    chosen, refused = np.empty(300, np.int64), np.empty(300, np.int64)
    wanted = sampler.wanted(positive.double().sigmoid(), 0).numpy()
    propose_and_choose(*task.arguments(0), query, states, wanted, 20, chosen, refused)
    assert np.array_equal(chosen, candidates[np.arange(300), index])


def test_the_fused_pass_has_no_choice_where_all_are_known():
    task = Task(3, low=20, high=21)
    task.anchor[:] = 20
    chosen, refused = np.empty(3, np.int64), np.empty(3, np.int64)
    propose_and_choose(*task.arguments(0), np.ones((3, 2)), np.ones((60, 2)), np.ones(3), 4, chosen, refused)
    assert (chosen == -1).all()
