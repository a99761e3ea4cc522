"""Tensors as the Numba kernels take them."""

from __future__ import annotations

import numpy as np
from torch import Tensor


def arrays(*tensors: Tensor) -> tuple[np.ndarray, ...]:
    """C-ordered arrays, on the tensors' own memory where they are contiguous; all on the CPU.

    >>> import torch
    >>> arrays(torch.arange(6).view(2, 3).t())[0].flags.c_contiguous
    True
    """
    return tuple(tensor.detach().contiguous().numpy() for tensor in tensors)
