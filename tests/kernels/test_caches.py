"""NSCaching's caches against a dense float64 implementation in NumPy that is given the same draws."""

import numpy as np
import pytest
from scipy import stats

from relwise.data.graph import Graph
from relwise.kernels import caches as kernel
from relwise.kernels.pool import DRAWS, draw
from relwise.negatives import Corruptor, KnownEdges


def small_corruptor(directed):
    rows = [
        (f"n{i}", relation, f"n{(i * step + 1) % 10}") for relation, step in (("to", 3), ("of", 7)) for i in range(10)
    ]
    graph = Graph.from_triples([row for row in rows if row[0] != row[2]], directed=directed)
    return Corruptor(graph, graph.edges, KnownEdges(graph, graph.edges))


def sub_seed(seed, kind):
    return np.uint64(kernel.sub_seed(np.uint64(seed), kind))


class Dense:
    """Caches as dictionaries, scores as one tensor of all edges, refusals by asking for the edge."""

    def __init__(self, corruptor, scores, size):
        self.corruptor, self.scores, self.size, self.caches = corruptor, scores, size, {}

    def allowed(self, edge, end):
        graph, edges = self.corruptor.graph, self.corruptor.edges
        head, relation, tail = (int(a[edge]) for a in (edges.heads, edges.relations, edges.tails))
        placed = [(n, tail) if end == 0 else (head, n) for n in range(graph.num_nodes)]
        return [h != t and not self.corruptor.known.contains(h, relation, t) for h, t in placed]

    def draws(self, seed, row, edge, end, count):
        allowed, nodes = self.allowed(edge, end), []
        for slot in range(count):
            tries = (int(draw(seed, row, slot * DRAWS + a, 0, 10)) for a in range(DRAWS))
            nodes.append(next(node for node in tries if allowed[node]))
        return nodes

    def step(self, seed, index, replaced):
        """The nodes taken, after which all caches of the step's edges are refreshed."""
        table, edges = self.corruptor.table, self.corruptor.edges
        first = {}
        for end in (0, 1):
            for edge in index:
                if self.corruptor.open[end, edge]:
                    first.setdefault(int(table.rows[end, edge]), (int(edge), end))
        for row, (edge, end) in first.items():
            if row not in self.caches:
                self.caches[row] = self.draws(sub_seed(seed, kernel.FILL), row, edge, end, self.size)
        take = sub_seed(seed, kernel.TAKE)
        rows = [int(table.rows[end, edge]) for edge, end in zip(index, replaced, strict=True)]
        chosen = [self.caches[row][int(draw(take, i, 0, 0, self.size))] for i, row in enumerate(rows)]
        keep = sub_seed(seed, kernel.KEEP)
        for row, (edge, end) in first.items():
            new = self.draws(sub_seed(seed, kernel.REFRESH), row, edge, end, self.size)
            joined = np.array(self.caches[row] + new)
            anchor = (edges.tails if end == 0 else edges.heads)[edge]
            uniform = np.array([kernel.uniform(keep, row, slot) for slot in range(len(joined))])
            keys = self.scores[edges.relations[edge], anchor, joined] - np.log(-np.log(uniform))
            self.caches[row] = joined[np.sort(np.argsort(-keys, kind="stable")[: self.size])].tolist()
        return chosen


@pytest.mark.parametrize("directed", [True, False])
@pytest.mark.parametrize("size", [1, 3, 8])
def test_caches_are_those_of_a_dense_implementation(directed, size):
    corruptor, rng = small_corruptor(directed), np.random.default_rng(size)
    table, edges = corruptor.table, corruptor.edges
    states, weights = rng.normal(size=(10, 6)), rng.normal(size=(2, 6))
    dense = Dense(corruptor, np.einsum("nd,rd,md->rnm", states, weights, states), size)
    cache = np.full((len(table.indptr) - 2, size), -1, np.int32)
    for step in range(6):
        seed, index = np.uint64(step), rng.choice(len(edges), 12, replace=False)
        replaced, seen = corruptor.replaced(index, step), np.zeros(len(cache), bool)
        expected, chosen = dense.step(seed, index, replaced), np.empty(12, np.int64)
        which = [kernel.distinct_rows(table, index, corruptor.open, end, seen) for end in (0, 1)]
        for end in (0, 1):
            kernel.fill(seed, table, which[end], end, cache, np.empty(len(which[end]), np.int64))
        kernel.take(seed, table, index, replaced, cache, chosen)
        for end in (0, 1):
            anchor = (edges.tails if end == 0 else edges.heads)[which[end]]
            query, refused = states[anchor] * weights[edges.relations[which[end]]], np.empty(len(which[end]), np.int64)
            kernel.refresh(seed, table, which[end], end, query, states, size, cache, refused)
            assert (refused >= 0).all()
        assert chosen.tolist() == expected
        assert {row: nodes for row, nodes in enumerate(cache.tolist()) if nodes[0] >= 0} == dense.caches
    assert len(dense.caches) > 10


def test_what_stays_is_drawn_in_proportion_to_the_exponential_of_the_score():
    # One row, no edge known: of two kept nodes and one new one, one stays; e^score is 1, 2 and 4.
    graph = Graph.from_triples([("a", "to", "b")])
    corruptor = Corruptor(graph, graph.edges, KnownEdges(graph, graph.edges))
    counts = np.zeros(3)
    query, states = np.ones((1, 1)), np.log([[1.0], [2.0], [4.0]])
    row = np.array([[0, 1, 2]], np.int32)
    for seed in range(4000):
        uniform = np.array([kernel.uniform(sub_seed(seed, kernel.KEEP), 0, slot) for slot in range(3)])
        counts[row[0, np.argmax(states[:, 0] * query[0] - np.log(-np.log(uniform)))]] += 1
    assert corruptor.corruptible.tolist() == [False]
    assert stats.chisquare(counts, 4000 * np.array([1, 2, 4]) / 7).pvalue > 0.001


def test_of_equal_keys_the_first_stay():
    keep = kernel._keep_highest
    for keys, size, expected in (
        ([1.0, 1, 1, 1], 2, [0, 1]),
        ([1.0, 2, 1, 2, 1], 3, [0, 1, 3]),
        ([3.0, 1, 2], 3, [0, 1, 2]),
        ([0.0, 5, 4], 1, [1]),
    ):
        out = np.empty(size, np.int32)
        keep(np.arange(len(keys), dtype=np.int32), np.array(keys), out)
        assert out.tolist() == expected
