import pytest
import torch
from torch.nn import functional

from relwise.kernels.activation import leaky_backward


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("shape", [(0, 3), (1, 1), (130, 7)])
def test_the_gradient_is_torchs(shape, dtype):
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(shape, generator=generator, dtype=dtype).requires_grad_()
    grad = torch.randn(shape, generator=generator, dtype=dtype)
    out = functional.leaky_relu(x, 0.2)
    (expected,) = torch.autograd.grad(out, x, grad)
    assert torch.equal(leaky_backward(grad, out.detach(), 0.2), expected)


def test_what_is_given_stays_and_what_is_no_number_comes_through():
    grad, out = torch.tensor([float("nan"), float("inf"), 3.0, 4.0]), torch.tensor([1.0, -1.0, float("nan"), 0.0])
    before = grad.clone()
    found = leaky_backward(grad, out, 0.5)
    assert torch.equal(torch.nan_to_num(grad), torch.nan_to_num(before))
    assert found[0].isnan()
    assert found[1:].tolist() == [float("inf"), 1.5, 2.0]


def test_a_gradient_of_other_strides_is_read_in_its_order():
    grad, out = torch.arange(12.0).view(3, 4).t(), torch.ones(4, 3)
    assert torch.equal(leaky_backward(grad, out, 0.2), grad)
    assert torch.equal(leaky_backward(torch.ones(()).expand(4, 3), -out, 0.2), torch.full((4, 3), 0.2))
