import torch

from relwise.negatives import RandomSampler
from tests.negatives.cases import SamplerCase


class TestRandom(SamplerCase):
    def sampler(self, pool):
        return RandomSampler()

    def test_it_takes_the_first(self):
        sampler = RandomSampler()
        assert sampler.pool(0) == sampler.pool(10_000) == 1
        assert sampler.choose(torch.zeros(3), torch.randn(3, 1), step=0).tolist() == [0, 0, 0]
