import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from relwise.negatives import ASASampler
from tests.negatives.cases import SamplerCase, logits


class TestASA(SamplerCase):
    def sampler(self, pool):
        return ASASampler(pool, mu=0.1)


class TestASAWithASharedPool(SamplerCase):
    def sampler(self, pool):
        return ASASampler(pool, mu=0.1, shared=3)


class TestASAThatDecaysAfterAWarmUp(SamplerCase):
    def sampler(self, pool):
        return ASASampler(pool, mu=0.3, decay="exponential", steps=100, warmup=40)


class TestASAWithAMarginBelowZero(SamplerCase):
    def sampler(self, pool):
        return ASASampler(pool, mu=-0.5)


def sigmoid(x):
    return 1 / (1 + math.exp(-x)) if x >= 0 else math.exp(x) / (1 + math.exp(x))


@given(st.data(), st.integers(1, 6), st.integers(1, 6), st.floats(-1, 1))
@settings(max_examples=100, deadline=None)
def test_it_takes_the_smallest_distance_to_the_positive_less_mu(data, count, pool, mu):
    positive, candidates = logits(data.draw, count, pool)
    chosen = ASASampler(pool, mu=mu).choose(positive, candidates, step=0).tolist()
    for p, row, index in zip(positive.tolist(), candidates.tolist(), chosen, strict=True):
        distance = [abs(sigmoid(p) - sigmoid(negative) - mu) for negative in row]  # eq. 11
        assert distance[index] == pytest.approx(min(distance), abs=1e-11)


@pytest.mark.parametrize(
    ("positive", "candidates", "expected"),
    [
        (80.0, [80.0, 2.2, -80.0], 1),  # 1 - 0.1: sigmoid(2.2) is 0.90
        (80.0, [80.0, -80.0, -2.0], 0),
        (-80.0, [80.0, 0.0, -80.0], 2),
        (-80.0, [80.0, 800.0, 0.0], 2),
        (0.0, [80.0, -80.0, -0.4], 2),
        (800.0, [-800.0, 800.0, -800.0], 1),
    ],
)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_extreme_logits_do_not_break_the_choice(positive, candidates, expected, dtype):
    sampler = ASASampler(3, mu=0.1)
    chosen = sampler.choose(torch.tensor([positive], dtype=dtype), torch.tensor([candidates], dtype=dtype), 0)
    assert chosen.tolist() == [expected]


def test_a_positive_of_probability_one_does_not_ask_for_the_hardest():
    # mu = 0 and p' = 1 in float64: all of these are as near as can be told, and the first is taken.
    sampler = ASASampler(3, mu=0.0)
    assert sampler.choose(torch.tensor([800.0]), torch.tensor([[700.0, 800.0, 750.0]]), 0).tolist() == [0]


def test_decay_at_the_start_in_the_middle_at_the_end_and_after():
    def path(decay):
        sampler = ASASampler(mu=0.2, decay=decay, steps=100, warmup=20)
        return [sampler.mu_at(step) for step in (0, 19, 20, 70, 120, 1000)]

    assert path("constant") == [0.2] * 6
    assert path("linear") == pytest.approx([0.2, 0.2, 0.2, 0.1, 0.0, 0.0])
    middle, end = 0.2 * math.exp(-2.5), 0.2 * math.exp(-5)
    assert path("exponential") == pytest.approx([0.2, 0.2, 0.2, middle, end, 0.2 * math.exp(-49)])


def test_negatives_grow_harder_as_mu_decays():
    sampler = ASASampler(3, mu=0.5, decay="linear", steps=10)
    positive, pool = torch.logit(torch.tensor([0.9])), torch.logit(torch.tensor([[0.4, 0.65, 0.9]]))
    assert [int(sampler.choose(positive, pool, step)) for step in (0, 5, 10)] == [0, 1, 2]


@pytest.mark.parametrize("decay", ["constant", "linear", "exponential"])
def test_no_steps_after_the_warm_up_divide_nothing_by_zero(decay):
    assert 0 <= ASASampler(mu=0.1, decay=decay, steps=0, warmup=5).mu_at(6) <= 0.1


def test_the_warm_up_uses_a_pool_of_one():
    sampler = ASASampler(10, warmup=3)
    assert [sampler.pool(step) for step in (0, 2, 3, 100)] == [1, 1, 10, 10]
