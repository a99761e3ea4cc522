import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from relwise.kernels.counting import count_between

FLOATS = st.floats(-5, 5, width=32)


@settings(deadline=None)
@given(arrays(np.float32, st.integers(0, 400), elements=FLOATS), arrays(np.float32, st.integers(0, 9), elements=FLOATS))
def test_counts_are_those_of_sorting(numbers, bounds):
    bounds = np.sort(bounds)
    wanted = np.bincount(np.searchsorted(bounds, numbers, side="right"), minlength=len(bounds) + 1)
    assert count_between(numbers, bounds).tolist() == wanted.tolist()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_numbers_on_a_bound_and_beyond_all(dtype):
    numbers = np.array([-np.inf, 0, 1, 1, np.inf, np.nan], dtype)
    assert count_between(numbers, np.array([0, 1], dtype)).tolist() == [1, 1, 4]
