import numba
import pytest
import torch
from torch.autograd import gradcheck

from relwise.kernels.fusion import add_to_attributes, balance, fuse, fuse_backward, fuse_states


def inputs(nodes=40, width=7, heads=3, dtype=torch.float64):
    generator = torch.Generator().manual_seed(nodes + width)
    shapes = (nodes, width), (nodes, width), (width, heads)
    return tuple(torch.randn(s, generator=generator, dtype=dtype).requires_grad_() for s in shapes)


def plain(attributes, topology, attention, slope):
    weight = balance(attributes, topology, attention, slope)
    return weight[:, :1] * attributes + weight[:, 1:] * topology


@pytest.mark.parametrize("shape", [(40, 7, 3), (1, 1, 1), (0, 4, 2), (100, 128, 2)])
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-12), (torch.float32, 1e-5)])
def test_agrees_with_plain_torch_forward_and_backward(shape, dtype, tolerance):
    ours = inputs(*shape, dtype=dtype)
    theirs = [t.detach().double().requires_grad_() for t in ours]
    out, expected = fuse(*ours, 0.3), plain(*theirs, 0.3)
    torch.testing.assert_close(out.double(), expected, rtol=tolerance, atol=tolerance)
    direction = torch.randn(out.shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    got = torch.autograd.grad(out, ours, direction.to(dtype))
    want = torch.autograd.grad(expected, theirs, direction)
    for a, b in zip(got, want, strict=True):
        torch.testing.assert_close(a.double(), b, rtol=tolerance, atol=tolerance * max(1.0, b.abs().sum().item()))


def test_gradcheck():
    assert gradcheck(lambda *x: fuse(*x, 0.3), inputs(6, 3, 2))


def test_far_apart_logits_take_the_larger_and_not_a_number_stays_one():
    attributes, topology = torch.full((2, 1), 100.0), torch.full((2, 1), -100.0)
    topology[1] = float("nan")
    out = fuse(attributes, topology, torch.tensor([[5.0]]), 0.2)
    assert out[0].item() == 100
    assert out[1].isnan().all()


def test_the_same_bits_with_one_thread_and_with_two():
    x = inputs(500, 32, 2, torch.float32)
    before, results = numba.get_num_threads(), []
    for threads in (1, min(2, numba.config.NUMBA_NUM_THREADS)):
        numba.set_num_threads(threads)
        out = fuse(*x, 0.3)
        results.append((out, *torch.autograd.grad(out.sum(), x)))
    numba.set_num_threads(before)
    assert all(torch.equal(a, b) for a, b in zip(*results, strict=True))


@pytest.mark.parametrize("heads", [1, 2, 3])
@pytest.mark.parametrize("in_place", [False, True])
def test_the_gradient_of_activated_states_is_that_of_what_was_activated(heads, in_place):
    attributes, given, attention = inputs(20, 6, heads)
    topology = torch.nn.functional.leaky_relu(given, 0.3)
    direction = torch.randn(20, 6, generator=torch.Generator().manual_seed(1), dtype=attributes.dtype)
    want = torch.autograd.grad(fuse(attributes, topology, attention, 0.3), (attributes, given, attention), direction)
    _, logits = fuse_states(attributes, topology, attention, 0.3)
    topology = topology.detach()
    found = fuse_backward(direction, attributes, topology, attention, logits, 0.3, activated=True, in_place=in_place)
    assert (found[0].data_ptr() == topology.data_ptr()) == in_place
    for got, wanted in zip(found[:2], want[1:], strict=True):
        torch.testing.assert_close(got, wanted)
    before = torch.randn_like(direction)
    torch.testing.assert_close(add_to_attributes(direction, found[2], attention, before.clone()), before + want[0])
