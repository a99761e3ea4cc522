"""A table some of whose rows are replaced by one vector, made again where it is large instead of being kept.

    out_i = u where node i is new, else E_i

Made from a weight E that stays anyway, such a table need not be held from the forward pass to the backward pass: of
five million nodes it takes 1.3 GB, and making it again a few hundredths of a step. Who would save it asks `remake`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import torch
from numba import njit, prange
from torch import Tensor

from relwise.kernels.arrays import arrays
from relwise.kernels.compiling import PARALLEL
from relwise.kernels.memory import room
from relwise.kernels.vector import add_to

# Bytes of a table beyond which it is made again in the backward pass: a few hundredths of the layer's time, for memory
# that would be held while all that comes behind the layer is at work.
LARGE = 256 << 20
SLICES = 64  # a constant, so that the vector's gradient is added in the same order by any number of threads


def is_large(table: Tensor) -> bool:
    return table.numel() * table.element_size() > LARGE


def replace_rows(table: Tensor, new: Tensor, vector: Tensor) -> Tensor:
    """(n, d) the table with `vector` in the new rows; differentiable by both, nothing waits for a device.

    Args:
        table: (n, d).
        new: (n,) bool.
        vector: (d,).

    >>> replace_rows(torch.ones(2, 1), torch.tensor([False, True]), torch.tensor([5.0])).tolist()
    [[1.0], [5.0]]
    """
    return _Replaced.apply(table, new, vector)  # pyright: ignore[reportReturnType]


def remake(x: Tensor) -> Callable[[], Tensor] | None:
    """What makes the values of `x` once more, in memory of their own; None where `x` is better kept.

    To be called before the backward pass has reached what made `x`. Nobody but the graph is kept by it.
    """
    node: Any = x.grad_fn
    return partial(_again, node) if is_large(x) and getattr(node, "from_weight", False) else None


def _again(node: Any) -> Tensor:
    with torch.no_grad():
        return _replaced(*node.saved_tensors)


def _replaced(new: Tensor, vector: Tensor, table: Tensor) -> Tensor:
    if table.device.type != "cpu":
        return torch.where(new[:, None], vector, table)
    out = room(table.shape, table.dtype)
    _replace(*[*arrays(new, vector, table), out.numpy()])
    return out


class _Replaced(torch.autograd.Function):
    @staticmethod
    def forward(ctx, table, new, vector):
        # What was itself made for this is not kept: it would be no less than the result.
        ctx.from_weight = table.is_leaf
        ctx.save_for_backward(new, *((vector, table) if table.is_leaf else ()))
        return _replaced(new, vector, table)

    @staticmethod
    def backward(ctx, *grads):
        (grad,), new = grads, ctx.saved_tensors[0]
        if grad.device.type != "cpu":
            zero = grad.new_zeros(())
            return torch.where(new[:, None], zero, grad), None, torch.where(new[:, None], grad, zero).sum(dim=0)
        by_table = room(grad.shape, grad.dtype)
        by_vector = grad.new_empty(grad.shape[1])
        _part(*[*arrays(new, grad), by_table.numpy(), by_vector.numpy()])
        return by_table, None, by_vector


@njit(**PARALLEL)
def _replace(new, vector, table, out):
    for piece in prange(SLICES):
        for i in range(piece * len(out) // SLICES, (piece + 1) * len(out) // SLICES):
            # No array that is now one and now the other: its references would be counted.
            into, row = out[i], table[i]
            if new[i]:
                for k in range(len(into)):
                    into[k] = vector[k]
            else:
                for k in range(len(into)):
                    into[k] = row[k]


@njit(**PARALLEL)
def _part(new, grad, by_table, by_vector):
    """The table's gradient and the vector's, to which each slice of the rows adds in turn."""
    parts = np.empty((SLICES, grad.shape[1]), grad.dtype)
    for piece in prange(SLICES):
        part = parts[piece]
        part[:] = 0
        for i in range(piece * len(grad) // SLICES, (piece + 1) * len(grad) // SLICES):
            row, into = grad[i], by_table[i]
            if new[i]:
                for k in range(len(row)):
                    part[k] += row[k]
                into[:] = 0
            else:
                for k in range(len(row)):
                    into[k] = row[k]
    by_vector[:] = 0
    for piece in range(SLICES):
        add_to(by_vector, parts[piece])
