import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from relwise.negatives import HardestSampler
from tests.negatives.cases import SamplerCase, logits


class TestHardest(SamplerCase):
    def sampler(self, pool):
        return HardestSampler(pool)


class TestHardestWithASharedPool(SamplerCase):
    def sampler(self, pool):
        return HardestSampler(pool, shared=50)


class TestHardestAfterAWarmUp(SamplerCase):
    def sampler(self, pool):
        return HardestSampler(pool, warmup=40)


@given(st.data(), st.integers(1, 6), st.integers(1, 6))
@settings(max_examples=60, deadline=None)
def test_it_takes_the_highest_logit_also_where_probabilities_are_all_one_or_all_zero(data, count, pool):
    positive, candidates = logits(data.draw, count, pool)
    chosen = HardestSampler(pool).choose(positive, candidates, step=0)
    assert torch.equal(candidates.gather(1, chosen[:, None])[:, 0], candidates.amax(dim=1))


@pytest.mark.parametrize("shift", [-80.0, 0.0, 80.0])
def test_saturated_probabilities_are_told_apart(shift):
    candidates = shift + torch.tensor([[0.0, 0.25, 0.5, 0.125]])
    assert HardestSampler(4).choose(torch.tensor([shift]), candidates, step=0).tolist() == [2]


def test_the_warm_up_uses_a_pool_of_one():
    sampler = HardestSampler(10, warmup=3)
    assert [sampler.pool(step) for step in (0, 2, 3, 100)] == [1, 1, 10, 10]


def test_an_empty_pool_is_refused():
    with pytest.raises(ValueError, match="at least one"):
        HardestSampler(0)
