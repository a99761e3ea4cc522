"""The scoring operators against plain torch, torch's complex numbers and each other."""

import numba
import numpy as np
import pytest
import torch
from torch.autograd import gradcheck

from relwise.kernels import scoring, scoring_cpu
from relwise.kernels.scoring import complex_product, complex_times, conjugate, triple_product

PRODUCTS = pytest.mark.parametrize("product", [triple_product, complex_product])


def case(edges, nodes=9, relations=3, width=4, dtype=torch.float64, seed=0):
    """The last node has no edges."""
    generator = torch.Generator().manual_seed(seed)
    h = torch.randn(nodes, width, generator=generator, dtype=dtype).requires_grad_()
    w = torch.randn(relations, width, generator=generator, dtype=dtype).requires_grad_()
    draw = lambda high: torch.randint(high, (edges,), generator=generator)  # noqa: E731
    return h, w, draw(nodes - 1), draw(relations), draw(nodes - 1)


def plainly(product, h, w, head, relation, tail):
    a, b, c = h[head], w[relation], h[tail]
    if product is triple_product:
        return (a * b * c).sum(1)
    a, b, c = (torch.complex(*row.chunk(2, dim=1)) for row in (a, b, c))
    return (a * b * c.conj()).sum(1).real


def assert_agrees(product, h, w, head, relation, tail):
    """Forward and backward, relative to the largest number: 1e-12 in float64, else 1e-5."""
    tolerance = 1e-12 if h.dtype == torch.float64 else 1e-5
    ours, plain = product(h, w, head, relation, tail), plainly(product, h, w, head, relation, tail)
    direction = torch.linspace(-1, 2, len(head), dtype=h.dtype)
    got = ours, *torch.autograd.grad(ours, (h, w), direction)
    exact = [t.detach().double().requires_grad_() for t in (h, w)]
    plain = plainly(product, *exact, head, relation, tail)
    want = plain, *torch.autograd.grad(plain, exact, direction.double())
    for mine, theirs in zip(got, want, strict=True):
        assert mine.shape == theirs.shape
        assert mine.dtype == h.dtype
        if mine.numel():
            torch.testing.assert_close(
                mine.double(), theirs, rtol=tolerance, atol=tolerance * max(1.0, float(theirs.detach().abs().max()))
            )


@PRODUCTS
@pytest.mark.parametrize("edges", [0, 1, 40])
@pytest.mark.parametrize("relations", [1, 300])
@pytest.mark.parametrize("width", [2, 6, 64, 300])
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_agrees_with_plain_torch_forward_and_backward(product, edges, relations, width, dtype):
    assert_agrees(product, *case(edges, relations=relations, width=width, dtype=dtype))


@PRODUCTS
@pytest.mark.parametrize("relations", [1, 7, 400])
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_agrees_where_the_work_is_cut_in_pieces(product, relations, dtype):
    """With a hub that spans pieces, duplicate edges, and edges of a node with itself."""
    h, w, head, relation, tail = case(20_000, nodes=700, relations=relations, width=12, dtype=dtype)
    head[::3] = 5
    tail[::7] = head[::7]
    relation[relation == relations - 1] = 0
    again = torch.arange(0, 20_000, 2)
    head, relation, tail = (torch.cat([t, t[again]]) for t in (head, relation, tail))
    pieces, together = scoring_cpu.divide(len(head), relations)
    assert pieces > 10
    assert together == (relations < 400)
    assert_agrees(product, h, w, head, relation, tail)


@PRODUCTS
def test_agrees_where_nodes_are_many_more_than_edges(product):
    assert_agrees(product, *case(3000, nodes=30_000, width=4))


@PRODUCTS
def test_agrees_where_all_edges_are_one(product):
    h, w, *_ = case(0, width=8, dtype=torch.float32)
    same = [torch.full((5000,), i) for i in (3, 1, 3)]
    assert_agrees(product, h, w, *same)


@PRODUCTS
def test_gradcheck_and_opcheck(product):
    h, w, head, relation, tail = case(12)
    tail[0] = head[0]
    assert gradcheck(lambda a, b: product(a, b, head, relation, tail), (h, w))
    operator = getattr(torch.ops.relwise, product.__name__)
    torch.library.opcheck(operator.default, (h, w, head, relation, tail))


@PRODUCTS
def test_the_plain_bodies_give_the_same(product):
    """What runs where there is no kernel."""
    h, w, head, relation, tail = (t.detach() for t in case(50))
    forward, backward = (getattr(scoring, f"_{product.__name__}{end}")._init_fn for end in ("", "_backward"))
    torch.testing.assert_close(forward(h, w, head, relation, tail), product(h, w, head, relation, tail))
    grad = torch.linspace(-1, 1, 50, dtype=torch.float64)
    ours = getattr(torch.ops.relwise, f"{product.__name__}_backward")(grad, h, w, head, relation, tail)
    for got, want in zip(ours, backward(grad, h, w, head, relation, tail), strict=True):
        torch.testing.assert_close(got, want)


