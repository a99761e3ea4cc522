import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from relwise.nn.attributes import BooleanEncoder
from tests.nn.attributes.cases import DIM, EncoderCase, same_bits

BOOLEANS = st.lists(st.sampled_from([0.0, 1.0, np.nan]), max_size=9).map(lambda x: np.array(x, dtype=np.float64))


class TestBoolean(EncoderCase):
    encoder_class = BooleanEncoder

    def values(self, n, seed=0):
        return np.random.default_rng(seed).integers(0, 2, size=n).astype(np.float64)

    @given(BOOLEANS, BOOLEANS)
    @settings(deadline=None)
    def test_any_booleans(self, fitted, values):
        self.check(BooleanEncoder.fit(fitted, DIM), values)


def test_true_false_and_missing_are_three_inputs():
    prepared = BooleanEncoder.fit(np.array([1.0]), DIM).prepare(np.array([1.0, 0.0, np.nan]))
    assert prepared.tolist() == [[1, 0], [-1, 0], [0, 1]]


def test_formula():
    encoder = BooleanEncoder.fit(np.array([1.0]), DIM)
    weight, bias = encoder.linear.weight, encoder.linear.bias
    expected = torch.stack([weight[:, 0] + bias, -weight[:, 0] + bias, weight[:, 1] + bias])
    expected = torch.where(expected < 0, 0.01 * expected, expected)
    torch.testing.assert_close(encoder(encoder.prepare(np.array([1.0, 0.0, np.nan]))), expected)


def test_nothing_is_learnt_of_the_column():
    values = np.array([1.0, 0.0, np.nan])
    one, other = (BooleanEncoder.fit(np.array(x), DIM) for x in ([], [1.0, 1.0]))
    assert same_bits(one.prepare(values), other.prepare(values))
