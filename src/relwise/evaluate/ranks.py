"""Filtered ranks, ties told: where does the true end of an edge stand among all candidates for that end?

For each edge (h, r, t) every node of the tail's type is scored in the place of t, and every node of the
head's type in the place of h; those that make another known edge are left out (the "filtered" setting
of Bordes et al. 2013). With ties there is no one rank:

    optimistic  = 1 + #{candidates that score above the true one}        the true one first among its equals
    pessimistic = #{candidates that score at least what it does}         last among them (it counts itself)
    realistic   = (optimistic + pessimistic) / 2                         the one reported

(Berrendorf et al. 2020, "On the ambiguity of rank-based evaluation of entity alignment and link prediction".)
A model that scores everything alike has optimistic rank 1: what a lone optimistic rank hides.

The field ranks each edge twice, once per end (*per-end*: the ranks of both ends one after the other); the
RelGNN paper ranks it once against the corruptions of both ends (*joint*).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from relwise.data.edges import Edges, IntArray
from relwise.data.graph import Graph
from relwise.kernels.ranking import rank_products, rank_scores

End = Literal["head", "tail"]

ScoreBlock = Callable[[End, IntArray, IntArray], Any]
"""`score_block(end, relations (q,), anchors (q,)) -> (q, n)` float32 scores, NumPy or torch.

Row i scores all n nodes of one type, in the order of the node space, at the `end` of edges of relation
`relations[i]` whose other end is `anchors[i]`. Within a call all relations have the same type at `end`.
"""


@runtime_checkable
class Products(Protocol):
    """A `ScoreBlock` whose scores are products of a vector per query with one per candidate.

    `rank_edges` then takes the vectors, and makes and counts the scores in the cache: faster by far, and nothing of
    size queries × candidates is kept. Vectors are float32, NumPy or torch.
    """

    def __call__(self, end: End, relations: IntArray, anchors: IntArray) -> Any: ...

    def queries(self, end: End, relations: IntArray, anchors: IntArray) -> Any:
        """(q, d), for the same arguments as a block's."""
        ...

    def candidates(self, low: int, high: int) -> Any:
        """(high - low, d), of the nodes low .. high of the node space."""
        ...


MEBIBYTE = 1 << 20
# Blocks of this size stay in the cache and in the allocator's hands: on `amazon` at d = 128 they took a third
# of the time of blocks of 256 MiB, every page of which the system hands out anew. Products want some rows.
BLOCK, BLOCK_ROWS = 16 * MEBIBYTE, 64


@dataclass(frozen=True, eq=False)
class Ranks:
    """The ranks of n true candidates, 1 the best.

    Args:
        optimistic: (n,) rank with the true candidate before all that score the same.
        pessimistic: (n,) rank with it behind all of them.

    >>> ranks = Ranks(np.array([1, 3]), np.array([3, 3]))
    >>> ranks.realistic.tolist(), ranks.hits(2), round(ranks.mrr(), 4), round(ranks.mrr("optimistic"), 4)
    ([2.0, 3.0], 0.5, 0.4167, 0.6667)
    """

    optimistic: IntArray
    pessimistic: IntArray

    def __len__(self) -> int:
        return len(self.optimistic)

    def __getitem__(self, index: npt.NDArray) -> Ranks:
        """The ranks at `index` (integers or a boolean mask)."""
        return Ranks(self.optimistic[index], self.pessimistic[index])

    @property
    def realistic(self) -> npt.NDArray[np.float64]:
        """(n,) the mean of the optimistic and the pessimistic rank."""
        return (self.optimistic + self.pessimistic) / 2

    def of(self, ties: Literal["optimistic", "realistic", "pessimistic"]) -> npt.NDArray[np.float64]:
        """(n,) the ranks with ties resolved in the way named."""
        return self.realistic if ties == "realistic" else getattr(self, ties).astype(np.float64)

    def mrr(self, ties: Literal["optimistic", "realistic", "pessimistic"] = "realistic") -> float:
        """Mean reciprocal rank, `mean(1 / rank)`; NaN where there are none."""
        return float((1 / self.of(ties)).mean()) if len(self) else float("nan")

    def hits(self, k: int, ties: Literal["optimistic", "realistic", "pessimistic"] = "realistic") -> float:
        """Hits@k, the share with `rank <= k`; NaN where there are none."""
        return float((self.of(ties) <= k).mean()) if len(self) else float("nan")

    @staticmethod
    def concatenate(*parts: Ranks) -> Ranks:
        """All parts one after the other: `Ranks.concatenate(heads, tails)` are the field's per-end ranks."""
        none = np.empty(0, np.int64)
        return Ranks(
            np.concatenate([none, *(part.optimistic for part in parts)]),
            np.concatenate([none, *(part.pessimistic for part in parts)]),
        )


