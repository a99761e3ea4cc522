"""Sums by target, against a loop over the edges."""

import numpy as np
import pytest
from numba import njit

from relwise.kernels import target_sums
from relwise.kernels.target_sums import SUMS


@njit
def add_by_target(index, count, alpha, beta, beta_start, dots, head, heads, part):
    target_sums.add_by_target(index, count, alpha, beta, beta_start, dots, head, heads, part)


@pytest.mark.parametrize("count", [0, 1, 7, 100])
@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float32, 2e-4), (np.float64, 1e-11)])
def test_what_edges_add_to_their_targets(count, dtype, tolerance):
    rng = np.random.default_rng(8)
    alpha, beta, dots = (rng.normal(size=160).astype(dtype) for _ in range(3))
    index = rng.integers(0, 5, 160).astype(np.uint32)  # targets that many edges have in common
    part, want = np.ones(5 * 2 * SUMS, dtype), np.ones((5, 2, SUMS))
    for head in range(2):
        add_by_target(index, count, alpha, beta, 3, dots, head, 2, part)
        for n in range(count):
            a, b, g = float(alpha[n]), float(beta[3 + n]), float(dots[n])
            want[index[n], head, :3] += a * g, b * g, b
    np.testing.assert_allclose(part.reshape(5, 2, SUMS), want, rtol=tolerance, atol=tolerance)
