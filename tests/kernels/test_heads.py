"""Logits of the attention heads and their gradients, against plain torch in float64."""

import numba
import pytest
import torch

from relwise.kernels.heads import head_logits_backward


@pytest.mark.parametrize(
    ("count", "given", "width", "heads"), [(0, 3, 3, 2), (1, 1, 1, 1), (300, 8, 8, 2), (50, 5, 9, 3)]
)
def test_states_of_any_width(count, given, width, heads):
    torch.manual_seed(0)
    grad, states = torch.randn(count, heads).double(), torch.randn(count, given).double()
    vectors, grad_states = torch.randn(width, heads).double(), torch.randn(count, width).double()
    expected = grad_states + grad @ vectors.t()
    torch.testing.assert_close(head_logits_backward(grad, states, vectors, grad_states), states.t() @ grad)
    torch.testing.assert_close(grad_states, expected)


def test_the_same_bits_with_one_thread_and_with_two():
    torch.manual_seed(0)
    grad, states, vectors = torch.randn(5000, 2), torch.randn(5000, 16), torch.randn(16, 2)
    before, found = numba.get_num_threads(), []
    for threads in (1, min(2, before)):
        numba.set_num_threads(threads)
        found.append(head_logits_backward(grad, states, vectors, torch.zeros(5000, 16)))
    numba.set_num_threads(before)
    assert torch.equal(*found)
