import json
import subprocess
import sys
import unicodedata

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file

from relwise.nn.attributes import TextEncoder
from tests.nn.attributes.cases import DIM, EncoderCase, same_bits

WORDS = ["Delta", "air", "Lines", "São", "Paulo", "北京", "московский", "airport", "the", "Zürich", "🛫"]
TEXTS = st.lists(st.none() | st.text(max_size=20), max_size=6).map(lambda x: np.array(x, dtype=object))


class TestText(EncoderCase):
    encoder_class = TextEncoder

    def values(self, n, seed=0):
        rng = np.random.default_rng(seed)
        texts = np.empty(n, dtype=object)
        texts[:] = [" ".join(rng.choice(WORDS, size=3)) for _ in range(n)]
        return texts

    @given(TEXTS, TEXTS)
    @settings(max_examples=50, deadline=None)
    def test_any_text(self, fitted, values):
        self.check(TextEncoder.fit(fitted, DIM), values)


def fit(*texts):
    return TextEncoder.fit(np.array(texts, dtype=object), DIM)


def features(encoder, *texts):
    return encoder.prepare(np.array(texts, dtype=object))[:, :-1]


def test_like_names_are_near():
    encoder = fit("Delta Air Lines", "Delta Airlines", "Kennedy International Airport", "Logan International")
    a, b, c, d = torch.nn.functional.normalize(
        features(encoder, "delta air line", "DELTA AIRLINES", "John F Kennedy Airport", "International Logan")
    )
    assert a @ b > a @ c
    assert a @ b > a @ d
    assert c @ d > a @ d


def test_case_and_coding_of_letters_do_not_matter():
    encoder = fit("Zürich Straße", "Genève", "Zürich")
    decomposed = unicodedata.normalize("NFD", "ZÜRICH  STRASSE")
    assert torch.equal(features(encoder, "Zürich Straße"), features(encoder, decomposed))


@pytest.mark.parametrize("texts", [("", "  ", None), ("\n",), (None,), ()])
def test_blank_texts_have_no_vocabulary(texts):
    encoder = fit(*texts)
    assert encoder.config() == {"dim": DIM, "pieces": [], "rank": 0}
    assert encoder.prepare(np.array(["a word", "", None], dtype=object)).tolist() == [[0], [1], [1]]


def test_stop_words_and_single_letters_and_signs_are_text():
    encoder = fit("the of and", "a", "?", "…")
    assert (features(encoder, "the of and", "a").abs().sum(dim=1) > 0).all()


def test_pieces_of_one_text_alone_are_left_out():
    assert fit("abc", "abc xyz").pieces == [" ab", " abc", "abc", "abc ", "bc "]
    assert " xy" in fit("abc", "xyz").pieces  # where there is nothing else


def test_mean_square_is_one():
    assert features(fit(*WORDS * 2), *WORDS).square().mean() == pytest.approx(1, rel=1e-5)


def test_unknown_text_is_not_missing():
    assert fit("abc", "abd").prepare(np.array(["xyz"], dtype=object)).tolist()[0][-1] == 0


def test_long_texts_are_cut():
    encoder = fit("word " * 10, "word")
    assert torch.equal(features(encoder, "word " * 400 + "other " * 9), features(encoder, "word " * 400))


def test_no_text_changes_another_row():
    encoder = fit(*WORDS)
    assert same_bits(features(encoder, *WORDS)[:5], features(encoder, *WORDS[:5], "new", "", "words")[:5])


def test_a_new_process_prepares_the_same_bits(tmp_path):
    values = TestText().values(30)
    encoder = TextEncoder.fit(values, DIM)
    (tmp_path / "config.json").write_text(json.dumps([encoder.config(), list(values)]), encoding="utf-8")
    save_file(encoder.state_dict(), tmp_path / "weights.safetensors")
    script = """if True:
        import json, sys, numpy as np
        from safetensors.torch import load_file
        from relwise.nn.attributes import TextEncoder
        config, values = json.load(open(sys.argv[1] + "/config.json", encoding="utf-8"))
        encoder = TextEncoder.from_config(config)
        encoder.load_state_dict(load_file(sys.argv[1] + "/weights.safetensors"))
        prepared = encoder.prepare(np.array(values, dtype=object))
        sys.stdout.buffer.write(prepared.numpy().tobytes() + encoder(prepared).detach().numpy().tobytes())
    """
    command = [sys.executable, "-c", script, str(tmp_path)]
    out = subprocess.run(command, capture_output=True, check=True).stdout
    prepared = encoder.prepare(values)
    assert out == prepared.numpy().tobytes() + encoder(prepared).detach().numpy().tobytes()
