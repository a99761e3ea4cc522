"""LeakyReLU's gradient from its results, in memory that the layer's other states leave (`relwise.kernels.memory`)."""

from __future__ import annotations

import torch
from numba import njit, prange
from torch import Tensor

from relwise.kernels.compiling import PARALLEL
from relwise.kernels.memory import room

BLOCKS = 64


def leaky_backward(grad: Tensor, out: Tensor, slope: float) -> Tensor:
    """`grad` where `out` is positive, `slope · grad` elsewhere, in a tensor of its own.

    Args:
        grad: the gradient of LeakyReLU's results, of any shape.
        out: these results; a slope above zero leaves them the signs of what was given.
        slope: LeakyReLU's.

    >>> leaky_backward(torch.tensor([1.0, 1.0, 1.0]), torch.tensor([2.0, 0.0, -1.0]), 0.5).tolist()
    [1.0, 0.5, 0.5]
    """
    if grad.device.type != "cpu" or not (grad.is_contiguous() and out.is_contiguous()):
        return torch.ops.aten.leaky_relu_backward(grad, out, slope, True)
    found = room(grad.shape, grad.dtype)
    _fill(*[*(t.detach().view(-1).numpy() for t in (grad, out, found)), slope])
    return found


@njit(**PARALLEL)
def _fill(grad, out, found, slope):  # pragma: no cover (compiled)
    slope = grad.dtype.type(slope)
    for block in prange(BLOCKS):
        first, last = block * len(out) // BLOCKS, (block + 1) * len(out) // BLOCKS
        given, of, into = grad[first:last], out[first:last], found[first:last]
        for k in range(len(into)):
            into[k] = given[k] if of[k] > 0 else given[k] * slope
