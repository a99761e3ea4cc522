import numpy as np
import pytest
from numba import njit

from relwise.kernels import lanes

COUNTS = [0, 1, 7, 8, 15, 16, 17, 100]
TYPES = [(np.float32, 2e-6), (np.float64, 1e-13)]


@njit
def highest(logit, start, count, shift, slope):
    return lanes.highest(logit, start, count, shift, slope)


@njit
def exponentials(logit, start, count, shift, slope, top, out):
    return lanes.exponentials(logit, start, count, shift, slope, top, out)


@njit
def add_scaled(values, start, count, scale, begin, out):
    lanes.add_scaled(values, start, count, scale, begin, out)


@njit
def inner_product(left, left_start, right, right_start, count):
    return lanes.inner_product(left, left_start, right, right_start, count)


@njit
def attention_again(logit, logsumexp, start, count, shift, slope, share, begin, alpha, beta, at, weight):
    lanes.attention_again(logit, logsumexp, start, count, shift, slope, share, begin, alpha, beta, at, weight)


def numbers(dtype, seed=0):
    return np.random.default_rng(seed).normal(size=160).astype(dtype) * dtype(3)


def leaky(x, slope):
    return np.where(x > 0, x, slope * x)


@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize(("dtype", "tolerance"), TYPES)
@pytest.mark.parametrize("slope", [0.0, 0.2])
def test_maximum_and_exponentials_of_a_run(count, dtype, tolerance, slope):
    logit, start, shift, slope = numbers(dtype), 3, dtype(0.5), dtype(slope)
    logit[start + count :] = np.nan
    want = leaky(logit[start : start + count].astype(np.float64) + 0.5, float(slope))
    top = highest(logit, start, count, shift, slope)
    assert top == pytest.approx(want.max(initial=-np.inf), rel=tolerance)
    top, out = dtype(top if count else 0), np.full_like(logit, 7)
    total, sloped = exponentials(logit, start, count, shift, slope, top, out)
    np.testing.assert_allclose(out[start : start + count], np.exp(want - top), rtol=10 * tolerance)
    assert total == pytest.approx(np.exp(want - top).sum(), rel=tolerance)
    slopes = np.where(logit[start : start + count] + shift > 0, 1, slope)
    assert sloped == pytest.approx((np.exp(want - top) * slopes).sum(), rel=tolerance)
    assert (out[:start] == 7).all()
    assert (out[start + count + lanes.ROOM :] == 7).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_exponentials_of_what_is_far_below_and_of_no_number(dtype):
    logit = np.zeros(40, dtype)
    logit[:5] = 0, -1e4, -np.inf, np.nan, -60
    out, one = np.empty_like(logit), dtype(1)
    assert np.isnan(exponentials(logit, 0, 5, dtype(0), one, dtype(0), out)).all()
    np.testing.assert_allclose(out[:5], [1, 0, 0, np.nan, np.exp(-60)], rtol=1e-5)
    assert highest(logit, 0, 5, dtype(0), one) == 0
    assert highest(logit, 2, 2, dtype(0), one) == -np.inf


@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize(("dtype", "tolerance"), TYPES)
def test_sums_and_products_of_runs(count, dtype, tolerance):
    left, right = numbers(dtype, 1), numbers(dtype, 2)
    left[5 + count :] = np.nan
    want = (left[5 : 5 + count].astype(np.float64) * right[9 : 9 + count]).sum()
    assert inner_product(left, 5, right, 9, count) == pytest.approx(want, rel=20 * tolerance, abs=20 * tolerance)
    out = np.full_like(left, np.nan)
    add_scaled(left, 5, count, dtype(2), True, out)
    add_scaled(left, 5, count, dtype(3), False, out)
    np.testing.assert_allclose(out[5 : 5 + count], 5 * left[5 : 5 + count], rtol=tolerance)


@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize(("dtype", "tolerance"), TYPES)
def test_attention_again_of_runs_one_after_the_other(count, dtype, tolerance):
    logit, highs = numbers(dtype, 3), numbers(dtype, 4) + dtype(12)
    alpha, beta, weight = (np.full_like(logit, np.nan) for _ in range(3))
    slope, share, runs = dtype(0.2), dtype(0.5), ((0, 3), (3, count))
    wanted = np.zeros(3 + count)
    for head in range(2):
        for start, size in runs:
            of_run = logit, highs, start, size, dtype(head), slope, share, head == 0
            attention_again(*of_run, alpha, beta, start + 2, weight)
        x = logit[: 3 + count].astype(np.float64) + head
        want = np.exp(leaky(x, 0.2) - highs[: 3 + count])
        wanted += want / 2
        np.testing.assert_allclose(alpha[: 3 + count], want, rtol=10 * tolerance)
        np.testing.assert_allclose(beta[2 : 5 + count], want * np.where(x > 0, 1, 0.2), rtol=10 * tolerance)
    np.testing.assert_allclose(weight[: 3 + count], wanted, rtol=10 * tolerance)
