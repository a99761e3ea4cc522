import numpy as np
import pytest

from relwise.kernels.row_sums import rows_back, sum_rows
from relwise.kernels.vector import AHEAD

WIDTHS = [0, 1, 5, 16, 19, 64, 100, 128, 300]  # strips, half strips, single registers and what is left


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
    out = np.full(width + 1, 7, dtype)
    sum_rows(rows, index, weight, 3, count, out[:width])
    np.testing.assert_allclose(out[:width], want, rtol=tolerance, atol=10 * tolerance)
    assert out[width] == 7
    said, grad, dots = rows[0].copy(), np.full(width, np.nan, dtype), np.full(3 + count, 7, dtype)
    rows_back(rows, index, weight, 3, count, said, grad, dots)
    np.testing.assert_allclose(grad, want, rtol=tolerance, atol=10 * tolerance)
    np.testing.assert_allclose(dots[3:], run @ said, rtol=tolerance, atol=10 * tolerance)
    assert (dots[:3] == 7).all()
