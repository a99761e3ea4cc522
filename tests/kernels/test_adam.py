"""The optimizer against torch's own."""

import pytest
import torch
from torch import nn

from relwise.kernels.adam import Adam


@pytest.mark.parametrize("weight_decay", [0.0, 0.1])
def test_updates_are_torchs_to_the_bit(weight_decay):
    """Also where a weight has no gradient in some steps, and rates change from step to step."""
    generator = torch.Generator().manual_seed(0)
    shapes = (40, 3), (7,), (5, 2, 4)
    ours = [nn.Parameter(torch.randn(shape, generator=generator)) for shape in shapes]
    theirs = [nn.Parameter(weight.detach().clone()) for weight in ours]
    optimizer = Adam(ours, 0.3, weight_decay)
    oracle = torch.optim.Adam(theirs, lr=0.3, weight_decay=weight_decay, fused=True)
    plain = [nn.Parameter(weight.detach().double()) for weight in ours]
    exact = torch.optim.Adam(plain, lr=0.3, weight_decay=weight_decay)
    for step in range(12):
        optimizer.learning_rate = rate = 0.3 / (step + 1)
        for group in (*oracle.param_groups, *exact.param_groups):
            group["lr"] = rate
        for i, shape in enumerate(shapes):
            gradient = torch.randn(shape, generator=generator)
            for weights in (ours, theirs, plain):
                weights[i].grad = None if i == 1 and step % 3 == 0 else gradient.to(weights[i].dtype)
        for one in (optimizer, oracle, exact):
            one.step()
        for mine, its, double in zip(ours, theirs, plain, strict=True):
            assert torch.equal(mine, its)
            torch.testing.assert_close(mine.double(), double, rtol=1e-5, atol=1e-6)
    assert [int(optimizer.moments[i]["step"]) for i in range(3)] == [12, 8, 12]
    assert all(torch.equal(optimizer.moments[0][name], tensor) for name, tensor in oracle.state[theirs[0]].items())


def test_nothing_to_learn_changes_nothing():
    weight = nn.Parameter(torch.ones(3))
    optimizer = Adam([weight], 0.5)
    optimizer.step()
    assert weight.tolist() == [1, 1, 1]
    assert not optimizer.moments
    weight.grad = torch.ones(3)
    optimizer.forget_gradients()
    assert weight.grad is None
