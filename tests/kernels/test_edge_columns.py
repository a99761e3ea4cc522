import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relwise.kernels.edge_columns import columns_of, replaced_columns


@settings(deadline=None)
@given(st.data())
def test_columns_are_those_of_numpy(data):
    edges, each = data.draw(st.integers(1, 50)), data.draw(st.integers(1, 4))
    rng = np.random.default_rng(data.draw(st.integers(0, 9)))
    ends, relations = rng.integers(0, 99, (2, edges)).astype(np.int32), rng.integers(0, 7, edges).astype(np.int32)
    index = rng.integers(0, edges, data.draw(st.integers(0, 60)))
    replaced, nodes = rng.integers(0, 2, len(index)), rng.integers(100, 200, len(index) * each)
    columns = columns_of(ends, relations, index)
    for found, wanted in zip(columns, (ends[0, index], relations[index], ends[1, index]), strict=True):
        assert found.dtype == np.int64
        assert found.tolist() == wanted.tolist()
        assert not found.flags.writeable

    heads, kinds, tails = replaced_columns(ends, relations, index, replaced, nodes)
    wide, which = np.repeat(ends[:, index], each, axis=1), np.repeat(replaced, each)
    np.put_along_axis(wide, which[None], nodes[None].astype(np.int32), axis=0)
    assert heads.tolist() == wide[0].tolist()
    assert tails.tolist() == wide[1].tolist()
    assert kinds.tolist() == np.repeat(relations[index], each).tolist()


@pytest.mark.parametrize("index", [[-1], [2], [0, 5]])
def test_an_edge_that_is_none_is_refused(index):
    with pytest.raises(IndexError, match=r"outside 0\.\.1"):
        columns_of(np.zeros((2, 2), np.int32), np.zeros(2, np.int32), np.array(index))
