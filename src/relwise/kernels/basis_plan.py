"""What the basis form of a layer needs of a message graph besides the adjacency: sorted once, 32 bits a number.

The rows form reads one row of P × d for each edge, wherever its source's row stands. The basis form has no such
table: forward it needs each edge's source, and where the relation changes among a target's edges; backward it takes
the sources one after the other, and so wants the transposed edges by *source*, then relation.
"""

from __future__ import annotations

from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt
import torch

from relwise.kernels.adjacency import Adjacency

Ints = npt.NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class BasisPlan:
    """For N nodes, E edges, P rows and S segments, the runs of one relation among the edges into one target.

    Args:
        edge_source: (E,) the source of each edge, in the order of the targets.
        target_segment: (N + 1,) node i's segments are `target_segment[i]:target_segment[i + 1]`.
        segment_edge: (S + 1,) segment s's edges are `segment_edge[s]:segment_edge[s + 1]`.
        segment_relation: (S,).
        source_row: (P,) the adjacency's row that stands at each place when rows are sorted by source.
        row_relation: (P,) in that order, as all that follows.
        row_source: (P,).
        row_edge: (P + 1,) the transposed edges of row q are `row_edge[q]:row_edge[q + 1]`.
        source_edge: (N + 1,) the transposed edges of source j are `source_edge[j]:source_edge[j + 1]`.
        target, fact: (E,) of the transposed edges.
    """

    edge_source: Ints
    target_segment: Ints
    segment_edge: Ints
    segment_relation: Ints
    source_row: Ints
    row_relation: Ints
    row_source: Ints
    row_edge: Ints
    source_edge: Ints
    target: Ints
    fact: Ints


_plans: WeakKeyDictionary[Adjacency, BasisPlan] = WeakKeyDictionary()


def basis_plan(adjacency: Adjacency) -> BasisPlan:
    """The plan of a graph, made when it is first asked for and kept as long as the adjacency.

    >>> from relwise.kernels.adjacency import build_adjacency
    >>> edges = torch.tensor([0, 1, 1, 0]), torch.tensor([2, 2, 0, 2]), torch.tensor([0, 0, 0, 1])
    >>> plan = basis_plan(build_adjacency(*edges, num_nodes=3, num_relations=2))
    >>> plan.edge_source.tolist(), plan.segment_edge.tolist(), plan.segment_relation.tolist()
    ([1, 0, 1, 0], [0, 1, 3, 4], [0, 0, 1])
    >>> plan.source_edge.tolist(), plan.row_edge.tolist(), plan.target.tolist()
    ([0, 2, 4, 4], [0, 1, 2, 4], [2, 2, 0, 2])
    """
    if adjacency not in _plans:
        _plans[adjacency] = _plan(adjacency)
    return _plans[adjacency]


def _plan(adjacency: Adjacency) -> BasisPlan:
    def ints(tensor: torch.Tensor) -> Ints:
        return tensor.detach().cpu().numpy().astype(np.int32, copy=False)

    row, indptr, row_indptr = ints(adjacency.row), ints(adjacency.indptr), ints(adjacency.row_indptr)
    row_source, row_relation = ints(adjacency.row_source), ints(adjacency.row_relation)
    relation = row_relation[row]
    begins = np.ones(len(row), bool)
    begins[1:] = relation[1:] != relation[:-1]
    starts = indptr[:-1]
    begins[starts[starts < len(row)]] = True
    first = np.flatnonzero(begins).astype(np.int32)

    order = ints(adjacency.source_row)
    count = np.diff(row_indptr)[order]
    row_edge = np.concatenate([[0], np.cumsum(count)]).astype(np.int32)
    # Where each edge, sorted by source, stands in the transpose sorted by row.
    edge = np.repeat(row_indptr[:-1][order] - row_edge[:-1], count) + np.arange(len(row), dtype=np.int32)
    return BasisPlan(
        edge_source=row_source[row],
        target_segment=np.searchsorted(first, indptr).astype(np.int32),
        segment_edge=np.append(first, len(row)).astype(np.int32),
        segment_relation=relation[first],
        source_row=order,
        row_relation=row_relation[order],
        row_source=row_source[order],
        row_edge=row_edge,
        source_edge=row_edge[ints(adjacency.source_indptr)],
        target=ints(adjacency.row_target)[edge],
        fact=ints(adjacency.row_fact)[edge],
    )
