import numpy as np
import pytest
from numba import njit

from relwise.kernels import row_sums
from relwise.kernels.vector import AHEAD

WIDTHS = [0, 1, 5, 16, 19, 64, 100, 128, 300]  # strips, half strips, single registers and what is left


@njit
def sum_rows(rows, index, weight, start, count, out, at):
    row_sums.sum_rows(rows, index, weight, start, count, out, at)


@njit
def add_rows(rows, index, weight, start, count, out, at, slope):
    row_sums.add_rows(rows, index, weight, start, count, out, at, slope)


@njit
def rows_back(grad_out, index, weight, start, count, said, own, grad_said, at, dots):
    row_sums.rows_back(grad_out, index, weight, start, count, said, own, grad_said, at, dots)


def case(width, count, dtype):
    rng = np.random.default_rng(width)
    rows, weight = rng.normal(size=(40, width)).astype(dtype), rng.normal(size=count + 3).astype(dtype)
    index = rng.integers(0, 39, 3 + count + AHEAD).astype(np.uint32)
    rows[39] = np.nan  # in no run
    index[3 + count :] = 39
    return rows, index, weight


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("count", [0, 1, 50])
@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float32, 1e-5), (np.float64, 1e-13)])
def test_sums_of_rows_and_their_products_with_one(width, count, dtype, tolerance):
    rows, index, weight = case(width, count, dtype)
    run = rows[index[3 : 3 + count]].astype(np.float64)
    want = weight[3:].astype(np.float64) @ run
    out = np.full(width + 2, 7, dtype)
    sum_rows(rows, index, weight, 3, count, out, 1)
    np.testing.assert_allclose(out[1:-1], want, rtol=tolerance, atol=10 * tolerance)
    assert (out[[0, -1]] == 7).all()
    said, grad, dots = rows[:2].ravel(), np.full(width + 5, 7, dtype), np.full(3 + count, 7, dtype)
    rows_back(rows, index, weight, 3, count, said, width, grad, 4, dots)
    np.testing.assert_allclose(grad[4:-1], want, rtol=tolerance, atol=10 * tolerance)
    if width:  # else nothing is said of them
        np.testing.assert_allclose(dots[3:], run @ said[width:], rtol=tolerance, atol=10 * tolerance)
    assert (dots[:3] == 7).all()
    assert (grad[[0, 1, 2, 3, -1]] == 7).all()


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float32, 1e-5), (np.float64, 1e-13)])
def test_a_sum_added_to_what_stands_there_and_activated(width, dtype, tolerance):
    rows, index, weight = case(width, 50, dtype)
    own = np.random.default_rng(3).normal(size=width + 2).astype(dtype)
    value = own[1:-1] + weight[3:].astype(np.float64) @ rows[index[3:53]]
    out = own.copy()
    add_rows(rows, index, weight, 3, 50, out, 1, dtype(0.2))
    np.testing.assert_allclose(out[1:-1], np.where(value > 0, value, 0.2 * value), rtol=tolerance, atol=10 * tolerance)
    assert (out[[0, -1]] == own[[0, -1]]).all()
