"""A table some of whose rows are replaced by one vector, made again where it is large instead of being kept.

    out_i = u where node i is new, else E_i

Made from a weight E that stays anyway, such a table need not be held from the forward pass to the backward pass: of
five million nodes it takes 1.3 GB, and making it again a few hundredths of a step. Who would save it asks `remake`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor

# Bytes of a table beyond which it is made again in the backward pass: a few hundredths of the layer's time, for memory
# that would be held while all that comes behind the layer is at work.
LARGE = 256 << 20


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
    return torch.where(new[:, None], vector, table)


class _Replaced(torch.autograd.Function):
    @staticmethod
    def forward(ctx, table, new, vector):
        # What was itself made for this is not kept: it would be no less than the result.
        ctx.from_weight = table.is_leaf
        ctx.save_for_backward(new, *((vector, table) if table.is_leaf else ()))
        return _replaced(new, vector, table)

    @staticmethod
    def backward(ctx, *grads):
        new, zero, by_table, by_vector = ctx.saved_tensors[0][:, None], grads[0].new_zeros(()), None, None
        # One after the other, and of full size: their sums have the bits of `torch.where`'s own.
        if ctx.needs_input_grad[2]:
            by_vector = torch.where(new, grads[0], zero).sum(dim=0)
        if ctx.needs_input_grad[0]:
            by_table = torch.where(new, zero, grads[0])
        return by_table, None, by_vector
