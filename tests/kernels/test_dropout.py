import pytest
import torch

from relwise.kernels.dropout import STEPS, draw, drop, drop_activated_in_place, drop_in_place, dropout


@pytest.mark.parametrize("size", [0, 1, 7, 1000])
def test_the_cpu_kernel_drops_what_the_reference_drops(size):
    from relwise.kernels import dropout as module

    x = torch.randn(size, generator=torch.Generator().manual_seed(0))
    for seed in map(torch.tensor, (0, 1, 2**61 + 12345)):
        reference = module._dropout._init_fn(x, STEPS // 3, seed)
        assert torch.equal(torch.ops.relwise.dropout(x, STEPS // 3, seed), reference)


def test_the_share_dropped_and_the_mean_are_right():
    torch.manual_seed(0)
    out = dropout(torch.ones(400, 500), 0.3)
    assert abs((out == 0).double().mean().item() - 0.3) < 0.005
    assert abs(out.double().mean().item() - 1) < 0.01
    # Neighbouring entries are dropped independently of one another.
    gone = (out == 0).double().flatten()
    assert abs(torch.corrcoef(torch.stack([gone[:-1], gone[1:]]))[0, 1].item()) < 0.01


def test_backward_drops_the_same_entries():
    torch.manual_seed(1)
    x = torch.randn(30, 4, requires_grad=True)
    out = dropout(x, 0.5)
    (grad,) = torch.autograd.grad(out.sum(), x)
    assert torch.equal(grad == 0, out == 0)
    assert set(grad.unique().tolist()) == {0.0, 2.0}


def test_the_seed_is_torchs_and_evaluation_drops_nothing():
    x = torch.randn(100)
    torch.manual_seed(3)
    first = dropout(x, 0.5)
    second = dropout(x, 0.5)
    torch.manual_seed(3)
    assert torch.equal(first, dropout(x, 0.5))
    assert not torch.equal(first, second)
    assert dropout(x, 0.5, training=False) is x


def test_opcheck():
    torch.library.opcheck(
        torch.ops.relwise.dropout.default, (torch.randn(5, 3, requires_grad=True), STEPS // 2, torch.tensor(7))
    )


@pytest.mark.parametrize("size", [0, 1, 7, 5000])
def test_in_place_the_same_is_dropped(size):
    x, drawn = torch.randn(size, generator=torch.Generator().manual_seed(0)), draw(0.3)
    expected = drop(x.clone(), drawn)
    out = drop_in_place(x, drawn)
    assert torch.equal(out, expected)
    assert out.data_ptr() == x.data_ptr()
    turned = torch.randn(6, 4)
    assert torch.equal(drop_in_place(turned.t(), drawn), drop(turned.t(), drawn))
    assert drop_in_place(turned, None) is turned


@pytest.mark.parametrize("size", [0, 1, 7, 5000])
@pytest.mark.parametrize("share", [0.0, 0.3])
def test_a_gradient_goes_through_dropout_and_leaky_relu_at_once(size, share):
    given, grad = torch.randn(2, size, generator=torch.Generator().manual_seed(0)).requires_grad_()
    drawn = draw(share)
    out = torch.nn.functional.leaky_relu(given, 0.2)
    (want,) = torch.autograd.grad(drop(out, drawn), given, grad.detach())
    assert torch.equal(drop_activated_in_place(grad.detach().clone(), drawn, out.detach(), 0.2), want)
