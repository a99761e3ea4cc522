import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from relwise.nn.attributes import CategoricalEncoder
from tests.nn.attributes.cases import DIM, EncoderCase

CATEGORIES = st.lists(st.none() | st.text(max_size=3), max_size=12).map(lambda x: np.array(x, dtype=object))


class TestCategorical(EncoderCase):
    encoder_class = CategoricalEncoder

    def values(self, n, seed=0):
        return np.random.default_rng(seed).choice(np.array(["a", "b", "É", "日本"], dtype=object), size=n)

    def test_every_weight_gets_a_gradient(self):
        values = np.array(["a", "a", "b", "b", "rare", None], dtype=object)
        encoder = CategoricalEncoder.fit(values, DIM)
        (encoder(encoder.prepare(values)) - 1).square().sum().backward()
        assert (encoder.embedding.weight.grad.abs().sum(dim=1) > 0).all()  # both buckets are trained

    @given(CATEGORIES, CATEGORIES)
    @settings(deadline=None)
    def test_any_text(self, fitted, values):
        encoder = CategoricalEncoder.fit(fitted, DIM)
        self.check(encoder, values)
        index = encoder.prepare(values)
        for i, value in zip(index.tolist(), values, strict=True):
            assert (i == 0) == (value is None)
            assert (encoder.categories[i - 2] == value) if i >= 2 else (value not in encoder.categories)


def fit(*values):
    return CategoricalEncoder.fit(np.array(values, dtype=object), DIM)


def test_rare_categories_share_the_unseen_bucket():
    encoder = fit("b", "a", "a", "b", "rare", None, None)
    assert encoder.categories == ["a", "b"]
    assert encoder.prepare(np.array(["rare", "never", None, "a"], dtype=object)).tolist() == [1, 1, 0, 2]


def test_where_all_are_rare_all_are_kept():
    assert fit("c", "a", "b").categories == ["a", "b", "c"]


def test_untrained_buckets_say_nothing():
    encoder = fit("a", "a")
    assert (encoder(torch.tensor([0, 1])) == 0).all()


def test_unseen_categories_change_no_other_row():
    encoder = fit("a", "a", "b", "b")
    one, other = (encoder(encoder.prepare(np.array(["a", x, "b"], dtype=object))) for x in ("b", "never"))
    assert torch.equal(one[[0, 2]], other[[0, 2]])


def test_the_order_of_rows_does_not_matter():
    assert fit("b", "a", "b", "a").config() == fit("a", "a", "b", "b").config()
