from __future__ import annotations

import numpy as np
import pytest

from metapath2vec import dot, metapath2vec, metapaths
from relwise.data.edges import Edges
from relwise.data.graph import Graph, NodeType, Relation
from relwise.data.split import Split, split_graph
from relwise.evaluate.metrics import roc_auc
from relwise.nn.messages import message_ends

pytest.importorskip("torch_geometric")
AUTHORS, PAPERS, VENUES, FIELDS = 40, 120, 8, 4


@pytest.fixture(scope="module")
def graph() -> Graph:
    """Authors write papers, venues publish them, nearly all within one field; a venue has no other tie."""
    rng = np.random.default_rng(0)
    sizes = {"author": AUTHORS, "paper": PAPERS, "venue": VENUES}
    types = tuple(NodeType(name, [f"{name}{i}" for i in range(size)]) for name, size in sizes.items())
    paper = np.arange(PAPERS)
    writes = np.stack([(paper % FIELDS + FIELDS * rng.integers(0, AUTHORS // FIELDS, (3, PAPERS))), [paper] * 3])
    publishes = np.stack([paper % FIELDS + FIELDS * rng.integers(0, VENUES // FIELDS, PAPERS), paper])
    heads = np.concatenate([writes[0].ravel(), publishes[0] + AUTHORS + PAPERS])
    tails = np.concatenate([writes[1].ravel(), publishes[1]]) + AUTHORS
    relations = np.repeat([0, 1], [3 * PAPERS, PAPERS])
    named = (Relation("writes", "author", "paper"), Relation("publishes", "venue", "paper"))
    return Graph(types, named, Edges(heads, relations, tails))


@pytest.fixture(scope="module")
def split(graph: Graph) -> Split:
    return split_graph(graph, 0)


def test_metapaths_are_the_schemas_cycles_each_once(graph: Graph) -> None:
    ends = message_ends(graph)  # writes, publishes, written by, published by
    found = list(metapaths(ends))
    assert found == [(0, 2), (1, 3), (0, 3, 1, 2)]
    assert list(metapaths([(0, 0)])) == [(0,)]
    assert list(metapaths([(0, 1)])) == []


def test_no_metapath_is_another_turned_or_repeated() -> None:
    ends = [(0, 0), (0, 1), (1, 0), (1, 1)]
    found = list(metapaths(ends))
    every = [turn for path in found for turn in {path[i:] + path[:i] for i in range(len(path))}]
    assert len(every) == len(set(every))

    def closed(path: tuple[int, ...]) -> bool:
        return all(ends[a][1] == ends[b][0] for a, b in zip(path, (*path[1:], path[0]), strict=True))

    def primitive(path: tuple[int, ...]) -> bool:
        return all(path[:k] * (len(path) // k) != path for k in range(1, len(path)) if len(path) % k == 0)

    wanted = {p for n in range(1, 5) for p in map(tuple, np.ndindex(*[4] * n)) if closed(p) and primitive(p)}
    assert set(every) == wanted


def test_held_out_ties_score_above_others(graph: Graph, split: Split) -> None:
    nodes = metapath2vec(graph, split, 16, epochs=20, seed=0, walk=12, context=4)
    assert nodes.shape == (AUTHORS + PAPERS + VENUES, 16)
    ties = split.filter
    rng = np.random.default_rng(1)
    low, high = graph.tail_ranges[ties.relations].T
    others = Edges(ties.heads, ties.relations, rng.integers(low, high))
    others = others[~np.isin(graph.keys(others), graph.keys(ties))]
    labels = np.repeat([True, False], [len(ties), len(others)])
    assert roc_auc(labels, np.concatenate([dot(nodes, ties), dot(nodes, others)])) > 0.8
    assert roc_auc(split.test.labels, dot(nodes, split.test.edges)) > 0.7


def test_the_seed_draws_everything_and_time_ends_it(graph: Graph, split: Split) -> None:
    one, two, other = (metapath2vec(graph, split, 4, epochs=1, seed=s, walk=4, context=3) for s in (0, 0, 1))
    assert np.array_equal(one, two)
    assert not np.array_equal(one, other)
    assert np.abs(metapath2vec(graph, split, 4, seconds=0)).max() < 3  # as it was drawn
    with pytest.raises(ValueError, match="neither epochs nor seconds"):
        metapath2vec(graph, split)
