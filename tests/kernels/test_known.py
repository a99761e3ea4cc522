"""Refusal: the same slots as comparing every candidate with every partner."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numba import njit

from relwise.kernels.known import (
    MARKS,
    SCAN,
    enter,
    find_refused,
    is_partner,
    leave,
    match_sixteen,
    search_sixteen,
    table_size,
)


@given(st.sets(st.integers(0, 60), max_size=40), st.lists(st.integers(0, 99), max_size=3))
@settings(max_examples=60, deadline=None)
def test_a_partner_is_found_within_its_row_only(row, around):
    partners = np.array([*around, *sorted(row), *around], dtype=np.int32)
    first, last = len(around), len(around) + len(row)
    assert [is_partner(partners, first, last, node) for node in range(61)] == [node in row for node in range(61)]


@pytest.mark.parametrize("pool", [1, 3, 40, 500])
@pytest.mark.parametrize("length", [0, 1, 3, 4, 9, 300, 3000])
@pytest.mark.parametrize("nodes", [30, 5000, 10**9])
def test_refused_slots_are_those_of_partners_and_of_the_anchor(pool, length, nodes):
    rng = np.random.default_rng(pool + length)
    size, table = table_size(pool), np.full(table_size(pool), -1, np.int32)
    marks = np.zeros(MARKS * size, np.uint8)
    assert size & (size - 1) == 0
    for at in range(5):
        row = np.unique(rng.integers(0, nodes, length))
        candidates = rng.integers(0, nodes, pool).astype(np.int32)
        candidates[rng.random(pool) < 0.3] = rng.choice(row) if length else 0
        anchor = int(candidates[rng.integers(pool)]) if rng.random() < 0.7 else int(rng.integers(0, nodes))
        row = row[row != anchor]
        partners = np.concatenate([[anchor], row, [anchor]]).astype(np.int32)
        link, slots = np.empty(pool, np.int32), np.full(at + pool, -7, np.int32)
        enter(table, marks, link, candidates)
        stop = find_refused(partners, 1, 1 + len(row), anchor, candidates, table, marks, link, slots, at)
        leave(table, marks, candidates)
        expected = np.flatnonzero(np.isin(candidates, row) | (candidates == anchor))
        assert sorted(slots[at:stop].tolist()) == expected.tolist()
        assert (slots[:at] == -7).all()
        assert (table == -1).all()
        assert not marks.any()


@njit
def match(candidates, start, anchor, partners, first, last):
    return match_sixteen(candidates, start, anchor, partners, first, last)


@njit
def search(candidates, start, anchor, partners, first, last):
    return search_sixteen(candidates, start, anchor, partners, first, last)


@pytest.mark.parametrize("find", [match, search])
@pytest.mark.parametrize("length", [0, 1, 3, 4, 9, 300, 3000])
@pytest.mark.parametrize("nodes", [30, 5000, 2**31])
def test_sixteen_at_a_time_the_same_are_found(find, length, nodes):
    rng = np.random.default_rng(length)
    for _ in range(5):
        row = np.unique(rng.integers(0, nodes, length))
        candidates = rng.integers(0, nodes, 3 * 16)
        candidates[rng.random(48) < 0.3] = rng.choice(row) if length else 0
        anchor = int(candidates[rng.integers(48)])
        # What stands before and after the row must not be found.
        partners = np.concatenate([candidates[:1], row, candidates[-1:]]).astype(np.int32)
        expected = np.isin(candidates, row) | (candidates == anchor)
        for start in (0, 16, 32):
            bits = int(find(candidates.astype(np.int32), start, anchor, partners, 1, 1 + len(row)))
            assert [bits >> slot & 1 for slot in range(16)] == expected[start : start + 16].tolist()


def test_both_ways_to_find_are_taken():
    assert SCAN * 1 < 300
    assert SCAN * 500 > 3000
