"""Rows of known partners, against sets and dictionaries."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relwise.kernels import partners

NODES = 7
KINDS = np.array([[0, 2, 4], [1, 2, 5]], np.uint64)  # the relation in the middle is undirected
EDGES = st.lists(st.tuples(st.integers(0, NODES - 1), st.integers(0, 2), st.integers(0, NODES - 1)), max_size=40)


def rows(edges):
    heads, relations, tails = np.array(edges, dtype=np.int64).reshape(-1, 3).T.copy()
    pairs = np.empty(2 * len(edges), np.uint64)
    partners.pair_keys(heads, relations, tails, KINDS, np.uint64(NODES), pairs)
    pairs.sort()
    return partners.rows_of_pairs(pairs, np.uint64(NODES))


@given(EDGES)
@settings(max_examples=60, deadline=None)
def test_a_row_is_what_its_anchor_is_tied_to(edges):
    expected: dict[int, set[int]] = {}
    for head, relation, tail in edges:
        for end, anchor, partner in ((0, tail, head), (1, head, tail)):
            row = expected.setdefault(int(KINDS[end, relation]) * NODES + anchor, set())
            row |= {partner} - {anchor}
    keys, indptr, nodes = rows(edges)
    assert keys.tolist() == sorted(expected)
    assert len(indptr) == len(keys) + 2
    found = [nodes[indptr[row] : indptr[row + 1]].tolist() for row in range(len(keys) + 1)]
    assert found == [*(sorted(expected[key]) for key in sorted(expected)), []]


@pytest.mark.parametrize("spread", [1, 3, 1 << 20, 1 << 40])
@pytest.mark.parametrize("count", [0, 1, 2, 500])
def test_each_key_is_found_and_no_other(spread, count):
    size = np.uint64(1 << 21)
    # Anchors close together and far apart, in kinds of which some have no row.
    keys = np.unique(np.random.default_rng(count).integers(0, max(count, 1) * spread, count).astype(np.uint64))
    asked = np.concatenate([keys, keys + np.uint64(1), np.array([0, 5, 2**50], np.uint64)])
    kinds, out = np.unique(asked // size), np.empty(len(asked), np.int32)
    relations, anchors = np.searchsorted(kinds, asked // size), (asked % size).astype(np.int64)
    partners.find_rows(keys, *partners.buckets(keys), relations, anchors, kinds, size, out)
    place = {int(key): i for i, key in enumerate(keys)}
    assert out.tolist() == [place.get(int(key), len(keys)) for key in asked]
