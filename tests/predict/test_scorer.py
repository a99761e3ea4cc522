"""Ranks by the vectors that scores are products of: those that blocks of the same scores give."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from relwise.data.edges import Edges
from relwise.data.graph import Graph, NodeType, Relation
from relwise.evaluate.ranks import End, Products, rank_edges
from relwise.nn.decoders import DistMult
from relwise.predict.scorer import Scorer
from tests.fakes import small_graph


def whole_numbered(graph: Graph, dim: int = 6) -> Scorer:
    """States of small whole numbers: products are exact, so that both ways to them give the same ties."""
    torch.manual_seed(0)
    decoder = DistMult(graph.num_relations, dim)
    decoder.relation.data = torch.randint(-2, 3, decoder.relation.shape).float()
    return Scorer(graph, decoder, torch.randint(-2, 3, (graph.num_nodes, dim)).float())


def dense_graph() -> Graph:
    """Two types, four relations of which one is undirected; edges repeated, reversed, and loops."""
    rng = np.random.default_rng(0)
    types = tuple(NodeType(name, [str(i) for i in range(n)]) for name, n in (("a", 90), ("b", 70)))  # type: ignore[arg-type]
    relations = (
        Relation("r", "a", "b"),
        Relation("s", "b", "a"),
        Relation("t", "a", "a", False),
        Relation("u", "b", "b"),
    )
    low, size = {"a": 0, "b": 90}, {"a": 90, "b": 70}
    parts = [
        Edges(
            low[r.head] + rng.integers(0, size[r.head], 400),
            np.full(400, i),
            low[r.tail] + rng.integers(0, size[r.tail], 400),
        )
        for i, r in enumerate(relations)
    ]
    return Graph(types, relations, Edges.concatenate(*parts))


@pytest.mark.parametrize("make", [small_graph, dense_graph])
@pytest.mark.parametrize("memory", [1, 48 * 7, 1 << 28])
def test_products_rank_as_blocks_do(make, memory: int) -> None:
    graph = make()
    scorer, rng = whole_numbered(graph), np.random.default_rng(1)
    positives = Edges.concatenate(graph.edges[rng.random(len(graph.edges)) < 0.3], graph.edges[np.arange(3)])
    known = graph.edges[rng.random(len(graph.edges)) < 0.7]  # some of what is ranked is not known
    block = scorer.block
    assert isinstance(block, Products)
    expected = rank_edges(positives, known, graph, lambda *arguments: block(*arguments))
    for ranks, plain in zip(rank_edges(positives, known, graph, block, memory), expected, strict=True):
        np.testing.assert_array_equal(ranks.optimistic, plain.optimistic)
        np.testing.assert_array_equal(ranks.pessimistic, plain.pessimistic)
    assert any((ranks.optimistic < ranks.pessimistic).any() for ranks in expected), "there are ties to tell"


def test_no_more_queries_at_a_time_than_memory_holds() -> None:
    graph = dense_graph()
    block, asked = whole_numbered(graph).block, []

    class Watched:
        def __call__(self, end: End, relations: np.ndarray, anchors: np.ndarray):
            raise AssertionError("no block of scores is made")

        def queries(self, end: End, relations: np.ndarray, anchors: np.ndarray) -> torch.Tensor:
            queries = block.queries(end, relations, anchors)
            asked.append(queries.nbytes)
            return queries

        def candidates(self, low: int, high: int) -> torch.Tensor:
            return block.candidates(low, high)

    rank_edges(graph.edges, graph.edges, graph, Watched(), memory=2400)
    assert len(asked) > 10
    assert max(asked) <= 2400 // 2  # as much again for their copy in tiles


def test_a_block_is_of_the_logits() -> None:
    graph = small_graph()
    scorer, edges = whole_numbered(graph), graph.edges
    logits = scorer.logits(edges)
    for end, ranges, anchors, targets in (
        ("head", graph.head_ranges, edges.tails, edges.heads),
        ("tail", graph.tail_ranges, edges.heads, edges.tails),
    ):
        for i in range(len(edges)):
            block = scorer.block(end, edges.relations[i : i + 1], anchors[i : i + 1])  # type: ignore[arg-type]
            low, high = ranges[edges.relations[i]]
            assert block.shape == (1, high - low)
            assert block[0, targets[i] - low] == logits[i]


def test_nan_states_rank_last() -> None:
    graph = dense_graph()
    scorer = whole_numbered(graph)
    edge = graph.edges[np.arange(1)]
    scorer.nodes[edge.tails[0]] = float("nan")
    _, tails = rank_edges(edge, Edges.empty(), graph, scorer.block)
    assert tails.pessimistic.tolist() == [70]
    assert tails.optimistic.tolist() == [70], "every other tail scores something"


def test_candidates_of_another_number_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    graph = dense_graph()
    block = whole_numbered(graph).block
    monkeypatch.setattr(type(block), "candidates", lambda self, low, high: self.scorer.nodes)
    with pytest.raises(ValueError, match="candidates gave 160, not 90"):
        rank_edges(graph.edges, graph.edges, graph, block)
