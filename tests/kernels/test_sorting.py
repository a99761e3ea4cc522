import numba
import numpy as np
import pytest

from relwise.kernels.sorting import sort_by_key


@pytest.mark.parametrize(("count", "keys"), [(0, 0), (0, 3), (1, 1), (10, 3), (2000, 1), (1400, 20), (600, 5000)])
def test_a_stable_sort(count, keys):
    given = np.random.default_rng(0).integers(0, max(keys - 1, 1), count)
    indptr, order = sort_by_key(given, keys)
    np.testing.assert_array_equal(order, np.argsort(given, kind="stable"))
    np.testing.assert_array_equal(indptr, np.searchsorted(np.sort(given), np.arange(keys + 1)))
    assert indptr.dtype == order.dtype == np.int32


def test_the_same_in_one_thread_and_in_two():
    keys = np.random.default_rng(0).integers(0, 50, 20_000)
    before, results = numba.get_num_threads(), []
    for threads in (1, min(2, numba.config.NUMBA_NUM_THREADS)):
        numba.set_num_threads(threads)
        results.append(sort_by_key(keys, 50))
    numba.set_num_threads(before)
    for one, other in zip(*results, strict=True):
        np.testing.assert_array_equal(one, other)
