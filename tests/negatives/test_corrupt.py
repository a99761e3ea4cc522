import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from relwise.data.edges import Edges
from relwise.data.graph import TRAIN, Graph
from relwise.data.split import split_graph
from relwise.negatives import ASASampler, Corruptor, HardestSampler, KnownEdges, RandomSampler
from relwise.nn.decoders import DistMult
from tests.fakes import small_graph
from tests.negatives.test_filters import ALL, RANGE, RELATIONS, edges_of, graph_of, known_edges, stated

SAMPLERS = [RandomSampler(), HardestSampler(8), ASASampler(8), ASASampler(8, shared=4), HardestSampler(5, shared=100)]


def sample(corruptor, index, sampler=SAMPLERS[0], seed=0):
    torch.manual_seed(0)
    decoder, nodes = DistMult(corruptor.graph.num_relations, 4), torch.randn(corruptor.graph.num_nodes, 4)
    return corruptor.sample(index, sampler, decoder, nodes, torch.randn(len(index)), step=0, seed=seed)


def rows(edges):
    return list(zip(edges.heads.tolist(), edges.relations.tolist(), edges.tails.tolist(), strict=True))


@given(known_edges(), st.sampled_from(SAMPLERS), st.integers(0, 2**63 - 1))
@settings(max_examples=60, deadline=None)
def test_a_negative_is_unknown_within_its_types_and_keeps_one_end_and_the_relation(known, sampler, seed):
    edges = edges_of(known)
    corruptor = Corruptor(graph_of(known), edges, KnownEdges(graph_of(known), edges))
    index = np.flatnonzero(corruptor.corruptible)
    negatives = sample(corruptor, index, sampler, seed)
    assert len(negatives.edges) == len(index)
    for (h, r, t), (head, relation, tail) in zip(rows(edges[index]), rows(negatives.edges), strict=True):
        assert relation == r
        assert (head == h) != (tail == t)
        assert head in RANGE[RELATIONS[r].head]
        assert tail in RANGE[RELATIONS[r].tail]
        assert head != tail
        assert not stated(set(known), head, relation, tail)
    assert negatives.refused >= 0
    assert negatives.proposed - negatives.refused == len(index) * sampler.pool(0)


@given(known_edges())
@settings(max_examples=40, deadline=None)
def test_edges_without_any_negative_are_told(known):
    edges, graph = edges_of(known), graph_of(known)
    corruptor = Corruptor(graph, edges, KnownEdges(graph, edges))
    for (h, r, t), corruptible in zip(rows(edges), corruptor.corruptible, strict=True):
        others = [(n, r, t) for n in RANGE[RELATIONS[r].head] if n != t]
        others += [(h, r, n) for n in RANGE[RELATIONS[r].tail] if n != h]
        assert corruptible == any(not stated(set(known), *other) for other in others)


def test_where_everything_is_known_nothing_is_corruptible():
    graph = graph_of(ALL)
    corruptor = Corruptor(graph, graph.edges, KnownEdges(graph, graph.edges))
    assert not corruptor.corruptible.any()
    assert len(sample(corruptor, np.flatnonzero(corruptor.corruptible)).edges) == 0


def test_only_the_end_that_leaves_an_unknown_edge_is_replaced():
    # Every other node already stands before b; only b's side is open, for a.
    graph = Graph.from_triples([("a", "to", "b"), ("c", "to", "b"), ("d", "to", "b")])
    corruptor = Corruptor(graph, graph.edges, KnownEdges(graph, graph.edges))
    for seed in range(20):
        assert corruptor.replaced(np.arange(3), seed).tolist() == [1, 1, 1]


