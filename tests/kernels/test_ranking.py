"""Ranks among products: those that a brute force over the same scores gives, whatever the division of the work."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numba import config, get_num_threads, set_num_threads

from relwise.kernels import ranking
from relwise.kernels.ranking import rank_products, rank_scores
from relwise.kernels.tile import COLUMNS, ROWS


def random_case(rng: np.random.Generator, rows: int, width: int, depth: int, odd: float = 0.0, offset: int = 0):
    """Whole-numbered vectors, so that products are exact and many alike; a share `odd` of them no finite numbers."""
    queries, candidates = (rng.integers(-2, 3, (n, depth)).astype(np.float32) for n in (rows, width))
    for array in (queries, candidates):
        mask = rng.random(array.shape) < odd
        array[mask] = rng.choice([np.nan, np.inf, -np.inf], mask.sum())
    target_indptr = np.concatenate([[0], rng.integers(0, 4, rows).cumsum()])
    target = rng.integers(0, width, target_indptr[-1])
    # Some of what is known lies outside the candidates: of another relation's type, it is to be of no account.
    known = [np.unique(rng.integers(max(0, offset - 9), offset + width + 9, rng.integers(0, 30))) for _ in range(rows)]
    stop = np.cumsum([len(k) for k in known])
    start = stop - [len(k) for k in known]
    return queries, candidates, target_indptr, target, start, stop, np.concatenate(known), offset


def brute_force(scores, target_indptr, target, start, stop, known, offset) -> np.ndarray:
    scores = np.where(np.isnan(scores), -np.inf, scores)
    columns, ranks = np.arange(scores.shape[1]), []
    for i, line in enumerate(scores):
        left_out = np.isin(columns, known[start[i] : stop[i]] - offset)
        for t in target[target_indptr[i] : target_indptr[i + 1]]:
            candidates = line[~left_out | (columns == t)]
            ranks.append((1 + (candidates > line[t]).sum(), (candidates >= line[t]).sum()))
    return np.array(ranks, dtype=np.int64).reshape(-1, 2).T


@settings(max_examples=80, deadline=None)
@given(
    st.integers(0, 2**32 - 1),
    st.integers(1, 3 * ROWS + 1),
    st.sampled_from([1, 5, COLUMNS - 1, COLUMNS, COLUMNS + 1, 3 * COLUMNS + 2]),
    st.integers(0, 5),
    st.sampled_from([0.0, 0.05, 0.5, 1.0]),
    st.sampled_from([0, 40]),
)
def test_by_brute_force(seed: int, rows: int, width: int, depth: int, odd: float, offset: int) -> None:
    case = random_case(np.random.default_rng(seed), rows, width, depth, odd, offset)
    with np.errstate(all="ignore"):
        scores = (case[0][:, None] * case[1][None]).sum(axis=2)
    np.testing.assert_array_equal(rank_products(*case), brute_force(scores, *case[2:]))


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([1, COLUMNS, 2 * COLUMNS + 3]), st.booleans())
def test_scores_by_brute_force(seed: int, width: int, odd: bool) -> None:
    rng = np.random.default_rng(seed)
    _, _, target_indptr, target, start, stop, known, _ = random_case(rng, 5, width, 1)
    known = np.minimum(known, width - 1)  # the last several times: it is to count once
    scores = rng.integers(0, 3, (5, width)).astype(np.float32)
    if odd:
        scores[rng.random(scores.shape) < 0.3] = rng.choice([np.nan, np.inf, -np.inf])
    row = np.repeat(np.arange(5), np.diff(target_indptr))
    ranks = rank_scores(scores, row, target, start[row], stop[row], known, 0)
    np.testing.assert_array_equal(ranks, brute_force(scores, target_indptr, target, start, stop, known, 0))


def test_equal_vectors_tie_wherever_they_stand() -> None:
    """Products of any numbers, rounded: copies of a candidate score the same to the bit, first or last of a panel."""
    rng = np.random.default_rng(0)
    candidates = rng.standard_normal((5 * COLUMNS + 3, 70)).astype(np.float32)
    copies = rng.permutation(len(candidates))[:40]
    candidates[copies] = candidates[copies[0]]
    queries = rng.standard_normal((2 * ROWS + 1, 70)).astype(np.float32)
    none = np.zeros(len(queries), np.int64)
    every = np.arange(len(queries) + 1) * len(copies)
    ranks = rank_products(queries, candidates, every, np.tile(copies, len(queries)), none, none, none)
    assert (ranks[1] - ranks[0] == 39).all()
    assert (ranks.reshape(2, len(queries), -1) == ranks.reshape(2, len(queries), -1)[:, :, :1]).all()


def test_the_same_in_any_division(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(1)
    case = random_case(rng, 40, 6 * COLUMNS + 1, 9, 0.01, 20)
    expected, before = rank_products(*case), get_num_threads()
    chunks = set()
    try:
        for threads in (1, config.NUMBA_NUM_THREADS):
            set_num_threads(threads)
            for numbers in (1, 9 * 7, 9 * 40, 1 << 20):  # of fewer rows than a tile has, up to all
                monkeypatch.setattr(ranking, "CHUNK", numbers)
                chunks.add(len(ranking._divide(40, 7, 9)[0]) - 1)
                np.testing.assert_array_equal(rank_products(*case), expected)
        # Few rows on many cores: the candidates are divided, here into more pieces than there are panels.
        for slices in (2, 3, 7):
            bounds = np.array([0, 40]), np.arange(slices + 1) * 7 // slices
            monkeypatch.setattr(ranking, "_divide", lambda *_, bounds=bounds: bounds)
            np.testing.assert_array_equal(rank_products(*case), expected)
    finally:
        set_num_threads(before)
    assert len(chunks) > 2


def test_the_division_covers_everything() -> None:
    for rows, panels, depth in ((1, 1, 1), (5, 100, 128), (100_000, 3, 64), (7, 2, 10_000_000)):
        row_bounds, panel_bounds = ranking._divide(rows, panels, depth)
        for bounds, last in ((row_bounds, rows), (panel_bounds, panels)):
            assert bounds[0] == 0
            assert bounds[-1] == last
            assert (np.diff(bounds) >= 0).all()


def test_what_is_wrong_is_said() -> None:
    one, two = np.ones((1, 2), np.float32), np.ones((3, 3), np.float32)
    zero, ends = np.array([0]), np.array([0, 1])
    with pytest.raises(ValueError, match="no common depth"):
        rank_products(one, two, ends, zero, zero, zero, zero)
    with pytest.raises(ValueError, match="2 queries"):
        rank_products(two[:2], two, ends, zero, zero, zero, zero)
    with pytest.raises(ValueError, match="outside the 3 candidates"):
        rank_products(two[:1], two, ends, np.array([3]), zero, zero, zero)
