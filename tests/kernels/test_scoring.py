import numpy as np
import pytest
import torch
from torch.autograd import gradcheck

from relwise.kernels.scoring import triple_product


def case(edges, nodes=9, relations=3, width=4, dtype=torch.float64, seed=0):
    generator = torch.Generator().manual_seed(seed)
    h = torch.randn(nodes, width, generator=generator, dtype=dtype).requires_grad_()
    w = torch.randn(relations, width, generator=generator, dtype=dtype).requires_grad_()
    draw = lambda high: torch.randint(high, (edges,), generator=generator)  # noqa: E731
    return h, w, draw(nodes - 1), draw(relations), draw(nodes - 1)


@pytest.mark.parametrize("edges", [0, 1, 40])
@pytest.mark.parametrize("relations", [1, 300])
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-12), (torch.float32, 1e-5)])
def test_agrees_with_plain_torch_forward_and_backward(edges, relations, dtype, tolerance):
    h, w, head, relation, tail = case(edges, relations=relations, dtype=dtype)
    ours = triple_product(h, w, head, relation, tail)
    plain = (h[head] * w[relation] * h[tail]).sum(1)
    torch.testing.assert_close(ours, plain, rtol=tolerance, atol=tolerance)
    direction = torch.linspace(-1, 1, edges, dtype=dtype)
    for got, want in zip(
        torch.autograd.grad(ours, (h, w), direction),
        torch.autograd.grad(plain, (h, w), direction),
        strict=True,
    ):
        torch.testing.assert_close(got, want, rtol=tolerance, atol=tolerance * 10)


def test_gradcheck_and_opcheck():
    h, w, head, relation, tail = case(12)
    assert gradcheck(lambda a, b: triple_product(a, b, head, relation, tail), (h, w))
    torch.library.opcheck(torch.ops.relwise.triple_product.default, (h, w, head, relation, tail))


def test_an_index_out_of_range_is_refused():
    h, w, head, relation, tail = case(3)
    with pytest.raises(IndexError, match="outside"):
        triple_product(h, w, head + len(h), relation, tail)


def test_the_same_bits_in_one_thread_and_in_two():
    import numba

    h, w, head, relation, tail = case(5000, nodes=50, width=32, dtype=torch.float32)
    before, results = numba.get_num_threads(), []
    for threads in (1, min(2, numba.config.NUMBA_NUM_THREADS)):
        numba.set_num_threads(threads)
        out = triple_product(h, w, head, relation, tail)
        results.append([t.detach().numpy() for t in (out, *torch.autograd.grad(out.sum(), (h, w)))])
    numba.set_num_threads(before)
    assert all(np.array_equal(a, b) for a, b in zip(*results, strict=True))
