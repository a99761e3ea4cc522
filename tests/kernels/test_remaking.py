import weakref

import numba
import pytest
import torch
from torch.autograd import gradcheck

from relwise.kernels import remaking
from relwise.kernels.remaking import remake, replace_rows


def inputs(nodes=50, width=3, dtype=torch.float64):
    torch.manual_seed(nodes)
    table, vector = torch.randn(nodes, width, dtype=dtype), torch.randn(width, dtype=dtype)
    return table.requires_grad_(), torch.rand(nodes) < 0.3, vector.requires_grad_()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("which", ["some", "none", "all"])
@pytest.mark.parametrize("nodes", [0, 1, 5000])
def test_values_and_gradients_are_those_of_where(nodes, which, dtype):
    table, new, vector = inputs(nodes, dtype=dtype)
    new = {"some": new, "none": torch.zeros_like(new), "all": torch.ones_like(new)}[which]
    out, expected = replace_rows(table, new, vector), torch.where(new[:, None], vector, table)
    assert torch.equal(out, expected)
    grad = torch.randn_like(out)
    before = grad.clone()
    got, want = (torch.autograd.grad(t, (table, vector), grad) for t in (out, expected))
    assert torch.equal(got[0], want[0])
    torch.testing.assert_close(got[1], want[1], rtol=1e-5, atol=1e-5)  # a sum, in an order of its own
    assert torch.equal(grad, before)


def test_same_bits_with_any_number_of_threads():
    table, new, vector = inputs(5000, dtype=torch.float32)
    grad, threads = torch.randn(5000, 3), numba.get_num_threads()
    found = []
    try:
        for count in (1, threads):
            numba.set_num_threads(count)
            out = replace_rows(table, new, vector)
            found.append((out, *torch.autograd.grad(out, (table, vector), grad)))
    finally:
        numba.set_num_threads(threads)
    assert all(torch.equal(a, b) for a, b in zip(*found, strict=True))


def test_gradcheck():
    table, new, vector = inputs(6)
    assert gradcheck(lambda t, v: replace_rows(t, new, v), (table, vector))
    assert gradcheck(lambda t, v: replace_rows(t.sin(), new, v), (table, vector))
    assert gradcheck(lambda t: replace_rows(t, new, vector.detach()), (table,))
    assert gradcheck(lambda v: replace_rows(table.detach(), new, v), (vector,))


def test_what_is_made_again_is_the_same_in_memory_of_its_own(monkeypatch):
    monkeypatch.setattr(remaking, "LARGE", 0)
    table, new, vector = inputs()
    out = replace_rows(table, new, vector)
    again = remake(out)
    assert again is not None
    first, kept, gone = again(), out.detach().clone(), weakref.ref(out)
    assert torch.equal(first, kept)
    assert first.data_ptr() != out.data_ptr()
    assert not first.requires_grad
    del out
    assert gone() is None  # what makes it again does not hold it
    assert torch.equal(again(), kept)


def test_a_weight_edited_between_is_told(monkeypatch):
    monkeypatch.setattr(remaking, "LARGE", 0)
    table, new, vector = inputs()
    out = replace_rows(table, new, vector)
    again = remake(out)
    with torch.no_grad():
        table.add_(1)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        again()  # type: ignore[misc]


def test_only_large_tables_of_a_weight_are_made_again(monkeypatch):
    table, new, vector = inputs()
    assert remake(replace_rows(table, new, vector)) is None  # small
    monkeypatch.setattr(remaking, "LARGE", 0)
    assert remake(replace_rows(table.sin(), new, vector)) is None
    assert remake(table.sin()) is None
    assert remake(table) is None
    with torch.no_grad():
        assert remake(replace_rows(table, new, vector)) is None
