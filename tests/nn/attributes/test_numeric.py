import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from relwise.nn.attributes import NumericEncoder
from tests.nn.attributes.cases import DIM, EncoderCase, reloaded, same_bits

NUMBERS = st.lists(st.floats(), max_size=12).map(lambda x: np.array(x, dtype=np.float64))


class TestNumeric(EncoderCase):
    encoder_class = NumericEncoder

    def values(self, n, seed=0):
        return np.random.default_rng(seed).lognormal(size=n)

    @given(NUMBERS, NUMBERS)
    @settings(deadline=None)
    def test_any_floats(self, fitted, values):
        encoder = NumericEncoder.fit(fitted, DIM)
        prepared = self.check(encoder, values), encoder.prepare(values)
        assert (prepared[1].abs() <= 20).all()
        assert same_bits(reloaded(encoder).prepare(values), prepared[1])

    @given(NUMBERS.filter(lambda x: np.isfinite(x).any()))
    @settings(deadline=None)
    def test_order_is_kept(self, values):
        values = np.sort(values[np.isfinite(values)])
        assert (np.diff(NumericEncoder.fit(values, DIM).prepare(values)[:, 0].numpy()) >= 0).all()

    @pytest.mark.parametrize("factor", [1e-300, 1e-3, 1.0, 1e6, 1e300])
    def test_the_unit_of_measurement_does_not_matter(self, factor):
        values = self.values(50)
        once = NumericEncoder.fit(values, DIM).prepare(values)
        scaled = NumericEncoder.fit(values * factor, DIM).prepare(values * factor)
        torch.testing.assert_close(scaled, once)


def test_formula():
    values = np.arange(101.0)
    z = NumericEncoder.fit(values, DIM).prepare(np.array([50.0, 100.0, np.nan, np.inf]))
    expected = np.arcsinh(50 / (50 / 1.349))
    np.testing.assert_allclose(z.numpy(), [[0, 0], [expected, 0], [0, 1], [0, 1]], rtol=1e-6)


def test_a_few_wild_values_do_not_squeeze_the_rest():
    values = np.concatenate([np.arange(100.0), [1e300, -1e300]])
    z = NumericEncoder.fit(values, DIM).prepare(values)[:, 0]
    assert z[:100].std() > 0.5
    assert z[100] == 20
    assert z[101] == -20


def test_spread_falls_back_to_the_deviation_then_to_the_unit():
    mostly = np.array([0.0] * 9 + [1.0])  # its interquartile range is 0
    z = NumericEncoder.fit(mostly, DIM).prepare(mostly)[:, 0]
    assert z[-1] == pytest.approx(np.arcsinh(1 / 0.3))
    constant = np.full(5, 0.1)
    z = NumericEncoder.fit(constant, DIM).prepare(np.array([0.1, 0.1000001]))[:, 0]
    assert z[0] == 0
    assert 0 < z[1] < 1e-5
