"""Ready-made text models: with a fake one, and with a small one of model2vec made here."""

import sys

import numpy as np
import pytest
import torch

from relwise.errors import InputError
from relwise.nn.attributes import ModelTextEncoder, VectorEncoder, text_model
from tests.nn.attributes.cases import DIM, EncoderCase, column, reloaded, same_bits
from tests.nn.attributes.test_text_recurrent import few_words


class FakeModel:
    """A vector from the letters of a text; it counts the texts that it was given."""

    def __init__(self, width=5):
        self.width, self.given = width, []

    def encode(self, sentences, *, show_progress_bar):
        assert show_progress_bar is False
        assert isinstance(sentences, list)
        self.given += sentences
        return np.array([[text.count(c) for c in "aeiou"[: self.width]] for text in sentences], dtype=np.float64)


@pytest.fixture
def fake(monkeypatch):
    model = FakeModel()
    monkeypatch.setattr(text_model, "load_text_model", lambda library, name: model)
    return model


@pytest.mark.usefixtures("fake")
class TestModelText(EncoderCase):
    encoder_class = ModelTextEncoder

    def values(self, n, seed=0):
        return few_words(n, seed)


def test_the_vectors_are_the_models_standardised(fake):
    values = column("banana", "kiwi", None, "  ", "a  e")
    encoder = ModelTextEncoder.fit(values, DIM)
    vectors = fake.encode(["banana", "kiwi", "a e"], show_progress_bar=False)
    z = (vectors - vectors.mean(axis=0)) / np.where(vectors.std(axis=0) == 0, 1, vectors.std(axis=0))
    prepared = encoder.prepare(values).numpy()
    np.testing.assert_allclose(prepared[[0, 1, 4]], np.column_stack([z, np.zeros(3)]), atol=1e-6)
    assert prepared[[2, 3]].tolist() == [[0] * 5 + [1]] * 2


def test_each_text_is_asked_for_once(fake):
    encoder = ModelTextEncoder.fit(column("a", "b"), DIM)
    fake.given.clear()
    encoder.prepare(column(*["a", "b", None, "a"] * 50))
    assert fake.given == ["a", "b", "text"]


def test_library_and_name_are_kept(fake, monkeypatch):
    asked = []
    monkeypatch.setattr(text_model, "load_text_model", lambda *which: asked.append(which) or fake)
    encoder = ModelTextEncoder.fit(column("a"), DIM, "sentence_transformers", "my/model")
    reloaded(encoder).prepare(column("a"))
    assert asked == [("sentence_transformers", "my/model")] * 2
    ModelTextEncoder.fit(column("a"), DIM)
    assert asked[-1] == ("model2vec", "minishlab/potion-base-8M")


def test_another_width_is_told(fake):
    encoder = ModelTextEncoder.fit(column("a"), DIM)
    fake.width = 3
    with pytest.raises(InputError, match="gives 3 numbers a text, not 5; put the model back"):
        encoder.prepare(column("a"))


@pytest.mark.parametrize("library", ["model2vec", "sentence_transformers"])
def test_a_missing_package_is_one_line(library, monkeypatch):
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(InputError) as caught:
        ModelTextEncoder.fit(column("a"), DIM, library, "some/name")
    assert str(caught.value) == (f"text = {library} needs a package that is not installed; pip install 'relwise[text]'")


def test_a_model_that_cannot_be_loaded_is_one_line(monkeypatch):
    class Broken:
        @staticmethod
        def from_pretrained(name):
            raise OSError("no network\nand a long story")

    monkeypatch.setitem(sys.modules, "model2vec", type("module", (), {"StaticModel": Broken}))
    with pytest.raises(InputError) as caught:
        ModelTextEncoder.fit(column("a"), DIM, "model2vec", "no/such")
    assert str(caught.value).startswith("the text model 'no/such' cannot be loaded (no network); set text_model to")


def test_a_model_of_model2vec(tmp_path):
    model2vec, tokenizers = pytest.importorskip("model2vec"), pytest.importorskip("tokenizers")
    words = ["[UNK]", "text", "sea", "air"]
    tokenizer = tokenizers.Tokenizer(
        tokenizers.models.WordLevel({word: i for i, word in enumerate(words)}, unk_token="[UNK]")
    )
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    vectors = np.random.default_rng(0).normal(size=(4, 3)).astype(np.float32)
    model2vec.StaticModel(vectors, tokenizer, normalize=False).save_pretrained(tmp_path)
    values = column("sea air", None, "air")
    encoder = ModelTextEncoder.fit(values, DIM, "model2vec", str(tmp_path))
    expected = np.stack([vectors[[2, 3]].mean(axis=0), np.full(3, np.nan, np.float32), vectors[3]])
    oracle = VectorEncoder.fit(expected, DIM).prepare(expected)
    torch.testing.assert_close(encoder.prepare(values), oracle, atol=1e-4, rtol=1e-4)
    assert same_bits(reloaded(encoder).prepare(values), encoder.prepare(values))
