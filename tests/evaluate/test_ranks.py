"""Filtered ranks: equal to PyKEEN's and to a brute force, ties included; within the memory asked for."""

from __future__ import annotations

import tracemalloc
import weakref
from typing import Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relwise.data.edges import Edges
from relwise.data.graph import Graph, NodeType, Relation
from relwise.evaluate.ranks import End, Ranks, filtered_ranks, joint, rank_edges
from tests.fakes import small_graph

KINDS: tuple[Literal["optimistic", "realistic", "pessimistic"], ...] = (
    "optimistic",
    "realistic",
    "pessimistic",
)


def random_edges(rng: np.random.Generator, nodes: int, relations: int, count: int) -> Edges:
    heads, tails = rng.integers(0, nodes, (2, count))
    return Edges(heads, rng.integers(0, relations, count), tails)


def one_type_graph(nodes: int, directed: list[bool], edges: Edges) -> Graph:
    relations = tuple(Relation(f"r{i}", "node", "node", way) for i, way in enumerate(directed))
    return Graph((NodeType("node", [str(i) for i in range(nodes)]),), relations, edges)  # type: ignore[arg-type]


def table_block(table: np.ndarray):
    """A score_block that looks up `table[relation, head, tail]`."""

    def block(end: End, relations: np.ndarray, anchors: np.ndarray) -> np.ndarray:
        return table[relations, :, anchors] if end == "head" else table[relations, anchors]

    return block


def brute_force(positives: Edges, known: Edges, graph: Graph, table: np.ndarray, end: End) -> Ranks:
    """The definition, one candidate at a time."""
    facts = set(zip(known.heads.tolist(), known.relations.tolist(), known.tails.tolist(), strict=True))
    facts |= {(t, r, h) for h, r, t in facts if not graph.directed[r]}
    ranges = graph.head_ranges if end == "head" else graph.tail_ranges
    ranks = []
    for h, r, t in zip(positives.heads, positives.relations, positives.tails, strict=True):
        true = -np.inf if np.isnan(table[r, h, t]) else table[r, h, t]
        better = equal = 0
        for c in range(*ranges[r]):
            head, tail = (c, t) if end == "head" else (h, c)
            if (head, tail) != (h, t) and (int(head), int(r), int(tail)) in facts:
                continue
            score = -np.inf if np.isnan(table[r, head, tail]) else table[r, head, tail]
            better, equal = better + (score > true), equal + (score == true)
        ranks.append((1 + better, better + equal))
    return Ranks(*np.array(ranks, dtype=np.int64).reshape(-1, 2).T)


def assert_same(ranks: Ranks, expected: Ranks) -> None:
    np.testing.assert_array_equal(ranks.optimistic, expected.optimistic)
    np.testing.assert_array_equal(ranks.pessimistic, expected.pessimistic)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([2, 5, 10**6]), st.sampled_from([40, 200, 10**6]))
def test_ten_nodes_by_brute_force(seed: int, levels: int, memory: int) -> None:
    rng = np.random.default_rng(seed)
    known = random_edges(rng, 10, 3, 40)
    graph = one_type_graph(10, [True, False, True], known)
    table = rng.integers(0, levels, (3, 10, 10)).astype(np.float32)
    table[rng.random(table.shape) < 0.1] = rng.choice([np.nan, -np.inf, np.inf])
    positives = Edges.concatenate(known[rng.random(40) < 0.4], random_edges(rng, 10, 3, 5))
    heads, tails = rank_edges(positives, known, graph, table_block(table), memory)
    assert_same(heads, brute_force(positives, known, graph, table, "head"))
    assert_same(tails, brute_force(positives, known, graph, table, "tail"))


def test_candidates_are_the_type_s_nodes() -> None:
    graph = small_graph()
    rng = np.random.default_rng(0)
    table = rng.integers(0, 9, (graph.num_relations, graph.num_nodes, graph.num_nodes)).astype(np.float32)

    def block(end: End, relations: np.ndarray, anchors: np.ndarray) -> np.ndarray:
        ranges = np.unique((graph.head_ranges if end == "head" else graph.tail_ranges)[relations], axis=0)
        assert len(ranges) == 1, "one range in a block"
        return table_block(table)(end, relations, anchors)[:, slice(*ranges[0])]

    heads, tails = rank_edges(graph.edges, graph.edges, graph, block)
    assert_same(heads, brute_force(graph.edges, graph.edges, graph, table, "head"))
    assert_same(tails, brute_force(graph.edges, graph.edges, graph, table, "tail"))


