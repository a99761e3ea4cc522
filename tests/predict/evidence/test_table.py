import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from relwise.predict.evidence.table import merged, merged_without_each

PATTERNS = [(0,), (0, 2), (1, 3, 5), (2,), (0, 4), (1, 3, 1), (1,), (5, 3, 1)]


@given(st.lists(st.sampled_from([0.0, 1e-7, 1e-3, 0.25, 1.0, 3.0]), min_size=16, max_size=16), st.integers(0, 8))
def test_without_each_pattern_is_merged_of_the_others(values, count):
    patterns, paths = PATTERNS[:count], np.array(values, dtype=np.float32).reshape(2, 8)[:, :count]
    found = merged_without_each(patterns, paths)
    assert found.shape == (2, count)
    for column, pattern in enumerate(patterns):
        less = paths.copy()
        less[:, column] = 0
        np.testing.assert_allclose(found[:, column], merged(patterns, less)[:, len(pattern) - 1], rtol=1e-12, atol=0)
