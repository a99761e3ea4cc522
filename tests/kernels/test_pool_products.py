"""A block's logits against NumPy in float64, and the bits of a tile: those of a chain of multiply-adds."""

import numpy as np
import pytest
from numba import njit

from relwise.kernels.pool_products import pool_logits, workspace
from relwise.kernels.tile import LANES, ROWS, dot


@njit
def logits_of(query, first, last, nodes, candidates, step):
    """(edges, candidates), from where they stand side by side."""
    pool = len(candidates)
    space, logits = workspace(step, nodes.shape[1]), np.full(-(-pool // ROWS) * ROWS * step, -7, nodes.dtype)
    pool_logits(query, first, last, nodes, candidates, space, step, logits)
    return logits.reshape(-1, step)[:pool, : last - first].T


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("count", [1, 5, 16, 17, 33, 70])
@pytest.mark.parametrize("pool", [1, 6, 10, 65, 100])
@pytest.mark.parametrize("width", [1, 16, 33, 128])
def test_logits_are_those_of_a_product_of_matrices(dtype, count, pool, width):
    rng = np.random.default_rng(pool)
    query, nodes = rng.normal(size=(count + 5, width)).astype(dtype), rng.normal(size=(50, width)).astype(dtype)
    query[:3], query[3 + count :] = np.nan, np.nan  # other blocks'
    candidates = rng.integers(0, 50, pool).astype(np.int32)
    found = logits_of(query, 3, 3 + count, nodes, candidates, -(-(count + 2) // LANES) * LANES)
    expected = query[3 : 3 + count].astype(np.float64) @ nodes[candidates].astype(np.float64).T
    tolerance = 1e-13 if dtype == np.float64 else 2e-6 * np.sqrt(width)
    np.testing.assert_allclose(found, expected, rtol=0, atol=tolerance * np.sqrt(width))
    if dtype == np.float32:
        assert found[0, 0] == dot(query[3], nodes[candidates[0]])
        assert found[-1, -1] == dot(query[2 + count], nodes[candidates[-1]])


def test_where_a_pool_holds_no_numbers_the_others_keep_theirs():
    query, nodes = np.ones((4, 20), np.float32), np.ones((9, 20), np.float32)
    nodes[5] = np.nan
    found = logits_of(query, 0, 4, nodes, np.array([1, 5, 2], np.int32), LANES)
    assert np.isnan(found[:, 1]).all()
    assert (found[:, ::2] == 20).all()
