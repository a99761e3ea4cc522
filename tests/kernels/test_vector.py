"""`relwise.kernels.vector`: a place in ascending values."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from relwise.kernels.vector import first_from


@given(st.lists(st.integers(-5, 5)), st.integers(-6, 6), st.data())
def test_first_from_is_searchsorted_in_a_slice(values, least, data):
    ascending = np.sort(np.array(values, np.int64))
    begin = data.draw(st.integers(0, len(values)))
    end = data.draw(st.integers(begin, len(values)))
    assert first_from.py_func(ascending, begin, end, least) == begin + np.searchsorted(ascending[begin:end], least)
