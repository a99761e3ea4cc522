"""The plain baselines: equal to NetworkX and to their formulas in dense matrices, by rows and by pairs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import networkx as nx
import numpy as np
import pytest

from relwise.data.edges import Edges
from relwise.data.read import read
from relwise.data.split import split_graph
from relwise.evaluate.baselines import Baseline, plain_baselines
from relwise.evaluate.baselines.adamic_adar import AdamicAdar
from relwise.evaluate.baselines.adjacency import Adjacency
from relwise.evaluate.baselines.degree_product import DegreeProduct
from relwise.evaluate.baselines.path3 import Path3
from relwise.evaluate.metrics import binary_measures

NODES = 40  # the last five are in no edge


@pytest.fixture
def message() -> Edges:
    """Edges of three relations with self-loops, repetitions, both orientations, a hub and a pendant."""
    rng = np.random.default_rng(0)
    heads, tails = rng.integers(0, 34, 120), rng.integers(0, 34, 120)
    heads, tails = (
        np.concatenate([heads, np.zeros(30, int), [3]]),
        np.concatenate([tails, np.arange(30), [34]]),
    )
    heads, tails = np.concatenate([heads, tails[:20]]), np.concatenate([tails, heads[:20]])
    return Edges(heads, rng.integers(0, 3, len(heads)), tails)


def dense(message: Edges) -> np.ndarray:
    matrix = np.zeros((NODES, NODES))
    matrix[message.heads, message.tails] = matrix[message.tails, message.heads] = 1
    np.fill_diagonal(matrix, 0)
    return matrix


def without_diagonal(matrix: np.ndarray) -> np.ndarray:
    matrix = matrix.copy()
    np.fill_diagonal(matrix, 0)
    return matrix


def test_adjacency(message: Edges) -> None:
    adjacency, matrix = Adjacency.of(message, NODES), dense(message)
    np.testing.assert_array_equal(adjacency.degrees, matrix.sum(1))
    for node in range(NODES):
        neighbours = adjacency.indices[adjacency.indptr[node] : adjacency.indptr[node + 1]]
        np.testing.assert_array_equal(neighbours, np.flatnonzero(matrix[node]))


def test_degree_product(message: Edges) -> None:
    graph = nx.from_numpy_array(dense(message))
    degrees = np.array([graph.degree[node] for node in range(NODES)])
    rows = DegreeProduct(message, NODES).rows(np.arange(NODES))
    np.testing.assert_array_equal(rows, without_diagonal(np.outer(degrees, degrees)))


def test_adamic_adar(message: Edges) -> None:
    graph = nx.from_numpy_array(dense(message))
    pairs = [(i, j) for i in range(NODES) for j in range(NODES) if i != j]
    expected = np.zeros((NODES, NODES))
    for i, j, score in nx.adamic_adar_index(graph, pairs):
        expected[i, j] = score
    np.testing.assert_allclose(AdamicAdar(message, NODES).rows(np.arange(NODES)), expected, rtol=1e-6)


def test_path3(message: Edges) -> None:
    matrix = dense(message)
    inverse = np.diag(1 / np.maximum(matrix.sum(1), 1))
    expected = without_diagonal(matrix @ inverse @ matrix @ inverse @ matrix)
    np.testing.assert_allclose(Path3(message, NODES).rows(np.arange(NODES)), expected, rtol=1e-6, atol=1e-12)


@pytest.mark.parametrize("kind", [DegreeProduct, AdamicAdar, Path3])
def test_pairs_and_column_ranges_are_the_rows_entries(kind: Callable[[Edges, int], Baseline], message: Edges) -> None:
    baseline = kind(message, NODES)
    rows = baseline.rows(np.arange(NODES))
    assert rows.dtype == np.float32
    np.testing.assert_array_equal(rows, rows.T)
    rng = np.random.default_rng(1)
    heads, tails = rng.integers(0, NODES, (2, 500))
    pairs = baseline.pairs(heads, tails)
    assert pairs.dtype == np.float32
    np.testing.assert_array_equal(pairs, rows[heads, tails])
    some = np.array([7, 0, 7, 39, 12])
    np.testing.assert_array_equal(baseline.rows(some, (5, 20)), rows[some, 5:20])
    none = np.empty(0, np.int64)
    assert baseline.rows(none).shape == (0, NODES)
    assert baseline.pairs(none, none).shape == (0,)


def test_equal_by_formula_is_a_tie() -> None:
    """All leaves of a star of stars are alike; sums in another order must not tell them apart."""
    inner = np.repeat(np.arange(1, 12), 13)
    leaves = 12 + np.arange(len(inner))
    heads = np.concatenate([np.zeros(11, int), inner])
    tails = np.concatenate([np.arange(1, 12), leaves])
    for baseline in plain_baselines(Edges(heads, np.zeros_like(heads), tails), int(leaves.max()) + 1):
        assert len(np.unique(baseline.rows(np.array([0]))[0, leaves])) == 1, baseline.name


@pytest.mark.data
def test_paths_of_length_3_on_amazon(benchmark_data: Callable[[str], Path]) -> None:
    graph = read(benchmark_data("amazon"))
    split = split_graph(graph)
    baseline = Path3(split.message, graph.num_nodes)
    measures = binary_measures(split.test.labels, baseline.pairs(split.test.edges.heads, split.test.edges.tails))
    assert round(100 * measures["auc"], 2) == 99.24
    assert round(100 * measures["ap"], 2) == 99.12
