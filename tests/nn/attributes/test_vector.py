import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from relwise.nn.attributes import VectorEncoder
from tests.nn.attributes.cases import DIM, EncoderCase

ANY = arrays(np.float32, st.tuples(st.integers(0, 5), st.just(3)), elements=st.floats(width=32))


class TestVector(EncoderCase):
    encoder_class = VectorEncoder

    def values(self, n, seed=0):
        return np.random.default_rng(seed).normal(3, 2, size=(n, 5)).astype(np.float32)

    @given(ANY, ANY)
    @settings(deadline=None)
    def test_any_floats(self, fitted, values):
        encoder = VectorEncoder.fit(fitted, DIM)
        self.check(encoder, values)
        assert (encoder.prepare(values).abs() <= 10).all()


def test_formula():
    values = np.array([[0, 7, 1], [4, 7, 1], [np.nan] * 3, [2, 7, np.nan]], dtype=np.float32)
    prepared = VectorEncoder.fit(values, DIM).prepare(np.array([[4, 8, 1], [1e30, 7, 1]], dtype=np.float32))
    assert prepared.tolist() == [[1, 1, 0, 0], [10, 0, 0, 0]]


def test_another_width_is_refused():
    with pytest.raises(ValueError, match=r"\(3, 4\), not \(n, 5\)"):
        VectorEncoder.fit(TestVector().values(3), DIM).prepare(np.zeros((3, 4), dtype=np.float32))