@PRODUCTS
def test_non_contiguous_inputs(product):
    h, w, head, relation, tail = case(60, width=8)
    strided = [torch.stack([t, t], dim=-1)[..., 0] for t in (head, relation, tail)]
    turned = [t.detach().T.contiguous().T.requires_grad_() for t in (h, w)]
    assert not any(t.is_contiguous() for t in (*strided, *turned))
    torch.testing.assert_close(product(*turned, *strided), product(h, w, head, relation, tail))
    # A summed score's gradient is one number, seen from everywhere.
    got = torch.autograd.grad(product(*turned, *strided).sum(), turned)
    want = torch.autograd.grad(plainly(product, h, w, head, relation, tail).sum(), (h, w))
    torch.testing.assert_close(got, want)


@PRODUCTS
def test_nan_stays_nan_and_where_it_is(product):
    h, w, *_ = case(0, width=64, dtype=torch.float32)
    with torch.no_grad():
        h[2, 1] = torch.nan
    head, relation, tail = torch.tensor([0, 2, 4]), torch.tensor([0, 1, 2]), torch.tensor([1, 3, 5])
    scores = product(h, w, head, relation, tail)
    assert scores.isnan().tolist() == [False, True, False]
    grad_nodes, grad_relations = torch.autograd.grad(scores[::2].sum() + 0 * scores[1], (h, w))
    # By the product with node 2: its other end's gradient, and its relation's.
    assert grad_nodes.isnan().any(1).nonzero().flatten().tolist() == [3]
    assert grad_relations.isnan().any(1).tolist() == [False, True, False]


@PRODUCTS
def test_bfloat16_states_are_summed_in_float32(product):
    h, w, head, relation, tail = case(3000, nodes=60, relations=5, width=34, dtype=torch.float32)
    small = h.detach().bfloat16().requires_grad_()
    rounded = small.detach().float().requires_grad_()
    ours, exact = product(small, w, head, relation, tail), product(rounded, w, head, relation, tail)
    assert ours.dtype == torch.float32
    torch.testing.assert_close(ours, exact, rtol=1e-5, atol=1e-5)
    grads = torch.autograd.grad(ours.sum(), (small, w))
    want = torch.autograd.grad(exact.sum(), (rounded, w))
    assert [g.dtype for g in grads] == [torch.bfloat16, torch.float32]
    torch.testing.assert_close(grads[0].float(), want[0], rtol=2**-8, atol=1e-4)
    torch.testing.assert_close(grads[1], want[1], rtol=1e-5, atol=1e-4)


@PRODUCTS
@pytest.mark.parametrize("which", [2, 3, 4])
@pytest.mark.parametrize("by", [-9, 9])
def test_an_index_out_of_range_is_refused(product, which, by):
    arguments = list(case(3))
    arguments[which] = arguments[which] + by
    with pytest.raises(IndexError, match=f"outside 0..{2 if which == 3 else 8}"):
        product(*arguments)


@PRODUCTS
def test_what_does_not_fit_is_refused(product):
    h, w, head, relation, tail = case(3)
    with pytest.raises(ValueError, match="size"):
        product(h, w[:, :2], head, relation, tail)
    with pytest.raises(ValueError, match="3 heads, 3 relations and 2 tails"):
        product(h, w, head, relation, tail[:2])
    with pytest.raises(ValueError, match="float64"):
        product(h, w.float(), head, relation, tail)


def test_complex_rows_have_an_even_size():
    h, w, head, relation, tail = case(3, width=5)
    assert triple_product(h, w, head, relation, tail).shape == (3,)
    with pytest.raises(ValueError, match="even"):
        complex_product(h, w, head, relation, tail)


def test_complex_arithmetic_is_torchs():
    left, right = torch.randn(2, 5, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    a, b = (torch.complex(*t.chunk(2, dim=1)) for t in (left, right))
    join = lambda z: torch.cat([z.real, z.imag], dim=1)  # noqa: E731
    torch.testing.assert_close(complex_times(left, right), join(a * b))
    torch.testing.assert_close(conjugate(left), join(a.conj()))


@PRODUCTS
@pytest.mark.parametrize("relations", [2, 400])
def test_the_same_bits_in_one_thread_and_in_two(product, relations):
    h, w, head, relation, tail = case(20_000, nodes=300, relations=relations, width=32, dtype=torch.float32)
    head[:9000] = 7
    before, results = numba.get_num_threads(), []
    for threads in (1, min(2, numba.config.NUMBA_NUM_THREADS)):
        numba.set_num_threads(threads)
        out = product(h, w, head, relation, tail)
        results.append([t.detach().numpy() for t in (out, *torch.autograd.grad(out.square().sum(), (h, w)))])
    numba.set_num_threads(before)
    assert all(np.array_equal(a, b) for a, b in zip(*results, strict=True))
