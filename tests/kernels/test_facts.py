import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relwise.data.edges import edge_keys
from relwise.kernels.facts import count_facts
from relwise.kernels.partners import buckets
from relwise.kernels.sieve import sieve


def counted(keys, heads, relations, tails, directed, num_nodes):
    keys = np.unique(np.asarray(keys, np.uint64))
    return count_facts(keys, sieve(keys), *buckets(keys), heads, relations, tails, directed, np.uint64(num_nodes))


@settings(deadline=None)  # the first call compiles
@given(st.integers(0, 2**32 - 1), st.integers(1, 40), st.integers(0, 60), st.integers(0, 60))
def test_counts_what_a_set_of_keys_counts(seed, num_nodes, facts, asked):
    rng = np.random.default_rng(seed)
    directed = rng.random(3) < 0.5
    draw = lambda n: (rng.integers(0, num_nodes, n), rng.integers(0, 3, n), rng.integers(0, num_nodes, n))  # noqa: E731
    known = edge_keys(*draw(facts), num_nodes, directed)
    edges = draw(asked)
    want = int(np.isin(edge_keys(*edges, num_nodes, directed), known).sum())
    assert counted(known, *edges, directed, num_nodes) == want


@pytest.mark.parametrize("num_nodes", [10**9, 3_037_000_499])  # keys of up to 63 bits
def test_the_largest_keys_are_found(num_nodes):
    ends = np.array([0, num_nodes - 1, num_nodes - 2])
    relations, directed = np.zeros(3, np.int64), np.array([True])
    keys = edge_keys(ends, relations, ends[::-1], num_nodes, directed)
    assert counted(keys, ends, relations, ends[::-1], directed, num_nodes) == 3
    assert counted(keys[:1], ends, relations, ends[::-1], directed, num_nodes) == 1
    assert counted(keys, ends, relations, ends, directed, num_nodes) == int((ends == ends[::-1]).sum())
