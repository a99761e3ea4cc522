import numpy as np
import pytest
import torch

from relwise.nn.attributes import RecurrentTextEncoder, text_pretraining
from relwise.nn.attributes.text_pretraining import pretrain
from tests.nn.attributes.cases import DIM, EncoderCase, column, reloaded, same_bits
from tests.nn.attributes.test_text_recurrent import ROUNDING, few_words


class Pretrained(RecurrentTextEncoder):
    """Whose `fit` is what the setting `rnn_pretrained` asks for."""

    @classmethod
    def fit(cls, values, dim):
        encoder = super().fit(values, dim)
        pretrain(encoder, encoder.prepare(values))
        return encoder


class TestPretrained(EncoderCase):
    encoder_class = Pretrained
    rounding = ROUNDING

    def values(self, n, seed=0):
        return few_words(n, seed)


def texts(n):
    """Sentences whose last word follows from the first, each different by a number at its end."""
    rng = np.random.default_rng(0)
    pairs = rng.choice(["sea {} ship", "air {} plane", "road {} car", "rail {} train"], n)
    return column(*(f"{pair.format(rng.choice(['fast', 'slow']))} {i}" for i, pair in enumerate(pairs)))


def test_it_comes_below_what_frequencies_tell():
    """A guess that knows how frequent the pieces are, but not the text, has at best their entropy as its loss."""
    values = texts(800)
    torch.manual_seed(0)
    encoder = RecurrentTextEncoder.fit(values, DIM)
    prepared = encoder.prepare(values)
    losses = pretrain(encoder, prepared)
    entropies = []
    for part in (slice(1, None), slice(None, -1)):  # what is guessed ahead, and back
        counts = np.bincount(np.concatenate([row[part] for row in prepared.lists()]))
        share = counts[counts > 0] / counts.sum()
        entropies.append(-(share * np.log(share)).sum())
    assert losses[0] > np.mean(entropies)
    assert np.mean(losses[-5:]) < 0.8 * np.mean(entropies)


def test_only_what_reads_is_trained():
    values = texts(200)
    torch.manual_seed(0)
    plain = RecurrentTextEncoder.fit(values, DIM)
    torch.manual_seed(0)
    encoder = RecurrentTextEncoder.pretrained(values, DIM)
    changed = {name for name, tensor in plain.state_dict().items() if not same_bits(tensor, encoder.state_dict()[name])}
    assert changed == {name for name in plain.state_dict() if not name.startswith("linear")}
    assert all(p.grad is None for p in encoder.parameters())
    assert same_bits(reloaded(encoder)(encoder.prepare(values)).detach(), encoder(encoder.prepare(values)).detach())


def test_the_bound_holds(monkeypatch):
    values = texts(300)
    encoder = RecurrentTextEncoder.fit(values, DIM)
    prepared = encoder.prepare(values)
    held = int(prepared.lengths.sum())
    monkeypatch.setattr(text_pretraining, "_BATCH", 128)
    assert len(pretrain(encoder, prepared)) == pytest.approx(3 * held / 128, rel=0.1)
    monkeypatch.setattr(text_pretraining, "MAX_READ", held // 2)
    assert len(pretrain(encoder, prepared)) == pytest.approx(held / 2 / 128, abs=2)


def test_the_same_seed_gives_the_same_weights():
    states = []
    for seed in (3, 3, 4):
        torch.manual_seed(seed)
        states.append(RecurrentTextEncoder.pretrained(texts(100), DIM).state_dict())
    assert all(same_bits(states[0][name], states[1][name]) for name in states[0])
    assert not same_bits(states[0]["embedding.weight"], states[2]["embedding.weight"])


@pytest.mark.parametrize("values", [[], [None], ["a"], ["", "a b"]])
def test_texts_with_nothing_to_guess(values):
    RecurrentTextEncoder.pretrained(column(*values), DIM)
