"""Logits of the attention heads: products of all states with a few vectors, and their gradients.

A library's matrix product takes longer over two columns than over sixteen. Here each state is read once, forward as
well as backward.
"""

from __future__ import annotations

import numpy as np
import torch
from numba import njit, prange
from torch import Tensor

from relwise.kernels.adjacency import Adjacency
from relwise.kernels.vector import FAST

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
    bounds = np.arange(SLICES + 1) * len(states) // SLICES
    return _slices(grad_logits, states, np.empty(0, np.int64), vectors, grad_states, bounds).sum(dim=0).t()


def row_logits_backward(
    grad_logits: Tensor, x: Tensor, vectors: Tensor, weights: Tensor, adjacency: Adjacency, grad_rows: Tensor
) -> Tensor:
    """(d, L) the gradient of the vectors, of logits of the rows `W_r x_j`, without the rows; on the CPU.

    By `Σ_p W_r^T x_j grad_p = Σ_r W_r^T Σ_p x_j grad_p`. Adds the gradient of the rows to `grad_rows`.

    Args:
        grad_logits: (P, L).
        x: (N, k).
        vectors: (d, L).
        weights: (R, k, d) W_r.
        adjacency: whose rows they are.
        grad_rows: (P, d), added to in place.
    """
    pointer, count = np.array(adjacency.relation_ptr, np.int64), len(grad_logits)
    # No slice is of two relations.
    bounds = np.unique(np.concatenate([pointer, np.arange(SLICES + 1) * count // SLICES]))
    parts = _slices(grad_logits, x, adjacency.row_source.numpy(), vectors, grad_rows, bounds)
    relation = torch.from_numpy(np.searchsorted(pointer, bounds[:-1], side="right") - 1)
    by_relation = torch.zeros(len(weights), *parts.shape[1:], dtype=parts.dtype).index_add_(0, relation, parts)
    return torch.einsum("rkd,rlk->dl", weights, by_relation)


def _slices(
    grad_logits: Tensor, states: Tensor, source: np.ndarray, vectors: Tensor, grad_states: Tensor, bounds: np.ndarray
) -> Tensor:
    """(slices, L, k) what each slice of the logits adds up of its states."""
    parts = torch.zeros(len(bounds) - 1, vectors.shape[1], states.shape[1], dtype=grad_states.dtype)
    arrays = [t.detach().contiguous().numpy() for t in (grad_logits, states, vectors.t())]
    _backward(*[*arrays, source, bounds, grad_states.numpy(), parts.numpy()])
    return parts


@njit(parallel=True, fastmath=FAST, cache=True)
def _forward(states, vectors, out):
    for piece in prange(SLICES):
        for i in range(piece * len(states) // SLICES, (piece + 1) * len(states) // SLICES):
            state = states[i]
            for head in range(len(vectors)):
                vector, total = vectors[head], out.dtype.type(0)
                for k in range(len(state)):
                    total += state[k] * vector[k]
                out[i, head] = total


@njit(parallel=True, fastmath=FAST, cache=True)
def _backward(grad_logits, states, vectors, source, bounds, grad_states, parts):
    """Without a `source` state n is the n-th logits' own."""
    for piece in prange(len(parts)):
        for i in range(bounds[piece], bounds[piece + 1]):
            state, grad_state = states[source[i] if len(source) else i], grad_states[i]
            for head in range(len(vectors)):
                vector, part, grad = vectors[head], parts[piece, head], grad_logits[i, head]
                for k in range(len(grad_state)):
                    grad_state[k] += grad * vector[k]
                for k in range(len(state)):
                    part[k] += grad * state[k]
