import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from relwise.nn.attributes import CategoricalEncoder, MultiCategoricalEncoder
from tests.nn.attributes.cases import DIM, EncoderCase, column, same_bits

WORDS = ["a", "b", "É", "日本", ""]
SETS = st.lists(st.none() | st.lists(st.sampled_from(WORDS), max_size=4, unique=True).map(tuple), max_size=8)
VALUES = SETS.map(lambda x: column(*x))


class TestMultiCategorical(EncoderCase):
    encoder_class = MultiCategoricalEncoder

    def values(self, n, seed=0):
        rng = np.random.default_rng(seed)
        return column(*(tuple(rng.choice(WORDS, size=rng.integers(1, 4), replace=False)) for _ in range(n)))

    def test_every_weight_gets_a_gradient(self):
        values = column(("a",), ("a", "b"), ("b", "rare"), None)
        encoder = MultiCategoricalEncoder.fit(values, DIM)
        (encoder(encoder.prepare(values)) - 1).square().sum().backward()
        assert (encoder.embedding.weight.grad.abs().sum(dim=1) > 0).all()  # both buckets are trained

    @given(VALUES, VALUES)
    @settings(deadline=None)
    def test_is_the_mean_of_the_words_vectors(self, fitted, values):
        encoder = MultiCategoricalEncoder.fit(fitted, DIM)
        output = self.check(encoder, values)
        weight = encoder.embedding.weight.detach().double().numpy()
        row_of = {word: row for row, word in enumerate(encoder.categories, 2)}
        for got, words in zip(output.double().numpy(), values, strict=True):
            rows = [0] if words is None else [row_of.get(word, 1) for word in words]
            np.testing.assert_allclose(got, weight[rows].mean(axis=0) if rows else np.zeros(DIM), atol=1e-6)

    @given(VALUES, st.data())
    @settings(deadline=None)
    def test_missing_and_unseen_change_no_other_row(self, values, data):
        encoder = MultiCategoricalEncoder.fit(column(*[("a", "b"), ("b", "É")] * 2), DIM)
        rows = np.array(data.draw(st.lists(st.sampled_from(range(len(values))), unique=True)) if len(values) else [])
        changed = values.copy()
        for row in rows:
            changed[row] = data.draw(st.sampled_from([None, (), ("never",), ("never", "a", "before")]))
        others = np.setdiff1d(np.arange(len(values)), rows)
        before, after = self.check(encoder, values), self.check(encoder, changed)
        assert same_bits(before[others], after[others])

    @given(VALUES, st.randoms(use_true_random=False))
    @settings(deadline=None)
    def test_the_order_of_words_does_not_matter(self, values, random):
        def shuffled(words):
            return words if words is None else tuple(random.sample(words, len(words)))

        other = column(*map(shuffled, values))
        one, two = MultiCategoricalEncoder.fit(values, DIM), MultiCategoricalEncoder.fit(other, DIM)
        assert one.config() == two.config()
        assert same_bits(one(one.prepare(values)).detach(), one(one.prepare(other)).detach())


def test_one_word_each_is_a_category():
    words = np.array(["a", "b", "a", "rare", None, "b"], dtype=object)
    singles = column(*(None if word is None else (word,) for word in words))
    one, many = CategoricalEncoder.fit(words, DIM), MultiCategoricalEncoder.fit(singles, DIM)
    assert one.config() == many.config()
    many.load_state_dict(one.state_dict())
    torch.testing.assert_close(many(many.prepare(singles)), one(one.prepare(words)))


def test_words_are_counted_by_node():
    """Twice in equal sets is twice; twice in one cell is once."""
    encoder = MultiCategoricalEncoder.fit(column(("a", "b"), ("a", "b"), ("rare", "rare")), DIM)
    assert encoder.categories == ["a", "b"]
    assert encoder.prepare(column(("rare", "a", "never"), (), None)).lists() == [[1, 1, 2], [], [0]]


def test_where_all_are_rare_all_are_kept():
    assert MultiCategoricalEncoder.fit(column(("c", "a"), ("b",)), DIM).categories == ["a", "b", "c"]


@pytest.mark.parametrize("rows", [[2, 0], [1, 1, 3], []])
def test_rows_of_what_is_prepared(rows):
    values = column(("a", "b"), None, ("b",), (), ("a", "b"))
    encoder = MultiCategoricalEncoder.fit(values, DIM)
    prepared, chosen = encoder.prepare(values), torch.tensor(rows, dtype=torch.int64)
    assert prepared.num_distinct == 4
    assert prepared[chosen].lists() == [prepared.lists()[row] for row in rows]
    assert prepared[chosen].num_distinct == len({str(prepared.lists()[row]) for row in rows})
    assert same_bits(encoder(prepared[chosen]).detach(), encoder(prepared).detach()[chosen])
