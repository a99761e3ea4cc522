"""The static structure of one message graph: sorted once, used by every layer of every step.

Edges are sorted by target. What a message says, `W_r h_j`, depends only on the edge's relation and source, so it
is computed once for each *(relation, source) pair that exists*, never for each edge and never for each relation
and node: the *row* of an edge is the index of its pair. The transpose (edges sorted by row) stands beside it, so
that the backward pass needs no atomic additions.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor

from relwise.kernels.sorting import sort_by_key

TILE = 2048  # rows of a product: large enough for full speed, 4 MiB at d = 128


@dataclass(frozen=True)
class Tile:
    """Rows of one relation that are multiplied together.

    Args:
        relation: the relation.
        first, last: the rows `first:last`.
        source: the first row's source, where the others' sources follow it one by one; else None.
    """

    relation: int
    first: int
    last: int
    source: int | None


@dataclass(frozen=True, eq=False)
class Adjacency:
    """A message graph of N nodes, E edges, R relations, F facts and P rows (pairs of relation and source).

    Args:
        num_nodes: N.
        num_relations: R.
        indptr: (N + 1,) int32; the edges into node i are `indptr[i]:indptr[i + 1]`.
        row: (E,) int32, each edge's row.
        fact: (E,) int32, the fact that each edge states; masking a fact masks all its edges.
        num_facts: F, one more than the last fact.
        row_relation: (P,) int64, ascending.
        row_source: (P,) int64.
        relation_ptr: R + 1 integers; relation r's rows are `relation_ptr[r]:relation_ptr[r + 1]`.
        relation_indptr: (R + 1,) int32, the same as a tensor.
        row_indptr: (P + 1,) int32; the transpose: edges sorted by row.
        row_target: (E,) int32, in the transpose's order.
        row_fact: (E,) int32, in the transpose's order.
        source_indptr, source_row: (N + 1,) and (P,) int32; node j's rows are
            `source_row[source_indptr[j]:source_indptr[j + 1]]`.
        tiles: the rows, cut at each relation and every `TILE` rows.
        kept_order: `order`; None where it was dropped.
    """

    num_nodes: int
    num_relations: int
    indptr: Tensor
    row: Tensor
    fact: Tensor
    num_facts: int
    row_relation: Tensor
    row_source: Tensor
    relation_ptr: tuple[int, ...]
    relation_indptr: Tensor
    row_indptr: Tensor
    row_target: Tensor
    row_fact: Tensor
    source_indptr: Tensor
    source_row: Tensor
    tiles: tuple[Tile, ...]
    kept_order: Tensor | None

    @property
    def num_edges(self) -> int:
        return len(self.row)

    @property
    def order(self) -> Tensor:
        """(E,) int32, the given index of each edge sorted by target."""
        if self.kept_order is None:
            raise ValueError("the edges' order was dropped: build the adjacency anew")
        return self.kept_order

    def without_order(self) -> Adjacency:
        """The same without `order`, a number an edge that only attributes of the edges and listed weights ask for."""
        return replace(self, kept_order=None)

    def to(self, device: torch.device | str) -> Adjacency:
        """The same on another device."""
        tensors = {f.name: getattr(self, f.name) for f in fields(self)}
        return replace(self, **{k: v.to(device) for k, v in tensors.items() if isinstance(v, Tensor)})


def edge_targets(indptr: Tensor, edges: int) -> Tensor:
    """(E,) the target of each edge, from the pointer of so many edges sorted by target.

    >>> edge_targets(torch.tensor([0, 2, 2, 3]), 3).tolist()
    [0, 0, 2]
    """
    counts = indptr.diff().long()
    # Of a size that is told, or the device would be waited for.
    return torch.repeat_interleave(torch.arange(len(counts), device=indptr.device), counts, output_size=edges)


def build_adjacency(
    source: Tensor,
    target: Tensor,
    relation: Tensor,
    num_nodes: int,
    num_relations: int,
    fact: Tensor | None = None,
) -> Adjacency:
    """Sort edges by target, find the rows that exist, and sort the transpose.

    Args:
        source, target, relation: (E,) integers.
        num_nodes: N.
        num_relations: R.
        fact: (E,) integers; None: each edge is a fact of its own.

    >>> adjacency = build_adjacency(torch.tensor([0, 1, 1]), torch.tensor([2, 2, 0]), torch.tensor([0, 0, 0]), 3, 1)
    >>> adjacency.indptr.tolist(), adjacency.row.tolist(), adjacency.row_source.tolist()
    ([0, 1, 1, 3], [1, 0, 1], [0, 1])
    """
    device = source.device
    given = [source, target, relation, torch.arange(len(source)) if fact is None else fact]
    src, dst, rel, facts = _checked([t.detach().cpu().numpy() for t in given], num_nodes, num_relations)
    # Counting sorts, each of which keeps the order of the one before among equals: by source, by relation, by target.
    order = _sorted(src, num_nodes)[1]
    order = order[_sorted(rel[order], num_relations)[1]]
    rel, src = rel[order], src[order]
    begins = np.ones(len(order), dtype=bool)
    begins[1:] = (rel[1:] != rel[:-1]) | (src[1:] != src[:-1])
    row_relation, row_source = rel[begins], src[begins]
    row = np.cumsum(begins, dtype=np.int32) - np.int32(1)
    indptr, by_target = _sorted(dst[order], num_nodes)
    order, row = order[by_target], row[by_target]
    dst, facts = dst[order], facts[order]
    row_indptr, transpose = _sorted(row, len(row_source))
    source_indptr, source_row = _sorted(row_source, num_nodes)
    relation_ptr = np.searchsorted(row_relation, np.arange(num_relations + 1)).tolist()

    def tensor(array: np.ndarray) -> Tensor:
        return torch.from_numpy(array).to(device)

    return Adjacency(
        num_nodes=num_nodes,
        num_relations=num_relations,
        indptr=tensor(indptr),
        row=tensor(row),
        fact=tensor(facts),
        num_facts=int(facts.max()) + 1 if len(facts) else 0,
        row_relation=tensor(row_relation.astype(np.int64)),
        row_source=tensor(row_source.astype(np.int64)),
        relation_ptr=tuple(relation_ptr),
        relation_indptr=torch.tensor(relation_ptr, dtype=torch.int32, device=device),
        row_indptr=tensor(row_indptr),
        row_target=tensor(dst[transpose]),
        row_fact=tensor(facts[transpose]),
        source_indptr=tensor(source_indptr),
        source_row=tensor(source_row),
        tiles=tuple(_tiles(relation_ptr, row_source)),
        kept_order=tensor(order),
    )


def _sorted(keys: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """(size + 1,) where each key begins, and (n,) the positions of the keys in ascending order, int32 both."""
    return sort_by_key(keys, size)


def _tiles(relation_ptr: list[int], row_source: np.ndarray) -> Iterator[Tile]:
    for relation, (begin, end) in enumerate(pairwise(relation_ptr)):
        for first in range(begin, end, TILE):
            last = min(first + TILE, end)
            source = int(row_source[first])
            yield Tile(relation, first, last, source if row_source[last - 1] - source == last - first - 1 else None)


def _checked(arrays: list[np.ndarray], num_nodes: int, num_relations: int) -> list[np.ndarray]:
    """Sources, targets, relations and facts as int32. The kernels index without bounds: refused here, or never."""
    size = len(arrays[0])
    if any(len(array) != size for array in arrays):
        raise ValueError("sources, targets, relations and facts differ in length")
    if size >= 2**31 or num_nodes >= 2**31:
        raise ValueError("more than 2**31 edges or nodes: the kernels' indices have 32 bits")
    bounds = (("node", num_nodes), ("node", num_nodes), ("relation", num_relations), ("fact", 2**31))
    for array, (name, bound) in zip(arrays, bounds, strict=True):
        if size and (array.min() < 0 or array.max() >= bound):
            raise ValueError(f"a {name} index is outside 0..{bound - 1}")
    return [array.astype(np.int32, copy=False) for array in arrays]
