"""Sieves: every key passes, and few others."""

import numpy as np
import pytest
from numba import njit

from relwise.kernels import sieve as module
from relwise.kernels.mixing import mix
from relwise.kernels.sieve import NOTHING, PLACES, row_key, sieve, sieve_of_rows


@njit
def pass_rows(bits, rows, nodes):
    """Whether each node may be in the row that begins there."""
    return np.array([module.passes(bits, row_key(rows[n], nodes[n])) for n in range(len(rows))])


@pytest.mark.parametrize("count", [0, 1, 5_000])
def test_few_other_keys_pass_the_sieve(count):
    rng = np.random.default_rng(count)
    keys, others = (np.unique(rng.integers(0, 2**40, n)).astype(np.uint64) for n in (count, 100_000))
    bits = np.unpackbits(sieve(keys), bitorder="little")
    places = np.array([mix(other) for other in others], np.uint64) & np.uint64(len(bits) - 1)
    passed = bits[places].mean()
    assert bits.sum() <= len(keys)
    assert passed <= 1.1 / PLACES
    assert (passed > 0) == (count > 0)


def test_partners_pass_the_sieve_of_their_rows_and_others_of_none():
    indptr, partners = np.array([0, 2, 2, 5, 5]), np.array([3, 8, 3, 4, 2**31 - 1], np.int32)
    first, bits = np.array([0, 0, 2, 2, 2]), sieve_of_rows(indptr, partners)
    assert pass_rows(bits, first, partners).all()
    assert not pass_rows(bits, 5 - first, partners).all()
    assert pass_rows(NOTHING, 5 - first, partners).all()


def test_there_is_none_of_more_keys_than_a_cache_holds(monkeypatch):
    monkeypatch.setattr(module, "LARGEST", 1)
    assert not len(sieve_of_rows(np.array([0, 2]), np.array([3, 4], np.int32)))
