"""What becomes of memory that a training step frees: it stays with the process, for the next step.

By default glibc gives large pieces back to the system as they are freed and asks for them anew, and the system hands
them out zeroed, page by page: with small pages that was a fifth of a step. Other libraries than glibc are left alone.
"""

from __future__ import annotations

import ctypes
import math
import os
import sys
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from relwise.kernels.vector import LINE

# mallopt's names for them, of malloc.h.
TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3
# Above it each piece is the system's own, as ever; glibc takes no more. Of a large graph's tables nothing is kept.
LARGEST_KEPT = 32 << 20
MOST_KEPT = 1 << 30
SMALL = 8 << 20  # bytes of a tensor, below which it is not worth the microseconds
NUMPY = {torch.float32: np.float32, torch.float64: np.float64}
SAID_BY_USER = "MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_", "GLIBC_TUNABLES"


def keep_freed_memory() -> bool:
    """Let freed pieces of up to 32 MiB, at most a GiB in all, stay with the process; whether that is so now.

    What the user has said of glibc's memory in the environment stands.
    """
    library = _glibc()
    if library is None or any(name in os.environ for name in SAID_BY_USER):
        return False
    return bool(library.mallopt(MMAP_THRESHOLD, LARGEST_KEPT) and library.mallopt(TRIM_THRESHOLD, MOST_KEPT))


def room(shape: Sequence[int], dtype: torch.dtype) -> Tensor:
    """An uninitialised tensor on the CPU; a large one where an equal one stood before, if that is free.

    glibc (2.36, where this was seen) does not give a freed aligned piece, such as PyTorch's are, to another aligned one
    of its size: it cuts up a larger one, and a process that makes and frees the same tensors over and over again holds
    a third more than at first. This asks for a plain piece, and aligns the tensor within.

    >>> room((2, 3), torch.float32).shape
    torch.Size([2, 3])
    """
    size = math.prod(shape) * dtype.itemsize
    if size < SMALL or dtype not in NUMPY:
        return torch.empty(*shape, dtype=dtype)
    piece = np.empty(size + LINE, np.uint8)
    start = -piece.__array_interface__["data"][0] % LINE
    return torch.from_numpy(piece[start : start + size].view(NUMPY[dtype]).reshape(shape))


def give_back_freed_memory() -> None:
    """Give the system what is free now."""
    library = _glibc()
    if library is not None:
        library.malloc_trim(0)


def _glibc() -> Any:
    """The C library that the process runs with; None where it is another than glibc."""
    if sys.platform != "linux":
        return None
    library = ctypes.CDLL(None)
    return library if hasattr(library, "gnu_get_libc_version") else None
