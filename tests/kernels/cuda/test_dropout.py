import pytest
import torch

from relwise.kernels import dropout as module
from relwise.kernels.cuda import dropout as gpu
from tests.kernels.cuda.device import on_device


@pytest.mark.parametrize("size", [0, 1, 6, 2047, 2048, 2051])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_drops_what_the_cpu_drops(size, dtype):
    x = torch.randn(size, generator=torch.Generator().manual_seed(0), dtype=dtype)
    for seed in map(torch.tensor, (0, 2**62 - 1)):
        want = torch.ops.relwise.dropout(x, module.STEPS // 3, seed)
        assert torch.equal(gpu.drop(*on_device(x, module.STEPS // 3, seed)).cpu(), want)


def test_steps_are_the_cpus():
    assert gpu.STEPS == module.STEPS
