import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relwise.nn.attributes import TimestampEncoder
from tests.nn.attributes.cases import DIM, EncoderCase

MOMENTS = st.lists(st.none() | st.datetimes(), max_size=8).map(lambda x: np.array(x, dtype="datetime64[us]"))


class TestTimestamp(EncoderCase):
    encoder_class = TimestampEncoder

    def values(self, n, seed=0):
        seconds = np.random.default_rng(seed).integers(-(2**31), 2**31, size=n)
        return seconds.astype("datetime64[s]").astype("datetime64[us]")

    @given(MOMENTS, MOMENTS)
    @settings(deadline=None)
    def test_any_moments(self, fitted, values):
        encoder = TimestampEncoder.fit(fitted, DIM)
        self.check(encoder, values)
        cycles = encoder.prepare(values)[:, 1:7].numpy()[~np.isnat(values)]
        np.testing.assert_allclose((cycles.reshape(-1, 3, 2) ** 2).sum(axis=2), 1, atol=1e-5)


def cycles(*moments):
    values = np.array(moments, dtype="datetime64[us]")
    return TimestampEncoder.fit(values, DIM).prepare(values)[:, 1:7].numpy()


@pytest.mark.parametrize(
    ("moment", "year", "week", "day"),
    [
        ("2013-01-01T06:00", 0.25 / 365, (1 + 0.25) / 7, 0.25),  # a Tuesday
        ("2012-07-01T18:00", (182 + 0.75) / 366, (6 + 0.75) / 7, 0.75),  # a Sunday in a leap year
        ("1969-12-31T12:00", 364.5 / 365, (2 + 0.5) / 7, 0.5),  # a Wednesday before the epoch
    ],
)
def test_formula(moment, year, week, day):
    turns = 2 * np.pi * np.array([year, week, day])
    expected = np.stack([np.sin(turns), np.cos(turns)], axis=1).reshape(1, 6)
    np.testing.assert_allclose(cycles(moment), expected, atol=1e-6)


def test_the_year_has_no_seam():
    before, after = cycles("2013-12-31T23:59:59", "2014-01-01T00:00:00")
    np.testing.assert_allclose(before[[0, 1, 4, 5]], after[[0, 1, 4, 5]], atol=1e-4)


def test_trend_keeps_the_order_of_time():
    days = ["1677-01-01", "1999-12-31", "2000-01-01", "2000-01-02", "9999-12-31"]
    moments = np.array(days, dtype="datetime64[us]")
    trend = TimestampEncoder.fit(moments[1:4], DIM).prepare(moments)[:, 0].numpy()
    assert (np.diff(trend) > 0).all()
