"""`relwise.kernels.vector`: a place in ascending values, and a logarithm."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numba import njit

from relwise.kernels.vector import first_from, log_of_sum


@given(st.lists(st.integers(-5, 5)), st.integers(-6, 6), st.data())
def test_first_from_is_searchsorted_in_a_slice(values, least, data):
    ascending = np.sort(np.array(values, np.int64))
    begin = data.draw(st.integers(0, len(values)))
    end = data.draw(st.integers(begin, len(values)))
    assert first_from.py_func(ascending, begin, end, least) == begin + np.searchsorted(ascending[begin:end], least)


@njit
def logarithms(values, out):
    for n in range(len(values)):
        out[n] = log_of_sum(values[n])


@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float32, 2e-7), (np.float64, 1e-15)])
def test_logarithm_of_a_sum(dtype, tolerance):
    near, far = 1 + np.random.default_rng(0).random(100_000), np.exp(np.linspace(0, 80, 100_000))
    values = np.concatenate([[1, 2, 0.5**0.5, 2**0.5, np.nan], near, far]).astype(dtype)
    out = np.empty_like(values)
    logarithms(values, out)
    np.testing.assert_allclose(out, np.log(values.astype(np.float64)), rtol=tolerance)
    assert out[0] == 0
