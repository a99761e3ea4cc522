"""Columns of some of the edges that are kept in 32 bits, as int64: as they are, or with an end replaced."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit, prange

from relwise.kernels.compiling import PARALLEL

Columns = tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.int64]]


def columns_of(ends: npt.NDArray[np.int32], relations: npt.NDArray[np.int32], index: npt.NDArray[np.int64]) -> Columns:
    """Heads, relations and tails, (n,) each, of the edges of `index`: new arrays that nobody can write to.

    Args:
        ends: (2, edges) heads and tails.
        relations: (edges,).
        index: (n,), checked.

    >>> ends = np.array([[5, 6], [7, 8]], np.int32)
    >>> [column.tolist() for column in columns_of(ends, np.array([0, 1], np.int32), np.array([1]))]
    [[6], [1], [8]]
    """
    return _columns(ends, relations, index, index[:0], index[:0], 1)


def replaced_columns(
    ends: npt.NDArray[np.int32],
    relations: npt.NDArray[np.int32],
    index: npt.NDArray[np.int64],
    replaced: npt.NDArray[np.int64],
    nodes: npt.NDArray[np.int64],
) -> Columns:
    """The same, (n k,) each, with the ends `replaced` (n,), 0 or 1, replaced by `nodes` (n k,), k of them one by one.

    >>> ends, relations, index = np.array([[5, 6], [7, 8]], np.int32), np.array([0, 1], np.int32), np.array([1])
    >>> [column.tolist() for column in replaced_columns(ends, relations, index, np.array([0]), np.array([3, 4]))]
    [[3, 4], [1, 1], [8, 8]]
    """
    return _columns(ends, relations, index, replaced, nodes, len(nodes) // max(1, len(index)))


def _columns(ends, relations, index, replaced, nodes, each) -> Columns:
    if len(index) and not 0 <= index.min() <= index.max() < len(relations):
        raise IndexError(f"an edge is outside 0..{len(relations) - 1}")
    size = len(index) * each
    columns = np.empty(size, np.int64), np.empty(size, np.int64), np.empty(size, np.int64)
    _fill(ends, relations, index, replaced, nodes, each, *columns)
    for column in columns:
        column.setflags(write=False)
    return columns


@njit(**PARALLEL)
def _fill(ends, relations, index, replaced, nodes, each, heads, kinds, tails):  # pragma: no cover (compiled)
    for i in prange(len(index)):
        e = np.uint64(index[i])
        for n in range(i * each, (i + 1) * each):
            at = np.uint64(n)
            heads[at], kinds[at], tails[at] = ends[0, e], relations[e], ends[1, e]
            if len(nodes):
                if replaced[np.uint64(i)]:
                    tails[at] = nodes[at]
                else:
                    heads[at] = nodes[at]
