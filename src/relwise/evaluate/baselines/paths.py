"""Weighted path counts `(A W A ... W A)_ij`, by rows and by pairs, in memory bounded by what is asked for.

A is a symmetric 0/1 adjacency, W a diagonal of node weights: each path from i to j counts with the product of
its inner nodes' weights (a path may come back to i or j, as powers of A have it). Rows are spread node by
node over what has been reached; neither A² nor A³, both nearly dense where there are hubs, is ever made.
"""

from __future__ import annotations

import numba
import numpy as np
import numpy.typing as npt
from numba import njit, prange

from relwise.evaluate.baselines.adjacency import Adjacency
from relwise.kernels.compiling import INNER, OUTER, PARALLEL


def path_rows(
    adjacency: Adjacency,
    weights: npt.NDArray[np.float64],
    length: int,
    nodes: npt.NDArray[np.integer],
    columns: tuple[int, int] | None = None,
) -> npt.NDArray[np.float32]:
    """The weighted paths from each of q nodes to every node; 0 to itself.

    Args:
        adjacency: of N nodes.
        weights: (N,) what a path's passing through each node multiplies it by.
        length: 2 or more edges in a path.
        nodes: (q,) where the paths begin.
        columns: the range of nodes where they end; all N by default.

    Returns:
        (q, n) float32.

    >>> from relwise.data.edges import Edges
    >>> line = Adjacency.of(Edges(np.array([0, 1, 2]), np.zeros(3, int), np.array([1, 2, 3])), 4)
    >>> path_rows(line, np.array([1.0, 0.5, 0.25, 1.0]), 3, np.array([0, 1])).tolist()
    [[0.0, 0.625, 0.0, 0.125], [0.625, 0.0, 0.875, 0.0]]
    """
    low, high = columns or (0, len(adjacency.degrees))
    starts = np.ascontiguousarray(nodes, dtype=np.int64)
    out = np.empty((len(starts), high - low), np.float32)
    parts = min(len(starts), 4 * numba.get_num_threads())
    _rows(adjacency.indptr, adjacency.indices, weights, length, starts, low, high, parts, out)
    return out


def path_pairs(
    adjacency: Adjacency,
    weights: npt.NDArray[np.float64],
    length: int,
    heads: npt.NDArray[np.integer],
    tails: npt.NDArray[np.integer],
) -> npt.NDArray[np.float32]:
    """The weighted paths of n pairs, (n,) float32: the entries of `path_rows`, and 0 where both are one node.

    >>> from relwise.data.edges import Edges
    >>> line = Adjacency.of(Edges(np.array([0, 1, 2]), np.zeros(3, int), np.array([1, 2, 3])), 4)
    >>> path_pairs(line, np.array([1.0, 0.5, 0.25, 1.0]), 3, np.array([0, 2]), np.array([3, 1])).tolist()
    [0.125, 0.875]
    """
    order = np.argsort(heads, kind="stable")  # what a head reaches is found once for all of its pairs
    out = np.empty(len(order), np.float32)
    starts = np.asarray(heads, dtype=np.int64)[order]
    ends = np.asarray(tails, dtype=np.int64)[order]
    out[order] = _pairs(adjacency.indptr, adjacency.indices, weights, length, starts, ends)
    return out


@njit(**OUTER)
def _spread(indptr, indices, values, out):  # pragma: no cover (compiled)
    """Add A · values to `out` (both of N entries), in the order of the node space."""
    for u in range(len(values)):
        value = values[u]
        if value != 0:
            for c in range(indptr[u], indptr[u + 1]):
                out[indices[c]] += value


@njit(**INNER)
def _reach(indptr, indices, weights, steps, node, reached, spare):  # pragma: no cover (compiled)
    """Fill `reached` with W A ... W A e_node, A `steps` times; `spare` is zero before and after."""
    reached[:] = 0
    for c in range(indptr[node], indptr[node + 1]):
        reached[indices[c]] = weights[indices[c]]
    for _ in range(steps - 1):
        _spread(indptr, indices, reached, spare)
        for u in range(len(reached)):
            reached[u] = spare[u] * weights[u]
            spare[u] = 0


@njit(**PARALLEL)
def _rows(indptr, indices, weights, length, nodes, low, high, parts, out):  # pragma: no cover (compiled)
    """Fill `out` (q, high - low); the rows are dealt to `parts` workers with two arrays of N numbers each."""
    for part in prange(parts):
        reached = np.zeros(len(weights))
        sums = np.zeros(len(weights))
        for i in range(part, len(nodes), parts):
            _reach(indptr, indices, weights, length - 1, nodes[i], reached, sums)
            _spread(indptr, indices, reached, sums)
            sums[nodes[i]] = 0
            for j in range(low, high):
                out[i, j - low] = sums[j]
            sums[:] = 0


@njit(**OUTER)
def _pairs(indptr, indices, weights, length, heads, tails):  # pragma: no cover (compiled)
    """(n,) the sums for pairs ordered by head."""
    out = np.zeros(len(heads))
    reached = np.zeros(len(weights))
    spare = np.zeros(len(weights))
    for i in range(len(heads)):
        if i == 0 or heads[i] != heads[i - 1]:
            _reach(indptr, indices, weights, length - 1, heads[i], reached, spare)
        if heads[i] != tails[i]:
            for c in range(indptr[tails[i]], indptr[tails[i] + 1]):
                out[i] += reached[indices[c]]
    return out
