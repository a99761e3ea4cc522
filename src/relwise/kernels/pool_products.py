"""The logits of a block of queries with the pool that they share: a product of matrices, one of them gathered.

In float32 the pool's rows are turned into panels of the register tile (`relwise.kernels.tile`), which writes sixteen
logits at a time, where products of rows end in a sum over a register each. In float64 they are that all the same.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit, types
from numba.extending import overload

from relwise.kernels.compiling import INNER
from relwise.kernels.panels import counted, multiply, pack_rows, row_starts, scratch
from relwise.kernels.products import block_products
from relwise.kernels.tile import COLUMNS, LANES, ROWS
from relwise.kernels.vector import prefetch


@njit(**INNER)
def workspace(room, depth):
    """Scratch of `pool_logits`: a row's offsets, panels, and the pool's row numbers."""
    return counted(depth), scratch(room * depth), np.zeros(room, np.uint32)


def pool_logits(query, first, last, nodes, candidates, space, logits):
    """logits[i, j] = query[first + i] · nodes[candidates[j]].

    Args:
        query: (m, d), C-ordered; its rows first:last are a block's.
        nodes: (N, d), C-ordered, of the same type.
        candidates: (k,) int32.
        space: `workspace(room, d)`, of at least k candidates; room is a multiple of 16.
        logits: (up(most, ROWS), room), filled in the block's rows and k columns; elsewhere it means nothing.
    """
    logits[: last - first, : len(candidates)] = query[first:last] @ nodes[candidates].T


@overload(pool_logits, inline="never")
def _(query, first, last, nodes, candidates, space, logits) -> Any:
    return _on_tile if nodes.dtype == types.float32 else _by_rows


def _by_rows(query, first, last, nodes, candidates, space, logits):
    block_products(query[first:last], nodes, candidates, logits)


def _on_tile(query, first, last, nodes, candidates, space, logits):
    # Not plain constants, each of which `multiply` would be compiled for anew.
    depth, room, anew = nodes.shape[1], logits.shape[1], np.bool_(False)
    offsets, packed, which = space
    for j in range(room):
        which[j] = candidates[j if j < len(candidates) else 0]
        prefetch(nodes, which[j])
    pack_rows(nodes.reshape(nodes.size), depth, which, packed)
    left, out = query.reshape(query.size), logits.reshape(logits.size)
    for j in range(0, room, COLUMNS):
        vectors = min(COLUMNS, room - j) // LANES
        for i in range(first, last, ROWS):
            starts, line = row_starts(offsets[:0], i, last, depth), (i - first) * room
            multiply(vectors, left, starts, offsets, depth, packed, j * depth, np.int64(vectors * LANES),
                      out, line + j, room, anew)  # fmt: skip
