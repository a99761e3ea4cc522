"""Logits of the attention heads: products of all states with a few vectors, and their gradients.

A library's matrix product takes longer over two columns than over sixteen. Here each state is read once, forward as
well as backward. A layer of rows takes its logits from the states before its products: `relwise.kernels.node_logits`.
"""

from __future__ import annotations

import torch
from numba import njit, prange
from torch import Tensor

from relwise.kernels.compiling import PARALLEL
from relwise.kernels.products import row_product
from relwise.kernels.tile import multiply_add

SLICES = 64  # a constant, so that the vectors' gradients are added in the same order by any number of threads


def head_logits(states: Tensor, vectors: Tensor) -> Tensor:
    """(n, L) `states @ vectors`.

    Args:
        states: (n, d).
        vectors: (d, L).

    >>> head_logits(torch.tensor([[1.0, 2.0]]), torch.tensor([[1.0], [10.0]])).tolist()
    [[21.0]]
    """
    if states.device.type != "cpu":
        return states @ vectors
    out = states.new_empty(len(states), vectors.shape[1])
    _forward(states.contiguous().numpy(), vectors.t().contiguous().numpy(), out.numpy())
    return out


def head_logits_backward(grad_logits: Tensor, states: Tensor, vectors: Tensor, grad_states: Tensor) -> Tensor:
    """(k, L) `statesᵀ grad_logits`; adds the gradient of what the logits are products of to `grad_states`.

    Where that is `states`, what it returns is the gradient of the vectors.

    Args:
        grad_logits: (n, L).
        states: (n, k).
        vectors: (d, L).
        grad_states: (n, d), added to in place.
    """
    if states.device.type != "cpu":
        grad_states.addmm_(grad_logits, vectors.t())
        return states.t() @ grad_logits
    parts = torch.zeros(SLICES, vectors.shape[1], states.shape[1], dtype=grad_states.dtype)
    arrays = [t.detach().contiguous().numpy() for t in (grad_logits, states, vectors.t())]
    _backward(*[*arrays, grad_states.numpy(), parts.numpy()])
    return parts.sum(dim=0).t()


@njit(**PARALLEL)
def _forward(states, vectors, out):
    for piece in prange(SLICES):
        for i in range(piece * len(states) // SLICES, (piece + 1) * len(states) // SLICES):
            state = states[i]
            for head in range(len(vectors)):
                out[i, head] = row_product(state, vectors[head])


@njit(**PARALLEL)
def _backward(grad_logits, states, vectors, grad_states, parts):
    for piece in prange(SLICES):
        for i in range(piece * len(states) // SLICES, (piece + 1) * len(states) // SLICES):
            state, grad_state = states[i], grad_states[i]
            for head in range(len(vectors)):
                vector, part, grad = vectors[head], parts[piece, head], grad_logits[i, head]
                for k in range(len(grad_state)):
                    grad_state[k] = multiply_add(grad, vector[k], grad_state[k])
                for k in range(len(state)):
                    part[k] = multiply_add(grad, state[k], part[k])