@pytest.mark.parametrize("levels", [1, 3, 50, 10**6])
def test_equal_to_pykeen(levels: int) -> None:
    """The same ranks, MRR and hits as PyKEEN's evaluator gives for the same scores and filters."""
    torch = pytest.importorskip("torch")
    pytest.importorskip("pykeen")
    from pykeen.evaluation import RankBasedEvaluator
    from pykeen.evaluation.evaluator import create_sparse_positive_filter_, filter_scores_

    rng = np.random.default_rng(levels)
    nodes, known = 200, random_edges(rng, 200, 4, 3000)
    graph = one_type_graph(nodes, [True] * 4, known)
    table = (rng.integers(0, levels, (4, nodes, nodes)) / levels).astype(np.float32)
    positives = known[rng.permutation(3000)[:400]]
    heads, tails = rank_edges(positives, known, graph, table_block(table))

    evaluator = RankBasedEvaluator(clear_on_finalize=False)
    all_triples = torch.as_tensor(np.stack([known.heads, known.relations, known.tails], axis=1))
    batch = torch.as_tensor(np.stack([positives.heads, positives.relations, positives.tails], axis=1))
    rows = torch.arange(len(batch))
    ends: list[tuple[End, int, np.ndarray]] = [("head", 0, positives.tails), ("tail", 2, positives.heads)]
    for end, column, anchors in ends:
        raw = table_block(table)(end, positives.relations, anchors)
        scores = torch.as_tensor(raw.copy())
        true = scores[rows, batch[:, column]].clone()
        positive_filter, _ = create_sparse_positive_filter_(batch, all_triples, filter_col=column)
        scores = filter_scores_(scores, positive_filter)
        scores[rows, batch[:, column]] = true
        evaluator.process_scores_(batch, end, scores, true_scores=true[:, None])

        streamed = heads if end == "head" else tails
        for ours in (streamed, filtered_ranks(raw, *_csr(batch, positive_filter, column))):
            for kind in KINDS:
                np.testing.assert_array_equal(ours.of(kind), np.concatenate(evaluator.ranks[end, kind]))
    results, both = evaluator.finalize(), Ranks.concatenate(heads, tails)
    for kind in KINDS:
        assert both.mrr(kind) == pytest.approx(results.get_metric(f"both.{kind}.mrr"), rel=1e-6)
        for k in (1, 3, 10):
            assert both.hits(k, kind) == pytest.approx(results.get_metric(f"both.{kind}.hits@{k}"), rel=1e-12)


def _csr(batch, positive_filter, column: int):
    """PyKEEN's (row, entity) pairs as target, indptr, indices."""
    pairs = np.unique(positive_filter.numpy(), axis=0)
    return batch[:, column].numpy(), np.searchsorted(pairs[:, 0], np.arange(len(batch) + 1)), pairs[:, 1]


def test_a_constant_scorer_ranks_in_the_middle() -> None:
    ranks = filtered_ranks(np.zeros((2, 11)), [0, 5], [0, 0, 0], [])
    assert ranks.realistic.tolist() == [6.0, 6.0]
    assert ranks.hits(1, "optimistic") == 1.0
    assert ranks.hits(10, "pessimistic") == 0.0


def test_nan_ranks_last_and_never_first() -> None:
    everything = filtered_ranks(np.full((1, 5), np.nan), [2], [0, 1], [0])
    assert (everything.optimistic.tolist(), everything.pessimistic.tolist()) == ([1], [4])
    assert everything.realistic.tolist() == [2.5]
    true_alone = filtered_ranks([[0.1, np.nan, -5.0, 3.0]], [1], [0, 1], [3])
    assert (true_alone.optimistic.tolist(), true_alone.pessimistic.tolist()) == ([3], [3])
    others = filtered_ranks([[np.nan, 0.0, np.nan]], [1], [0, 2], [0, 2])
    assert (others.optimistic.tolist(), others.pessimistic.tolist()) == ([1], [1])


