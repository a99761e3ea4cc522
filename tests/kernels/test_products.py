"""Products of gathered rows against NumPy in float64, and the choice by logits against the choice by probabilities."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relwise.kernels.products import LANES, block_products, nearest, row_products


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("count", [0, 1, 4, 7, 32])
@pytest.mark.parametrize("pool", [1, 3, 4, 10, 101])
@pytest.mark.parametrize("width", [1, 8, 33, 128])
def test_products_are_those_of_matrices(dtype, count, pool, width):
    rng = np.random.default_rng(0)
    queries, rows = rng.normal(size=(count, width)).astype(dtype), rng.normal(size=(50, width)).astype(dtype)
    which = rng.integers(0, 50, pool).astype(np.int32)
    expected = queries.astype(np.float64) @ rows[which].astype(np.float64).T
    out = np.full((count + 2, pool), -7, dtype)
    block_products(queries, rows, which, out)
    tolerance = 1e-13 if dtype == np.float64 else 2e-6 * np.sqrt(width)
    assert np.allclose(out[:count], expected, rtol=0, atol=tolerance * np.sqrt(width))
    assert (out[count:] == -7).all()
    for query, row in zip(queries, expected, strict=True):
        one = np.empty(pool, dtype)
        row_products(query, rows, which, one)
        assert np.allclose(one, row, rtol=0, atol=tolerance * np.sqrt(width))


def by_probability(logits, wanted):
    return np.abs(1 / (1 + np.exp(-np.asarray(logits, np.float64))) - wanted)


def chosen(logits, wanted, bound):
    """The choice from a pool that stands behind another number, filled up as `nearest` asks."""
    filled = np.pad(logits, (1, 0), constant_values=wanted)
    filled = np.append(filled, np.full(-len(logits) % LANES, logits[0], logits.dtype))
    return nearest(filled, 1, len(filled), wanted, bound)


@given(st.lists(st.floats(-12, 12, width=32), min_size=1, max_size=40), st.floats(0.001, 0.999))
@settings(max_examples=200, deadline=None)
def test_the_nearest_logit_is_the_nearest_probability(values, wanted):
    logits, bound = np.array(values, np.float32), np.float32(np.log(wanted / (1 - wanted)))
    distance = by_probability(logits, wanted)
    assert distance[chosen(logits, wanted, bound)] <= distance.min() + 1e-7


@pytest.mark.parametrize(
    ("logits", "wanted", "expected"),
    [
        ([1.0, 1.0, 1.0], 0.5, 0),  # equal logits: the first
        ([800.0, -800.0, 800.0], 0.5, 1),  # equally near: the less likely
        ([90.0, 70.0, 80.0], 0.5, 1),  # all of probability one: the nearest logit
        ([-90.0, -70.0, -80.0], 0.5, 1),
        ([90.0, 95.0, 80.0], 1.0, 1),  # the hardest
        ([-90.0, -95.0, -80.0], 0.0, 1),  # the easiest
        ([-np.inf, -np.inf], 0.5, 0),
        ([np.inf, 5.0], 0.9, 1),
    ],
)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("copies", [1, 20])
def test_ties_and_saturation(logits, wanted, expected, dtype, copies):
    with np.errstate(divide="ignore"):
        bound = dtype(np.log(wanted) - np.log1p(-wanted))
    assert chosen(np.tile(np.array(logits, dtype), copies), wanted, bound) == expected


@pytest.mark.parametrize("length", [1, 2, 17, 40])
def test_where_logits_are_no_numbers_a_slot_is_taken_all_the_same(length):
    for logits in (np.full(length, np.nan, np.float32), np.where(np.arange(length) % 2, 1, np.nan).astype(np.float32)):
        assert 0 <= chosen(logits, 0.5, np.float32(0)) < length
