"""The logits of a block of queries with the pool that they share: a product of matrices, one of them gathered.

They stand candidate by candidate, those of the block's edges side by side: who chooses for many edges at a time reads
whole registers of them. In float32 the queries, mostly a third as many rows as the pool has, are turned into panels of
the register tile (`relwise.kernels.tile`), and the pool's rows are read where they stand. In float64 each is a product
of two rows.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit, types
from numba.extending import overload

from relwise.kernels.compiling import INNER
from relwise.kernels.panels import counted, multiply, multiply_two, pack_transposed, row_starts, scratch
from relwise.kernels.products import row_product
from relwise.kernels.tile import COLUMNS, LANES, ROWS


@njit(**INNER)
def workspace(step, depth):
    """Scratch of `pool_logits`: a row's offsets, and panels."""
    return counted(depth), scratch(step * depth)


def pool_logits(query, first, last, nodes, candidates, space, step, logits):
    """logits[j · step + i] = query[first + i] · nodes[candidates[j]].

    Args:
        query: (m, d), C-ordered; its rows first:last are a block's.
        nodes: (N, d), C-ordered, of the same type.
        candidates: (k,) int32.
        space: `workspace(step, d)`.
        step: at least the block's edges, a multiple of the tile's `LANES`.
        logits: (up(k, ROWS) · step,), filled for the block's edges and k candidates; elsewhere it means nothing.
    """
    found = query[first:last] @ nodes[candidates].T
    for j in range(len(candidates)):
        logits[j * step : j * step + last - first] = found[:, j]


@overload(pool_logits, inline="never")
def _(query, first, last, nodes, candidates, space, step, logits) -> Any:
    return _on_tile if nodes.dtype == types.float32 else _by_rows


def _by_rows(query, first, last, nodes, candidates, space, step, logits):
    for j in range(len(candidates)):
        row = nodes[np.uint32(candidates[j])]
        for i in range(first, last):
            logits[j * step + i - first] = row_product(query[i], row)


def _on_tile(query, first, last, nodes, candidates, space, step, logits):
    # Not plain constants, each of which `multiply` would be compiled for anew.
    depth, anew, none = nodes.shape[1], np.bool_(False), np.int64(0)
    offsets, packed = space
    pack_transposed(query.reshape(query.size), first * depth, last - first, depth, packed)
    table = nodes.reshape(nodes.size)
    for begin in range(none, last - first, COLUMNS):
        vectors = -(-min(COLUMNS, last - first - begin) // LANES)
        for j in range(none, len(candidates), ROWS):
            starts, place = row_starts(candidates, j, len(candidates), depth), j * step + begin
            if vectors == 2:
                multiply_two(table, starts, offsets, depth, packed, begin * depth, 2 * LANES, logits, place, step, anew)
            else:
                multiply(vectors, table, starts, offsets, depth, packed, begin * depth, vectors * LANES,
                         logits, place, step, anew)  # fmt: skip
