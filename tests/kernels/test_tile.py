"""A tile's products: right, and the same bits wherever a pair of vectors stands."""

from __future__ import annotations

import numpy as np
import pytest
from numba import njit

from relwise.kernels.tile import COLUMNS, FUSED, ROWS, _shape, count_above, count_from, dot, multiply_add, multiply_tile


@njit
def multiply(left, block, right, out):
    multiply_tile(left, block, right, out)


@njit
def count(scores, start, value):
    return count_above(scores, start, value), count_from(scores, start, value)


@pytest.mark.parametrize("depth", [1, 2, 7, 128])
def test_products_by_float64(depth: int) -> None:
    rng = np.random.default_rng(depth)
    left = rng.standard_normal((3, depth, ROWS)).astype(np.float32)
    right = rng.standard_normal((depth, COLUMNS)).astype(np.float32)
    out = np.full((ROWS, COLUMNS), np.nan, np.float32)
    for block in range(3):
        multiply(left, block, right, out)
        expected = left[block].T.astype(np.float64) @ right.astype(np.float64)
        np.testing.assert_allclose(out, expected, rtol=1e-5, atol=1e-5)


def test_a_dot_has_the_bits_of_any_place_in_a_tile() -> None:
    rng = np.random.default_rng(0)
    query, candidate = rng.standard_normal((2, 100)).astype(np.float32)
    out = np.empty((ROWS, COLUMNS), np.float32)
    left = np.ascontiguousarray(np.broadcast_to(query[:, None], (100, ROWS))[None])
    multiply(left, 0, np.ascontiguousarray(np.broadcast_to(candidate[:, None], (100, COLUMNS))), out)
    assert (out == dot(query, candidate)).all()


def test_counts_by_numpy() -> None:
    scores = np.random.default_rng(0).integers(0, 5, (3, COLUMNS + 1)).astype(np.float32)
    scores[1, :4] = np.nan, np.inf, -np.inf, 2
    for start in (0, COLUMNS + 1, 7):
        row = scores.ravel()[start : start + COLUMNS]
        for value in (np.float32(2), np.float32(-np.inf), np.float32(np.inf), np.float32(9)):
            assert count(scores, start, value) == ((row > value).sum(), (row >= value).sum())


@pytest.mark.parametrize("features", [{"avx512f", "fma"}, {"fma"}, set()])
def test_sums_fit_the_registers(features: set[str]) -> None:
    for machine in ("x86_64", "arm64"):
        lanes, rows, vectors, _ = _shape(features, machine)
        registers = 32 if lanes == 16 or (machine == "arm64" and not features) else 16
        assert rows * vectors + vectors <= registers
        assert lanes * vectors <= 64, "counts are taken of the bits of one number"


@njit
def multiply_and_add(left, right, total):
    out = np.empty_like(total)
    for n in range(len(out)):
        out[n] = multiply_add(left[n], right[n], total[n])
    return out


@pytest.mark.skipif(not FUSED, reason="this processor rounds twice")
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_product_and_its_sum_are_rounded_once(dtype: type[np.floating]) -> None:
    # (1 + e)² - 1 - 2e = e², of which two roundings would leave nothing.
    e = np.finfo(dtype).eps
    left = np.full(37, 1 + e, dtype)
    assert (multiply_and_add(left, left, np.full(37, -1 - 2 * e, dtype)) == dtype(e) * dtype(e)).all()
