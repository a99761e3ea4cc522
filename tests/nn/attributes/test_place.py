import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from relwise.nn.attributes import PlaceEncoder
from tests.nn.attributes.cases import DIM, EncoderCase

ANY = arrays(np.float64, st.tuples(st.integers(0, 6), st.just(2)))


class TestPlace(EncoderCase):
    encoder_class = PlaceEncoder

    def values(self, n, seed=0):
        return np.random.default_rng(seed).uniform([-90, -180], [90, 180], size=(n, 2))

    @given(ANY, ANY)
    @settings(deadline=None)
    def test_any_floats(self, fitted, values):
        encoder = PlaceEncoder.fit(fitted, DIM)
        self.check(encoder, values)
        assert (encoder.prepare(values).abs() <= 1).all()

    def test_one_missing_coordinate_is_a_missing_place(self):
        values = self.values(5)
        encoder = PlaceEncoder.fit(values, DIM)
        values[1, 0], values[2, 1] = np.nan, np.inf
        prepared = encoder.prepare(values)
        assert prepared[:, -1].tolist() == [0, 1, 1, 0, 0]
        assert (prepared[1:3, :-1] == 0).all()


def test_the_date_line_and_the_poles_have_no_seam():
    encoder = PlaceEncoder.fit(TestPlace().values(30), DIM)
    prepared = encoder.prepare(np.array([[10, 180], [10, -180], [90, 12], [90, -70], [10.0, 179.999]]))
    torch.testing.assert_close(prepared[0], prepared[1])
    torch.testing.assert_close(prepared[2], prepared[3])
    torch.testing.assert_close(prepared[0], prepared[4], atol=1e-3, rtol=0)


def test_neighbours_are_told_apart_at_any_scale():
    """Features of two random places differ about as much within one city as over the globe."""
    for spread in (50.0, 1.0, 0.01):
        places = np.array([40.7, -74.0]) + spread * np.random.default_rng(0).normal(size=(30, 2)) / 3
        prepared = PlaceEncoder.fit(places, DIM).prepare(places)
        assert torch.cdist(prepared, prepared).median() > 2
