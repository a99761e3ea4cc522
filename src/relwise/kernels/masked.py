"""A message graph without its masked edges: made once a step, so that no layer looks a mask up, forward or backward."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from numba import njit, prange
from torch import Tensor

from relwise.kernels.adjacency import Adjacency
from relwise.kernels.compiling import PARALLEL
from relwise.kernels.vector import balanced

BLOCKS = 64
LARGEST = 1 << 24  # edges, beyond which 8 bytes for each weigh more than the time


def kept_edges(adjacency: Adjacency, keep: Tensor) -> Adjacency:
    """The graph of the edges whose facts are kept, with all its nodes and rows; on the CPU. Its edges name no facts.

    Args:
        adjacency: the message graph.
        keep: (F,) bool, the facts whose edges carry messages.

    >>> from relwise.kernels.adjacency import build_adjacency
    >>> adjacency = build_adjacency(torch.tensor([0, 1, 1]), torch.tensor([2, 2, 0]), torch.tensor([0, 0, 0]), 3, 1)
    >>> kept = kept_edges(adjacency, torch.tensor([True, False, True]))
    >>> kept.indptr.tolist(), kept.row.tolist(), kept.row_target.tolist()
    ([0, 1, 1, 2], [1, 0], [2, 0])
    """
    if len(keep) < adjacency.num_facts:
        raise ValueError(f"keep has {len(keep)} entries for {adjacency.num_facts} facts")
    sides = (
        (adjacency.indptr, adjacency.row, adjacency.fact),
        (adjacency.row_indptr, adjacency.row_target, adjacency.row_fact),
    )
    mask = keep.numpy()
    found = [torch.from_numpy(a) for side in sides for a in _kept(*[*(t.numpy() for t in side), mask])]
    none = adjacency.fact[:0]
    return replace(
        adjacency,
        indptr=found[0],
        row=found[1],
        fact=none,
        num_facts=0,
        row_indptr=found[2],
        row_target=found[3],
        row_fact=none,
        kept_order=None,
    )


@njit(**PARALLEL)
def _kept(indptr, node, fact, keep):  # pragma: no cover (compiled)
    """Where the kept edges of each range begin, and their nodes."""
    bounds, counts = balanced(indptr, BLOCKS), np.zeros(BLOCKS + 1, np.int64)
    for block in prange(BLOCKS):
        count = np.int64(0)
        for e in range(np.int64(indptr[bounds[block]]), np.int64(indptr[bounds[block + 1]])):
            count += keep[np.uint32(fact[np.uint64(e)])]
        counts[block + 1] = count
    for block in range(BLOCKS):
        counts[block + 1] += counts[block]
    out, begins = np.empty(counts[BLOCKS], node.dtype), np.empty(len(indptr), indptr.dtype)
    begins[0] = 0
    for block in prange(BLOCKS):
        at, end = np.uint64(counts[block]), np.uint64(counts[block + 1])
        for i in range(bounds[block], bounds[block + 1]):
            for e in range(np.int64(indptr[i]), np.int64(indptr[i + 1])):
                if at < end:  # behind it another block writes
                    out[at] = node[np.uint64(e)]
                    at += np.uint64(keep[np.uint32(fact[np.uint64(e)])])
            begins[i + 1] = at
    return begins, out
