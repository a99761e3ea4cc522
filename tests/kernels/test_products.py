"""Products of gathered rows against NumPy in float64."""

import numpy as np
import pytest

from relwise.kernels.products import row_products


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("pool", [1, 3, 4, 10, 101])
@pytest.mark.parametrize("width", [1, 8, 33, 128])
def test_products_are_those_of_a_matrix(dtype, pool, width):
    rng = np.random.default_rng(0)
    query, rows = rng.normal(size=width).astype(dtype), rng.normal(size=(50, width)).astype(dtype)
    which = rng.integers(0, 50, pool).astype(np.int32)
    expected = rows[which].astype(np.float64) @ query.astype(np.float64)
    out = np.full(pool, -7, dtype)
    row_products(query, rows, which, out)
    tolerance = 1e-13 if dtype == np.float64 else 2e-6 * np.sqrt(width)
    assert np.allclose(out, expected, rtol=0, atol=tolerance * np.sqrt(width))
