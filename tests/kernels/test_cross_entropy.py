"""The cross entropy of triples against scikit-learn, plain torch in float64 and the scoring operators."""

import math

import numba
import numpy as np
import pytest
import torch
from sklearn.metrics import log_loss
from torch.nn import functional

from relwise.kernels.cross_entropy import cross_entropy
from relwise.kernels.scoring import complex_product, triple_product

PRODUCTS = pytest.mark.parametrize("product", [triple_product, complex_product])
BINS = 50


def case(edges, nodes=9, relations=3, width=4, dtype=torch.float64, seed=0):
    """Tables, true edges, and false ones that differ in one end. The last node has no edges."""
    generator = torch.Generator().manual_seed(seed)
    h = torch.randn(nodes, width, generator=generator, dtype=dtype).requires_grad_()
    w = torch.randn(relations, width, generator=generator, dtype=dtype).requires_grad_()
    draw = lambda high: torch.randint(high, (edges,), generator=generator).numpy()  # noqa: E731
    true = draw(nodes - 1), draw(relations), draw(nodes - 1)
    at_head = draw(2) == 0
    false = np.where(at_head, draw(nodes - 1), true[0]), true[1].copy(), np.where(at_head, true[2], draw(nodes - 1))
    return h, w, true, false


def ours(product, h, w, true, false):
    counts = np.full((2, BINS), -1)
    return cross_entropy(h, w, true, false, counts, product is complex_product), counts


def plainly(product, h, w, true, false):
    logits = torch.cat([product(h, w, *map(torch.from_numpy, edges)) for edges in (true, false)])
    truth = torch.cat([torch.ones(len(true[0])), torch.zeros(len(false[0]))]).to(logits)
    return functional.binary_cross_entropy_with_logits(logits, truth), logits


def assert_agrees(product, h, w, true, false):
    """Loss, gradients and counts; relative to the largest number, 1e-12 in float64, else 1e-5."""
    tolerance = 1e-12 if h.dtype == torch.float64 else 1e-5
    loss, counts = ours(product, h, w, true, false)
    got = loss, *torch.autograd.grad(3 * loss, (h, w))
    exact = [t.detach().double().requires_grad_() for t in (h, w)]
    plain, logits = plainly(product, *exact, true, false)
    want = plain, *torch.autograd.grad(3 * plain, exact)
    for mine, theirs in zip(got, want, strict=True):
        assert mine.dtype == h.dtype
        torch.testing.assert_close(
            mine.double(), theirs, rtol=tolerance, atol=tolerance * float(theirs.detach().abs().max())
        )
    chance = logits.detach().sigmoid().numpy().reshape(2, -1)
    found = np.stack([np.histogram(row, BINS, (0, 1))[0] for row in chance])
    assert np.abs(counts - found).sum() <= (0 if h.dtype == torch.float64 else 2)  # one may round over a border


@PRODUCTS
@pytest.mark.parametrize("edges", [1, 40])
@pytest.mark.parametrize("relations", [1, 300])
@pytest.mark.parametrize("width", [2, 6, 64, 300])
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_agrees_with_plain_torch(product, edges, relations, width, dtype):
    assert_agrees(product, *case(edges, relations=relations, width=width, dtype=dtype))


@PRODUCTS
@pytest.mark.parametrize("relations", [1, 7, 400])
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_agrees_where_the_work_is_cut_in_pieces(product, relations, dtype):
    """With a hub that spans pieces, duplicate edges, and edges of a node with itself."""
    h, w, true, false = case(12_000, nodes=700, relations=relations, width=12, dtype=dtype)
    true[0][::3], true[2][::7] = 5, true[0][::7]
    for column in (*true, *false):
        column[6000:9000] = column[:3000]
    assert_agrees(product, h, w, true, false)


def test_the_loss_is_scikit_learns():
    h, w, true, false = case(500)
    probability = plainly(triple_product, h, w, true, false)[1].detach().sigmoid().numpy()
    want = log_loss(np.repeat([1, 0], 500), probability)
    assert float(ours(triple_product, h, w, true, false)[0].detach()) == pytest.approx(want, rel=1e-12)


@PRODUCTS
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_far_logits_lose_nothing(product, dtype):
    """Of 10,000 and more: no exponential overflows, and what is surely right costs next to nothing."""
    h, w = (100 * torch.ones(2, 2, dtype=dtype)).requires_grad_(), torch.ones(2, 2, dtype=dtype).requires_grad_()
    with torch.no_grad():
        w[1] = -1
    column = lambda value: np.full(3, value)  # noqa: E731
    sure = (column(0), column(0), column(1)), (column(0), column(1), column(1))
    # (1, 1) times the conjugate of (1, 1) is 2 as well, of complex numbers with w = 1 + i.
    logit = float(product(h, w, *map(torch.from_numpy, sure[0]))[0].detach())
    assert logit >= 10_000
    assert float(ours(product, h, w, *sure)[0].detach()) == 0
    loss, counts = ours(product, h, w, *sure[::-1])
    assert float(loss.detach()) == pytest.approx(logit, rel=1e-6)
    assert (counts[0, 0], counts[1, -1], counts.sum()) == (3, 3, 6)
    assert all(gradient.isfinite().all() for gradient in torch.autograd.grad(loss, (h, w)))


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_what_is_no_number_is_none(value):
    h, w, true, false = case(600, dtype=torch.float32)
    with torch.no_grad():
        h[3] = value
    loss, counts = ours(triple_product, h, w, true, false)
    assert not torch.isfinite(loss.detach())
    assert counts.sum() == 1200


def test_the_same_bits_with_any_number_of_threads():
    given, found = case(5000, nodes=300, width=20, dtype=torch.float32), []
    for threads in (1, 2):
        before = numba.get_num_threads()
        numba.set_num_threads(min(threads, numba.config.NUMBA_NUM_THREADS))
        loss, _ = ours(triple_product, *given)
        found.append((loss.detach(), *torch.autograd.grad(loss, given[:2])))
        numba.set_num_threads(before)
    assert all(torch.equal(one, other) for one, other in zip(*found, strict=True))


def test_gradients_are_there_once():
    h, w, true, false = case(10)
    loss, _ = ours(triple_product, h, w, true, false)
    loss.backward(retain_graph=True)
    with pytest.raises(RuntimeError, match="there once"):
        loss.backward()


@pytest.mark.parametrize("which", [0, 1, 2])
@pytest.mark.parametrize("value", [-1, 8_000_000_000])
def test_an_index_out_of_range_is_told(which, value):
    h, w, true, false = case(10)
    broken = [column.copy() for column in false]
    broken[which][4] = value
    with pytest.raises(IndexError, match=r"outside 0\.\.2" if which == 1 else r"outside 0\.\.8"):
        ours(triple_product, h, w, true, tuple(broken))


def test_what_does_not_fit_is_told():
    h, w, true, false = case(10)
    with pytest.raises(ValueError, match="10 true edges and 9 false ones"):
        ours(triple_product, h, w, true, tuple(column[:9] for column in false))
    with pytest.raises(ValueError, match="heads, relations and tails differ in length"):
        ours(triple_product, h, w, (true[0], true[1][:9], true[2]), false)
    with pytest.raises(ValueError, match="nodes of torch"):
        ours(triple_product, h.float(), w, true, false)
    with pytest.raises(ValueError, match="nodes of size 2"):
        ours(triple_product, h[:, :2], w, true, false)