def test_both_ends_are_replaced_about_evenly():
    graph = small_graph(0)
    corruptor = Corruptor(graph, graph.edges, KnownEdges(graph, graph.edges))
    index = np.flatnonzero(corruptor.open.all(axis=0))
    shares = [corruptor.replaced(index, seed).mean() for seed in range(30)]
    assert np.mean(shares) == pytest.approx(0.5, abs=0.03)
    assert len(set(shares)) > 5


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_train_edges_are_refused_and_valid_and_test_edges_are_not(sampler):
    graph = small_graph(0)
    split = split_graph(graph)
    corruptor = Corruptor(graph, split.message, KnownEdges(graph, split.message))
    train = set(graph.keys(split.message).tolist())
    hidden = set(graph.keys(split.valid.positives).tolist()) | set(graph.keys(split.test.positives).tolist())
    assert not hidden & train
    assert TRAIN == 0
    index, seen = np.flatnonzero(corruptor.corruptible), set()
    for seed in range(60):
        seen |= set(graph.keys(sample(corruptor, index, sampler, seed).edges).tolist())
    assert not seen & train
    assert len(seen & hidden) > 5


def test_an_undirected_relation_refuses_what_is_known_the_other_way_round():
    # d-a is the one pair not known; all others stand in one orientation only.
    rows_ = [
        ("a", "with", "b"),
        ("a", "with", "c"),
        ("c", "with", "b"),
        ("d", "with", "b"),
        ("d", "with", "c"),
    ]
    graph = Graph.from_triples(rows_, directed=False)
    corruptor = Corruptor(graph, graph.edges, KnownEdges(graph, graph.edges))
    index = np.flatnonzero(corruptor.corruptible)
    for seed in range(20):
        for head, _, tail in rows(sample(corruptor, index, SAMPLERS[seed % 5], seed).edges):
            assert {graph.node_id(head), graph.node_id(tail)} == {"a", "d"}


def test_a_directed_relation_may_propose_the_reverse_of_a_known_edge():
    graph = Graph.from_triples([("a", "to", "b"), ("a", "to", "c"), ("b", "to", "c")])
    corruptor = Corruptor(graph, graph.edges, KnownEdges(graph, graph.edges))
    index = np.flatnonzero(corruptor.corruptible)
    seen = {edge for seed in range(20) for edge in rows(sample(corruptor, index, seed=seed).edges)}
    assert (graph.node_index("node", ["c"])[0], 0, graph.node_index("node", ["b"])[0]) in seen


def test_proposals_for_some_edges_are_in_the_order_asked_for():
    graph = small_graph(0)
    corruptor = Corruptor(graph, graph.edges, KnownEdges(graph, graph.edges))
    index = np.array([250, 3, 3, 120])
    pool = corruptor.propose(index, np.array([0, 1, 0, 1]), 6, seed=1)
    assert pool.shape == (4, 6)
    for row, i, head in zip(pool, index, (True, False, True, False), strict=True):
        edge = graph.edges[np.array([i])]
        low, high = (graph.head_ranges if head else graph.tail_ranges)[edge.relations[0]]
        assert ((row >= low) & (row < high)).all()


def test_no_edges_have_no_negatives():
    graph = small_graph(0)
    corruptor = Corruptor(graph, Edges.empty(), KnownEdges(graph, graph.edges))
    assert corruptor.corruptible.shape == (0,)
    for sampler in SAMPLERS:
        negatives = sample(corruptor, np.empty(0, np.int64), sampler)
        assert len(negatives.edges) == negatives.proposed == negatives.refused == 0


@pytest.mark.parametrize("sampler", [ASASampler(12, shared=4), HardestSampler(5, shared=100)])
def test_who_makes_the_queries_makes_no_difference(sampler):
    class Hidden(DistMult):
        def factors(self):
            return None

    graph = small_graph(2)
    corruptor = Corruptor(graph, graph.edges, KnownEdges(graph, graph.edges))
    index = np.flatnonzero(corruptor.corruptible)
    nodes, logits = torch.randn(graph.num_nodes, 6), torch.randn(len(index))
    one, other = DistMult(graph.num_relations, 6), Hidden(graph.num_relations, 6)
    other.load_state_dict(one.state_dict())
    found = [corruptor.sample(index, sampler, decoder, nodes, logits, step=0, seed=4) for decoder in (one, other)]
    assert rows(found[0].edges) == rows(found[1].edges)
    assert (found[0].proposed, found[0].refused) == (found[1].proposed, found[1].refused)
