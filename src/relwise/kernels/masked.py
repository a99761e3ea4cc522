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
    """Where the kept edges of each range begin, and their nodes.

    Each block first writes to places of its own, one for each of its edges: then each edge's fact is looked up once.
    """
    bounds, counts = balanced(indptr, BLOCKS), np.zeros(BLOCKS + 1, np.int64)
    apart, begins = np.empty(len(node) + BLOCKS, node.dtype), np.empty(len(indptr), indptr.dtype)
    for block in prange(BLOCKS):
        start = np.int64(indptr[bounds[block]]) + block  # a place more: what comes after the last kept one is written
        at = np.uint64(start)
        for i in range(bounds[block], bounds[block + 1]):
            for e in range(np.int64(indptr[i]), np.int64(indptr[i + 1])):
                apart[at] = node[np.uint64(e)]
                at += np.uint64(keep[np.uint32(fact[np.uint64(e)])])
            begins[i + 1] = np.int64(at) - start
        counts[block + 1] = np.int64(at) - start
    for block in range(BLOCKS):
        counts[block + 1] += counts[block]
    out = np.empty(counts[BLOCKS], node.dtype)
    begins[0] = 0
    for block in prange(BLOCKS):
        start, at = np.int64(indptr[bounds[block]]) + block, counts[block]
        into, found = out[at : counts[block + 1]], apart[start : start + counts[block + 1] - at]
        for n in range(len(into)):
            into[n] = found[n]
        for i in range(bounds[block], bounds[block + 1]):
            begins[i + 1] += at
    return begins, out