def test_a_column_filtered_twice_counts_once() -> None:
    ranks = filtered_ranks([[3.0, 2.0, 1.0, 0.0]], [2], [0, 4], [0, 0, 2, 2])
    assert (ranks.optimistic.tolist(), ranks.pessimistic.tolist()) == ([2], [2])


@pytest.mark.parametrize(("target", "indices"), [([4], [0]), ([-1], [0]), ([0], [4])])
def test_columns_outside_are_refused(target: list[int], indices: list[int]) -> None:
    with pytest.raises(ValueError, match="outside"):
        filtered_ranks(np.zeros((1, 4)), target, [0, 1], indices)


def test_tensors_are_taken() -> None:
    torch = pytest.importorskip("torch")
    ranks = filtered_ranks(torch.tensor([[1.0, 2.0]], requires_grad=True), [0], [0, 0], [])
    assert ranks.optimistic.tolist() == [2]


def test_joint_and_no_ranks() -> None:
    heads, tails = Ranks(np.array([3, 1]), np.array([4, 1])), Ranks(np.array([1, 1]), np.array([2, 5]))
    once = joint(heads, tails)
    assert once.optimistic.tolist() == [3, 1]
    assert once.pessimistic.tolist() == [5, 5]
    assert np.isnan(Ranks.concatenate().mrr())
    assert np.isnan(Ranks.concatenate().hits(1))
    graph = one_type_graph(3, [True], Edges.empty())
    ranks = rank_edges(Edges.empty(), Edges.empty(), graph, table_block(np.zeros((1, 3, 3), np.float32)))
    assert [len(r) for r in ranks] == [0, 0]


def test_each_query_is_scored_once_and_within_memory() -> None:
    rng = np.random.default_rng(1)
    nodes, memory = 3000, 1 << 20
    known = random_edges(rng, nodes, 5, 4000)
    graph = one_type_graph(nodes, [True, False, True, True, False], known)
    seen: list[tuple[str, int, int]] = []
    last: list[weakref.ref] = []

    def block(end: End, relations: np.ndarray, anchors: np.ndarray) -> np.ndarray:
        assert all(ref() is None for ref in last), "the block before is let go of first"
        scores = np.ones((len(anchors), nodes), np.float32)
        assert scores.nbytes <= memory
        seen.extend((end, int(r), int(a)) for r, a in zip(relations, anchors, strict=True))
        last[:] = [weakref.ref(scores)]
        return scores

    rank_edges(known[np.arange(5)], known, graph, block, memory)  # compiles
    seen.clear()
    tracemalloc.start()
    rank_edges(known, known, graph, block, memory)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(seen) == len(set(seen))
    queries = {("head", r, t) for r, t in zip(known.relations, known.tails, strict=True)}
    queries |= {("tail", r, h) for r, h in zip(known.relations, known.heads, strict=True)}
    assert set(seen) == queries
    assert peak < memory + 4000 * 1000  # the block, and a few numbers and set entries per edge


def test_scores_blind_to_relations_are_asked_for_once_per_anchor() -> None:
    rng = np.random.default_rng(2)
    known = random_edges(rng, 30, 4, 200)
    graph = one_type_graph(30, [True, False, True, True], known)
    table = np.broadcast_to(rng.integers(0, 5, (30, 30)).astype(np.float32), (4, 30, 30))
    asked: list[tuple[str, int]] = []

    def block(end: End, relations: np.ndarray, anchors: np.ndarray) -> np.ndarray:
        asked.extend((end, int(a)) for a in anchors)
        return table_block(table)(end, relations, anchors)

    blind = rank_edges(known, known, graph, block, memory=30 * 4 * 7, by_relation=False)
    assert len(asked) == len(set(asked))
    for ranks, expected in zip(blind, rank_edges(known, known, graph, table_block(table)), strict=True):
        assert_same(ranks, expected)


def test_what_is_wrong_is_said() -> None:
    graph = small_graph()
    with pytest.raises(ValueError, match="score_block gave"):
        rank_edges(graph.edges, graph.edges, graph, lambda end, relations, anchors: np.zeros((len(anchors), 3)))
    wrong = Edges(np.array([0]), np.array([0]), np.array([1]))  # a person as the company one works at
    with pytest.raises(ValueError, match="tail is not of the type"):
        rank_edges(wrong, graph.edges, graph, lambda end, relations, anchors: np.zeros((len(anchors), 28)))
