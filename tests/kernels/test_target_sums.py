"""Sums by target, against a loop over the edges."""

import numpy as np
import pytest

from relwise.kernels.target_sums import SUMS, add_by_target


@pytest.mark.parametrize("heads", [1, 2, 3, 4])
@pytest.mark.parametrize("count", [0, 1, 7, 100])
@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float32, 2e-4), (np.float64, 1e-11)])
def test_what_edges_add_to_their_targets(count, heads, dtype, tolerance):
    rng = np.random.default_rng(8)
    alpha, beta = rng.normal(size=(heads, 120)).astype(dtype), rng.normal(size=(heads, 160)).astype(dtype)
    dots = rng.normal(size=120).astype(dtype)
    index = rng.integers(0, 5, 120).astype(np.uint32)  # targets that many edges have in common
    part, want = np.ones(5 * heads * SUMS, dtype), np.ones((5, heads, SUMS))
    add_by_target(index, count, alpha, beta, 3, dots, part)
    for head in range(heads):
        for n in range(count):
            a, b, g = float(alpha[head, n]), float(beta[head, 3 + n]), float(dots[n])
            want[index[n], head] += a * g, b * g
    np.testing.assert_allclose(part.reshape(5, heads, SUMS), want, rtol=tolerance, atol=tolerance)
