import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relwise.kernels.choice import choose, places


def chosen(seed: int, eligible: np.ndarray, count: int) -> np.ndarray:
    out = np.ones(len(eligible), dtype=bool)
    choose(np.uint64(seed), eligible, count, out)
    return out


@pytest.mark.parametrize(("size", "count"), [(0, 0), (1, 0), (1, 1), (7, 7), (1000, 0), (1000, 1), (1000, 999)])
def test_exactly_so_many_are_chosen_and_none_that_may_not_be(size, count):
    for seed in range(20):
        eligible = np.random.default_rng(seed).permutation(2 * size) < size
        found = chosen(seed, eligible, count)
        assert found.sum() == count
        assert not (found & ~eligible).any()


def test_every_pair_is_as_likely_as_any_other():
    eligible = np.array([True, True, False, True, True, True])
    draws = np.array([chosen(seed, eligible, 2) for seed in range(20_000)], dtype=float)
    together = draws.T @ draws / len(draws)
    of_eligible = together[np.ix_(eligible, eligible)]
    # One of ten pairs; each one in two of five sets. Four deviations of a share of 20,000 draws are 0.014 at most.
    np.testing.assert_allclose(of_eligible[~np.eye(5, dtype=bool)], 0.1, atol=0.01)
    np.testing.assert_allclose(np.diag(of_eligible), 0.4, atol=0.014)


def test_the_seed_decides():
    eligible = np.ones(500, dtype=bool)
    assert (chosen(1, eligible, 150) == chosen(1, eligible, 150)).all()
    assert (chosen(1, eligible, 150) != chosen(2, eligible, 150)).any()


@settings(deadline=None)  # the first call compiles
@given(st.data())
def test_places_are_numpys(data):
    size, count = data.draw(st.integers(1, 50)), data.draw(st.integers(0, 400))
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    chosen, of = rng.random(size) < 0.5, rng.integers(0, size, count).astype(np.int32)
    eligible = rng.random(count) < data.draw(st.sampled_from([0.0, 0.5, 1.0]))
    np.testing.assert_array_equal(places(chosen, of, eligible), np.flatnonzero(chosen[of] & eligible))
