import numba
import numpy as np
import pytest

from relwise.kernels.sorting import sort_by_key


@pytest.mark.parametrize(
    ("first", "second", "keys"),
    [(0, 0, 0), (0, 0, 3), (1, 0, 1), (0, 1, 1), (5, 5, 3), (1000, 1000, 1), (1000, 400, 20), (300, 300, 5000)],
)
def test_a_stable_sort_of_both_arrays(first, second, keys):
    rng = np.random.default_rng(0)
    left, right = (rng.integers(0, max(keys - 1, 1), count) for count in (first, second))
    both = np.concatenate([left, right])
    indptr, order = sort_by_key(left, right, keys)
    np.testing.assert_array_equal(order, np.argsort(both, kind="stable"))
    np.testing.assert_array_equal(indptr, np.searchsorted(np.sort(both), np.arange(keys + 1)))
    assert indptr.dtype == order.dtype == np.int32


def test_the_same_in_one_thread_and_in_two():
    keys = np.random.default_rng(0).integers(0, 50, 10_000)
    before, results = numba.get_num_threads(), []
    for threads in (1, min(2, numba.config.NUMBA_NUM_THREADS)):
        numba.set_num_threads(threads)
        results.append(sort_by_key(keys, keys[::-1].copy(), 50))
    numba.set_num_threads(before)
    for one, other in zip(*results, strict=True):
        np.testing.assert_array_equal(one, other)