def joint(heads: Ranks, tails: Ranks) -> Ranks:
    """The paper's ranks: each positive once, against the corruptions of its head and of its tail together.

    `joint = head rank + tail rank - 1`, for both ways of counting ties.

    >>> joint(Ranks(np.array([2]), np.array([2])), Ranks(np.array([1]), np.array([4]))).pessimistic.tolist()
    [5]
    """
    return Ranks(heads.optimistic + tails.optimistic - 1, heads.pessimistic + tails.pessimistic - 1)


def filtered_ranks(
    scores: npt.ArrayLike, target: npt.ArrayLike, filter_indptr: npt.ArrayLike, filter_indices: npt.ArrayLike
) -> Ranks:
    """The rank of one column in each row, other known columns left out.

    A NaN score counts as minus infinity: a model that yields NaN for a true edge ranks it last, never first.

    Args:
        scores: (q, n) float32, higher where likelier; NumPy or torch.
        target: (q,) the true column of each row.
        filter_indptr, filter_indices: row i leaves out the columns
            `filter_indices[filter_indptr[i] : filter_indptr[i + 1]]`, ascending (a column given twice counts
            once), the target itself excepted.

    >>> ranks = filtered_ranks([[0.9, 0.5, 0.7, 0.5]], [1], [0, 2], [0, 1])
    >>> ranks.optimistic.tolist(), ranks.pessimistic.tolist()
    ([2], [3])
    """
    matrix, indptr = _as_floats(scores), np.asarray(filter_indptr, dtype=np.int64)
    targets = np.asarray(target, dtype=np.int64)
    if matrix.shape[0] != len(targets) or len(indptr) != len(targets) + 1:
        raise ValueError(f"{matrix.shape[0]} rows, {len(targets)} targets and {len(indptr) - 1} filters")
    indices = np.asarray(filter_indices, dtype=np.int64)
    for name, columns in (("target", targets), ("filter", indices)):
        if len(columns) and not 0 <= columns.min() <= columns.max() < matrix.shape[1]:
            raise ValueError(f"a {name} column is outside the {matrix.shape[1]} candidates")
    return Ranks(*rank_scores(matrix, np.arange(len(targets)), targets, indptr[:-1], indptr[1:], indices, 0))


def rank_edges(
    positives: Edges,
    known: Edges,
    graph: Graph,
    score_block: ScoreBlock,
    memory: int = 256 * MEBIBYTE,
    *,
    by_relation: bool = True,
) -> tuple[Ranks, Ranks]:
    """The filtered ranks of edges at both ends, among the nodes of each end's type.

    Each (relation, anchor) is scored once, however many of the edges ask for it. The anchor itself stays a
    candidate (a self-loop), as the field has it. Both orientations of an undirected relation's known edges
    are left out.

    Args:
        positives: n edges to rank.
        known: the edges to leave out: all known ones of every part.
        graph: whose types say what the candidates are, and which relations are undirected.
        score_block: scores a block of rows (see `ScoreBlock`); one of `Products` is asked for vectors instead.
        memory: at most this many bytes of scores, or of queries, at a time (one row at the least); usually far fewer.
        by_relation: False where the scores are the same for every relation: each anchor is then scored in blocks, once
            for all relations with the same type at the end, and the relation passed is any one of them.

    Returns:
        (n ranks of the heads, n ranks of the tails).
    """
    return (
        _rank_end("head", positives, known, graph, score_block, memory, by_relation),
        _rank_end("tail", positives, known, graph, score_block, memory, by_relation),
    )


