"""Ranks among scores that are there, and among products that are not: those are scored tile by tile, none is kept.

Among products, queries stay in the cache in tiles of a few rows; a panel of candidates, laid out for the tile, in
the innermost one. A tile of scores is counted as soon as it is made, against the true scores, which are taken first:
the same chain of multiply-adds (`relwise.kernels.tile`) gives them the same bits, so that ties are told exactly, and
ranks are the same with any division of the work.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import get_num_threads, njit, prange

from relwise.kernels.compiling import INNER, PARALLEL
from relwise.kernels.tile import COLUMNS, ROWS, count_above, count_from, dot, multiply_tile
from relwise.kernels.vector import first_from

IntArray = npt.NDArray[np.int64]
CHUNK = 256 * 1024  # numbers in the queries that a thread goes over for each panel: a mebibyte, for its own cache
NEVER = np.iinfo(np.int64).max


def rank_products(
    queries: npt.NDArray[np.float32],
    candidates: npt.NDArray[np.float32],
    target_indptr: IntArray,
    target: IntArray,
    known_start: IntArray,
    known_stop: IntArray,
    known: IntArray,
    offset: int = 0,
) -> IntArray:
    """The optimistic and pessimistic ranks of candidates by their products with queries, known ones left out.

    A NaN score counts as minus infinity. A target is ranked whether it is known or not.

    Args:
        queries: (q, d) float32.
        candidates: (n, d) float32.
        target_indptr: (q + 1,) query i asks for the ranks of `target[target_indptr[i] : target_indptr[i + 1]]`.
        target: (m,) candidates.
        known_start, known_stop: (q,) query i leaves out `known[known_start[i] : known_stop[i]]`.
        known: candidates, ascending and each once within a query's slice.
        offset: what `known` counts candidates from: `known - offset` are rows of `candidates`.

    Returns:
        (2, m): optimistic and pessimistic ranks (see `relwise.evaluate.ranks`).

    >>> states = np.array([[1.0], [3.0], [2.0], [3.0]], np.float32)
    >>> zero, one = np.array([0]), np.array([1])
    >>> rank_products(np.ones((1, 1), np.float32), states, np.array([0, 2]), np.array([2, 1]), zero, one, one).tolist()
    [[2, 1], [2, 2]]
    """
    queries, candidates = (np.ascontiguousarray(array, dtype=np.float32) for array in (queries, candidates))
    if queries.ndim != 2 or candidates.ndim != 2 or queries.shape[1] != candidates.shape[1]:
        raise ValueError(f"queries {queries.shape} and candidates {candidates.shape} have no common depth")
    if not queries.shape[1]:
        queries, candidates = np.zeros((len(queries), 1), np.float32), np.zeros((len(candidates), 1), np.float32)
    pointers = (target_indptr, target, known_start, known_stop, known)
    target_indptr, target, known_start, known_stop, known = (np.asarray(array, dtype=np.int64) for array in pointers)
    rows, width = len(queries), len(candidates)
    if not len(target_indptr) - 1 == len(known_start) == len(known_stop) == rows:
        raise ValueError(f"{rows} queries, {len(target_indptr) - 1} of targets, {len(known_start)} of known candidates")
    if len(target) and not 0 <= target.min() <= target.max() < width:
        raise ValueError(f"a target is outside the {width} candidates")
    if not len(target):
        return np.empty((2, 0), np.int64)
    row_bounds, panel_bounds = _divide(rows, -(-width // COLUMNS), queries.shape[1])
    parts = _count(
        queries, candidates, target_indptr, target, known_start, known_stop, known, offset, row_bounds, panel_bounds
    )
    return _ranks(parts, queries, candidates, target_indptr, target, known_start, known_stop, known, offset)


def _divide(rows: int, panels: int, depth: int) -> tuple[IntArray, IntArray]:
    """Boundaries of the chunks of rows, and of panels: candidates are divided where there are too few rows."""
    threads = get_num_threads()
    chunks = -(-rows // max(ROWS, CHUNK // depth))
    slices = max(1, min(panels, threads // chunks))
    if slices == 1:  # so that no thread has one chunk more to do than another
        chunks = -(-chunks // threads) * threads
    return np.arange(chunks + 1) * rows // chunks, np.arange(slices + 1) * panels // slices


@njit(**PARALLEL)
def _count(
    queries, candidates, target_indptr, target, known_start, known_stop, known, offset, row_bounds, panel_bounds
):  # pragma: no cover (compiled)
    """(slices, 2, m) how many candidates of each slice score above each target, and at least what it does."""
    chunks, slices, depth = len(row_bounds) - 1, len(panel_bounds) - 1, queries.shape[1]
    parts = np.empty((slices, 2, len(target)), np.int64)
    for task in prange(chunks * slices):
        piece, first, last = task // chunks, row_bounds[task % chunks], row_bounds[task % chunks + 1]
        packed = _pack_queries(queries, first, last)
        begin, low = target_indptr[first], panel_bounds[piece] * COLUMNS + offset
        # Of every target: its row's place in a tile, its score, its counts; of every row: what is left out next.
        place = np.empty(target_indptr[last] - begin, np.int64)
        true = np.empty(len(place), np.float32)
        above, at_least = parts[piece, 0, begin : begin + len(place)], parts[piece, 1, begin : begin + len(place)]
        cursor, upcoming = known_start[first:last].copy(), np.empty(last - first, np.int64)
        for i in range(first, last):
            for t in range(target_indptr[i] - begin, target_indptr[i + 1] - begin):
                place[t] = (i - first) % ROWS * COLUMNS
                true[t] = _lowered(dot(queries[i], candidates[target[begin + t]]))
                above[t] = at_least[t] = 0
            cursor[i - first] = first_from(known, known_start[i], known_stop[i], low)
            upcoming[i - first] = known[cursor[i - first]] if cursor[i - first] < known_stop[i] else NEVER
        panel = np.empty((depth, COLUMNS), np.float32)
        scores = np.empty((ROWS, COLUMNS), np.float32)
        for p in range(panel_bounds[piece], panel_bounds[piece + 1]):
            _pack_panel(candidates, p * COLUMNS, panel)
            start, end = p * COLUMNS + offset, (p + 1) * COLUMNS + offset
            for block in range(len(packed)):
                multiply_tile(packed, block, panel, scores)
                block_first, block_last = block * ROWS, min((block + 1) * ROWS, last - first)
                for i in range(block_first, block_last):
                    while upcoming[i] < end:
                        scores[i - block_first, upcoming[i] - start] = np.nan  # counted as neither
                        cursor[i] += 1
                        upcoming[i] = known[cursor[i]] if cursor[i] < known_stop[first + i] else NEVER
                for t in range(target_indptr[first + block_first] - begin, target_indptr[first + block_last] - begin):
                    above[t] += count_above(scores, place[t], true[t])
                    at_least[t] += count_from(scores, place[t], true[t])
    return parts


@njit(**PARALLEL)
def _ranks(
    parts, queries, candidates, target_indptr, target, known_start, known_stop, known, offset
):  # pragma: no cover (compiled)
    """(2, m) ranks from the counts of all slices."""
    ranks = np.empty((2, len(target)), np.int64)
    for i in prange(len(queries)):
        low = first_from(known, known_start[i], known_stop[i], offset)
        high = first_from(known, low, known_stop[i], offset + len(candidates))
        for t in range(target_indptr[i], target_indptr[i + 1]):
            place = first_from(known, low, high, target[t] + offset)
            is_known = place < high and known[place] == target[t] + offset
            ranks[0, t] = 1 + parts[:, 0, t].sum()
            # A known target is left out of the scores too, but stands among the candidates.
            ranks[1, t] = is_known + parts[:, 1, t].sum()
            if _lowered(dot(queries[i], candidates[target[t]])) == -np.inf:  # all score at least that, NaN included
                ranks[1, t] = len(candidates) - (high - low) + is_known
    return ranks


@njit(**INNER)
def _lowered(score):  # pragma: no cover (compiled)
    return score if score > -np.inf else np.float32(-np.inf)


@njit(**INNER)
def _pack_queries(queries, first, last):  # pragma: no cover (compiled)
    """(blocks, d, ROWS) rows first..last, ROWS of them interleaved, the last block filled up with zeros."""
    packed = np.zeros((-(-(last - first) // ROWS), queries.shape[1], ROWS), np.float32)
    for i in range(first, last):
        block, row = divmod(i - first, ROWS)
        for k in range(queries.shape[1]):
            packed[block, k, row] = queries[i, k]
    return packed


@njit(**INNER)
def _pack_panel(candidates, start, panel):  # pragma: no cover (compiled)
    """Candidates from `start` on as columns; past the last, NaN, which no count counts."""
    count = min(COLUMNS, len(candidates) - start)
    for j in range(count):
        candidate = candidates[start + j]
        for k in range(len(panel)):
            panel[k, j] = candidate[k]
    if count < COLUMNS:
        panel[:, count:] = np.nan


@njit(**PARALLEL)
def rank_scores(scores, row, target, start, stop, known, offset):  # pragma: no cover (compiled)
    """The optimistic and pessimistic ranks of columns within rows of scores, known columns left out.

    A NaN score counts as minus infinity. Indices are not checked.

    Args:
        scores: (q, n) float32, C-ordered.
        row, target: (m,) the row and the column of each that is to be ranked.
        start, stop: (m,) target i leaves out the columns `known[start[i] : stop[i]] - offset`, except itself.
        known: ascending within a slice; one given twice counts once.

    Returns:
        (2, m).
    """
    ranks = np.empty((2, len(target)), np.int64)
    width = scores.shape[1]
    for i in prange(len(target)):
        line = scores[row[i]]
        true = _lowered(line[target[i]])
        lowest = true == -np.inf  # every other scores at least that, NaN included
        above = 0
        at_least = 0
        whole = width - width % COLUMNS
        for j in range(0, whole, COLUMNS):
            above += count_above(line, j, true)
            at_least += count_from(line, j, true)
        for j in range(whole, width):  # NaN is neither
            above += line[j] > true
            at_least += line[j] >= true
        if lowest:
            at_least = width
        previous = -1
        for k in range(start[i], stop[i]):
            column = known[k] - offset
            if column != previous and column != target[i]:
                above -= line[column] > true
                at_least -= lowest or line[column] >= true
            previous = column
        ranks[0, i] = 1 + above
        ranks[1, i] = at_least
    return ranks
