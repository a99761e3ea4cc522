"""The nearest probability of a pool against NumPy in float64, of one edge and of many side by side."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numba import njit

from relwise.kernels.nearest import CLOSE, GROUP, SLOTS, nearest, nearest_of_each, round_down


@njit
def choose_each(logits, pool, step, wanted, goal, bound):
    slots, ends, gaps = np.empty(3 * step, np.int32), np.empty(2 * step, logits.dtype), np.empty(step, logits.dtype)
    nearest_of_each(logits, pool, step, len(wanted), wanted, goal, bound, slots, ends, gaps)
    return slots[: len(wanted)], gaps[: len(wanted)]


def choices(logits, wanted, bound):
    """Of (edges, pool) logits: slots, and how much nearer they are."""
    count, pool = logits.shape
    step = -(-count // GROUP) * GROUP
    side_by_side = np.full((pool, step), np.nan, logits.dtype)
    side_by_side[:, :count] = logits.T
    wide = np.zeros((2, step), logits.dtype)
    wide[0, :count], wide[1, :count] = wanted, bound
    return choose_each(side_by_side.ravel(), pool, step, wanted, *wide)


def by_probability(logits, wanted):
    return np.abs(1 / (1 + np.exp(-np.asarray(logits, np.float64))) - wanted)


def chosen(logits, wanted, bound):
    """The choice from a pool that stands behind another number, filled up as `nearest` asks."""
    filled = np.pad(logits, (1, 0), constant_values=wanted)
    filled = np.append(filled, np.full(-len(logits) % SLOTS, logits[0], logits.dtype))
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
        ([np.inf, -np.inf], 0.1, 1),
        ([np.inf, np.inf], 0.1, 0),
    ],
)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("copies", [1, 20])
def test_ties_and_saturation(logits, wanted, expected, dtype, copies):
    with np.errstate(divide="ignore"):
        bound = dtype(np.log(wanted) - np.log1p(-wanted))
    pool = np.tile(np.array(logits, dtype), copies)
    assert chosen(pool, wanted, bound) == expected
    slots, _ = choices(np.stack([pool] * 3), np.full(3, wanted), bound)
    assert slots.tolist() == [expected] * 3


@pytest.mark.parametrize("length", [1, 2, 17, 40])
def test_where_logits_are_no_numbers_a_slot_is_taken_all_the_same(length):
    for logits in (np.full(length, np.nan, np.float32), np.where(np.arange(length) % 2, 1, np.nan).astype(np.float32)):
        assert 0 <= chosen(logits, 0.5, np.float32(0)) < length
        slots, _ = choices(logits[None], np.array([0.5]), np.float32(0))
        assert 0 <= slots[0] < length


# -- of many edges ---------------------------------------------------------------------------------------


def bounds(wanted, dtype):
    """The logit of a probability, rounded down."""
    with np.errstate(divide="ignore"):
        exact = np.log(wanted) - np.log1p(-wanted)
    rounded = exact.astype(dtype)
    return np.where(rounded > exact, np.nextafter(rounded, -np.inf, dtype=dtype), rounded).astype(dtype)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("count", [1, GROUP - 1, GROUP, GROUP + 3])
@pytest.mark.parametrize("pool", [1, 2, 17, 100])
@pytest.mark.parametrize("scale", [1e-6, 0.1, 3, 40])
def test_many_edges_choose_what_each_chooses_by_itself(dtype, count, pool, scale):
    rng = np.random.default_rng(pool)
    logits = (scale * rng.normal(size=(count, pool))).astype(dtype)
    wanted = np.append(rng.uniform(0, 1, count)[1:], 1.0)
    bound = bounds(wanted, dtype)
    slots, _ = choices(logits, wanted, bound)
    assert slots.tolist() == [chosen(*edge) for edge in zip(logits, wanted, bound, strict=True)]


def test_what_single_precision_cannot_tell_apart_is_told_in_double():
    # Logits so near the wanted one on either side that the distances differ by less than float32 holds.
    wanted, rng = np.full(4000, 0.5), np.random.default_rng(0)
    logits = (rng.choice([1, 1 + 1e-6], (4000, 2)) * [1e-2, -1e-2]).astype(np.float32)
    slots, gaps = choices(logits, wanted, bounds(wanted, np.float32))
    assert (abs(gaps) < CLOSE).all()
    distance = abs(1 / (1 + np.exp(-logits.astype(np.float64))) - 0.5)
    assert np.array_equal(slots, np.where(distance[:, 0] < distance[:, 1], 0, 1))
    assert 500 < slots.sum() < 3500


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_sure_choice_is_never_wrong(dtype):
    # A grid of both neighbours' probabilities about the wanted one, as near as `CLOSE` and nearer.
    rng, count = np.random.default_rng(1), 20_000
    wanted = rng.uniform(0.01, 0.99, count)
    distance = wanted * (1 - wanted) * rng.uniform(0, 1, count)
    other = distance + CLOSE * rng.uniform(-3, 3, count)
    pairs = np.clip(np.stack([wanted - distance, wanted + other], 1), 1e-9, 1 - 1e-9)
    logits, bound = np.log(pairs / (1 - pairs)).astype(dtype), bounds(wanted, dtype)
    slots, gaps = choices(logits, wanted, bound)
    assert 0.05 < (abs(gaps) < CLOSE).mean() < 0.95
    assert slots.tolist() == [chosen(*edge) for edge in zip(logits, wanted, bound, strict=True)]


@njit
def rounded_down(numbers, like):
    out = np.empty_like(like)
    for n in range(len(numbers)):
        out[n] = round_down(numbers[n], like)
    return out


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_rounding_down_leaves_no_number_between(dtype):
    exact = np.append(np.random.default_rng(0).normal(size=1000), [0.5, np.inf, -np.inf, 1e300, -1e300, 1e-50])
    found = rounded_down(exact, np.empty(len(exact), dtype))
    assert (found <= exact).all()
    with np.errstate(over="ignore"):
        above = np.nextafter(found, dtype(np.inf))
    assert ((above > exact) | (found == exact)).all()
    assert np.isnan(rounded_down(np.array([np.nan]), np.empty(1, dtype))[0])