def _rank_end(
    end: End,
    positives: Edges,
    known: Edges,
    graph: Graph,
    score_block: ScoreBlock,
    memory: int,
    by_relation: bool,
) -> Ranks:
    """The ranks at one end. A query is a (relation, anchor); rows of scores may serve several queries."""
    ranges = graph.head_ranges if end == "head" else graph.tail_ranges
    relations = positives.relations
    anchors, targets = _ends(positives, end)
    low, high = ranges[relations, 0], ranges[relations, 1]
    if ((targets < low) | (targets >= high)).any():
        raise ValueError(f"an edge's {end} is not of the type that its relation asks for")
    starts, stops, filtered = _filters(end, known, graph, relations * graph.num_nodes + anchors)

    # The rows to score, by the candidates' range, then by anchor: what shares a range can share a block.
    row_keys = low * graph.num_nodes + anchors
    if by_relation:
        row_keys = row_keys * graph.num_relations + relations
    _, first, row = np.unique(row_keys, return_index=True, return_inverse=True)
    order = np.argsort(row, kind="stable")  # the positives in the order of their rows
    row_bounds = np.searchsorted(row[order], np.arange(len(first) + 1))
    row_low, row_high = low[first], high[first]

    ranks = np.empty((2, len(positives)), np.int64)
    products = score_block if by_relation and isinstance(score_block, Products) else None
    candidates, in_memory, begin = None, -1, 0
    while begin < len(first):
        offset, width = int(row_low[begin]), int(row_high[begin] - row_low[begin])
        same_range = int(np.searchsorted(row_low, offset, side="right"))
        if products and in_memory != offset:
            candidates, in_memory = _as_floats(products.candidates(offset, offset + width)), offset
            if len(candidates) != width:
                raise ValueError(f"candidates gave {len(candidates)}, not {width}")
        per_row = width if candidates is None else 2 * candidates.shape[1]  # a query, and its copy in tiles
        stop = min(same_range, begin + _block_rows(per_row, memory))
        rows = first[begin:stop]
        asked = order[row_bounds[begin] : row_bounds[stop]]
        if products and candidates is not None:
            queries = _as_floats(products.queries(end, relations[rows], anchors[rows]))
            bounds, columns = row_bounds[begin : stop + 1] - row_bounds[begin], targets[asked] - offset
            ranks[:, asked] = rank_products(
                queries, candidates, bounds, columns, starts[rows], stops[rows], filtered, offset
            )
        else:
            scores = _as_floats(score_block(end, relations[rows], anchors[rows]))
            if scores.shape != (stop - begin, width):
                raise ValueError(f"score_block gave {scores.shape}, not {(stop - begin, width)}")
            ranks[:, asked] = rank_scores(
                scores, row[asked] - begin, targets[asked] - offset, starts[asked], stops[asked], filtered, offset
            )
            del scores  # before the next block is asked for, so that there is one at a time
        begin = stop
    return Ranks(ranks[0], ranks[1])


def _ends(edges: Edges, end: End) -> tuple[IntArray, IntArray]:
    """(anchors, targets): the ends that stay, and those at `end`."""
    return (edges.tails, edges.heads) if end == "head" else (edges.heads, edges.tails)


def _filters(end: End, known: Edges, graph: Graph, queries: IntArray) -> tuple[IntArray, IntArray, IntArray]:
    """The known targets of queries `relation · N + anchor`, ascending, each once.

    Returns:
        (starts, stops, targets): those of query i are `targets[starts[i] : stops[i]]`.
    """
    # Few of a large graph's edges share an anchor with few queries: the others need no sorting.
    asked = np.zeros(graph.num_nodes, dtype=bool)
    asked[queries % graph.num_nodes] = True
    anchors, targets = _ends(known, end)
    both_ways = np.flatnonzero(~graph.directed[known.relations] & asked[targets])
    one_way = np.flatnonzero(asked[anchors])
    keys = np.concatenate([known.relations[one_way], known.relations[both_ways]]) * graph.num_nodes
    keys += np.concatenate([anchors[one_way], targets[both_ways]])
    pairs = keys * graph.num_nodes + np.concatenate([targets[one_way], anchors[both_ways]])
    pairs.sort()  # and not np.unique, which takes ten times as long
    pairs = pairs[np.flatnonzero(np.diff(pairs, prepend=-1))]
    keys = pairs // graph.num_nodes
    stops = np.searchsorted(keys, queries, side="right")
    return np.searchsorted(keys, queries), stops, pairs % graph.num_nodes


def _block_rows(width: int, memory: int) -> int:
    """How many rows of `width` float32 numbers to ask for at a time."""
    row = 4 * max(1, width)
    return max(1, min(memory // row, max(BLOCK // row, BLOCK_ROWS)))


def _as_floats(scores: Any) -> npt.NDArray[np.float32]:
    """A C-ordered float32 array of two dimensions, without a copy where it is one already."""
    if hasattr(scores, "detach"):
        scores = scores.detach().cpu().numpy()
    array = np.ascontiguousarray(scores, dtype=np.float32)
    if array.ndim != 2:
        raise ValueError(f"scores and vectors must have two dimensions, not {array.shape}")
    return array
