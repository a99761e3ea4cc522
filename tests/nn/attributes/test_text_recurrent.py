import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from relwise.nn.attributes import RecurrentTextEncoder, text_recurrent
from tests.nn.attributes.cases import DIM, EncoderCase, column, same_bits
from tests.nn.attributes.test_text import WORDS

TEXTS = st.lists(st.none() | st.text(max_size=20), max_size=6).map(lambda x: np.array(x, dtype=object))
ROUNDING = 2e-6


def few_words(n, seed=0):
    """Texts of one to four words of all scripts."""
    rng = np.random.default_rng(seed)
    return column(*(" ".join(rng.choice(WORDS, size=rng.integers(1, 5))) for _ in range(n)))


class TestRecurrent(EncoderCase):
    encoder_class = RecurrentTextEncoder
    rounding = ROUNDING

    def values(self, n, seed=0):
        return few_words(n, seed)

    @given(TEXTS, TEXTS)
    @settings(max_examples=30, deadline=None)
    def test_any_text(self, fitted, values):
        self.check(RecurrentTextEncoder.fit(fitted, DIM), values)


def fit(values):
    torch.manual_seed(0)
    return RecurrentTextEncoder.fit(values, DIM)


def cell(x, h, weight_x, weight_h, bias_x, bias_h):
    """One step of a GRU as its formula has it (torch's order: reset, update, new)."""
    of_x, of_h = (weight_x @ x + bias_x).reshape(3, -1), (weight_h @ h + bias_h).reshape(3, -1)
    reset, update = (1 / (1 + np.exp(-(a + b))) for a, b in zip(of_x[:2], of_h[:2], strict=True))
    return (1 - update) * np.tanh(of_x[2] + reset * of_h[2]) + update * h


def expected(encoder, indices):
    """The output for one text, in float64, step by step."""
    state = {name: tensor.detach().double().numpy() for name, tensor in encoder.state_dict().items()}
    linear_weight, linear_bias = state["linear.weight"], state["linear.bias"]
    size = encoder.gru.hidden_size
    means = []
    for suffix, order in (("", indices), ("_reverse", indices[::-1])):
        weights = [state[f"gru.{name}_l0{suffix}"] for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")]
        h, states = np.zeros(size), []
        for index in order:
            h = cell(state["embedding.weight"][index], h, *weights)
            states.append(h)
        means.append(np.mean(states, axis=0) if states else h)
    m = np.concatenate(means)
    if indices:
        m = (m - m.mean()) / np.sqrt(m.var() + 1e-5)
    out = linear_weight @ np.append(m, float(not indices)) + linear_bias
    return np.where(out > 0, out, 0.01 * out)


def test_formula():
    values = column("Oslo air base", "air base", "air", "Ås", None, "base air air air air", "   ")
    encoder = fit(values)
    prepared = encoder.prepare(values)
    for got, indices in zip(encoder(prepared).detach().numpy(), prepared.lists(), strict=True):
        np.testing.assert_allclose(got, expected(encoder, indices), atol=ROUNDING)


@pytest.mark.parametrize("at_a_time", [1, 5, 12])
def test_how_many_are_read_together_changes_nothing(monkeypatch, at_a_time):
    values = few_words(30)
    encoder = fit(values)
    prepared = encoder.prepare(values)

    def run():
        encoder.zero_grad()
        out = encoder(prepared)
        out.square().sum().backward()
        return [out.detach(), *(p.grad for p in encoder.parameters())]

    whole = run()
    monkeypatch.setattr(text_recurrent, "_AT_A_TIME", at_a_time)
    torch.testing.assert_close(run(), whole, atol=1e-4, rtol=1e-5)
    assert all(map(same_bits, run(), run()))  # and the same again is the same to the bit


def test_equal_texts_are_read_once(monkeypatch):
    read = []
    original = RecurrentTextEncoder.read
    monkeypatch.setattr(
        RecurrentTextEncoder, "read", lambda self, x, n: read.append(n.tolist()) or original(self, x, n)
    )
    encoder = fit(column("air one", "air two", "air three"))
    prepared = encoder.prepare(column(*["AIR", "air ", "air air", None] * 100))
    out = encoder(prepared)
    assert read == [[2, 1]]
    assert out.shape == (400, DIM)
    encoder(prepared[torch.tensor([0, 4, 3])])
    assert read[1:] == [[1]]
    assert same_bits(out[4].detach(), out[0].detach())


def test_rows_of_what_is_prepared():
    values = few_words(20)
    values[3] = None
    encoder = fit(values)
    prepared, rows = encoder.prepare(values), torch.tensor([3, 19, 0, 19])
    torch.testing.assert_close(encoder(prepared[rows]), encoder(prepared)[rows], rtol=0, atol=ROUNDING)


def test_the_order_of_words_is_read():
    encoder = fit(column("man bites dog", "dog bites man", "man bites", "dog bites", "dog", "man"))
    one, other = encoder(encoder.prepare(column("man bites dog", "dog bites man")))
    assert (one - other).abs().max() > 0.01


def test_it_learns():
    """Which of two letters comes first: what no bag of pieces tells."""
    texts, truth = ["ab", "ba", "aab", "bba", "abb", "baa"] * 2, [0, 1, 0, 1, 0, 1] * 2
    encoder = fit(column(*texts))
    head = torch.nn.Linear(DIM, 2)
    optimizer = torch.optim.Adam([*encoder.parameters(), *head.parameters()], lr=0.02)
    prepared = encoder.prepare(column(*texts))
    for _ in range(60):
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(head(encoder(prepared)), torch.tensor(truth))
        loss.backward()
        optimizer.step()
    assert loss < 0.05
