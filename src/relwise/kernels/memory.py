"""What becomes of memory that a training step frees: it stays with the process, for the next step.

By default glibc gives large pieces back to the system as they are freed and asks for them anew, and the system hands
them out zeroed, page by page: with small pages that was a fifth of a step. Other libraries than glibc are left alone.

Pieces beyond what glibc keeps, a large graph's tables, are kept in `relwise.kernels.tables`.
"""

from __future__ import annotations

import ctypes
import itertools
import math
import os
import sys
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from relwise.kernels.tables import Tables
from relwise.kernels.vector import LINE

# mallopt's names for them, of malloc.h.
TRIM_THRESHOLD, TOP_PAD, MMAP_THRESHOLD = -1, -2, -3
# Above it each piece is the system's own, as ever; glibc takes no more.
LARGEST_KEPT = 32 << 20
MOST_KEPT = 1 << 30
ADVISED = 256 << 20
HUGE = 2 << 20  # bytes of a huge page; of larger ones the system sees to itself
MADV_HUGEPAGE, DEFAULT_PAD = 14, 128 << 10
SMALL = 2 << 20  # bytes of a tensor, below which it is not worth the microseconds
NUMPY = {torch.float32: np.float32, torch.float64: np.float64, torch.int32: np.int32}
SAID_BY_USER = "MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_", "GLIBC_TUNABLES"


def keep_freed_memory() -> bool:
    """Let freed pieces stay with the process, glibc's and those of `room`; whether that is so now.

    Of glibc's pieces of up to 32 MiB, at most a GiB in all. What the user has said of glibc's memory in the environment
    stands.
    """
    global _tables
    library = _glibc()
    if library is None or any(name in os.environ for name in SAID_BY_USER):
        return False
    begins, _tables = _tables is None, _tables or Tables()
    kept = bool(library.mallopt(MMAP_THRESHOLD, LARGEST_KEPT) and library.mallopt(TRIM_THRESHOLD, MOST_KEPT))
    if kept and begins and os.environ.get("THP_MEM_ALLOC_ENABLE") == "1":
        _advise_huge_pages(library)
    return kept


def _advise_huge_pages(library: Any) -> int:
    """Let glibc's pieces come from `ADVISED` more bytes that may be of huge pages; how many there are of these.

    PyTorch asks for huge pages for its tensors of two megabytes and more, and nobody for the rest of what a step goes
    over: each of its pages would be looked up. Bytes that nobody writes to are no memory.
    """
    library.sbrk.restype = library.malloc.restype = ctypes.c_void_p
    library.sbrk.argtypes, library.free.argtypes, library.malloc.argtypes = (
        [ctypes.c_ssize_t],
        [ctypes.c_void_p],
        [ctypes.c_size_t],
    )
    library.madvise.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
    before = library.sbrk(0)
    library.mallopt(TOP_PAD, ADVISED)
    # More than lies free, as a rule: the heap grows by that and the pad.
    library.free(library.malloc(LARGEST_KEPT - LINE))
    library.mallopt(TOP_PAD, DEFAULT_PAD)
    start, end = -(-before // HUGE) * HUGE, library.sbrk(0)
    found = end > start and not library.madvise(start, end - start, MADV_HUGEPAGE)
    return end - start if found else 0


def room(shape: Sequence[int], dtype: torch.dtype, for_now: bool = False) -> Tensor:
    """An uninitialised tensor on the CPU; a large one where an equal one stood before, if that is free.

    glibc (2.36, where this was seen) does not give a freed aligned piece, such as PyTorch's are, to another aligned one
    of its size: it cuts up a larger one, and a process that makes and frees the same tensors over and over again holds
    a third more than at first. This asks for a plain piece, and aligns the tensor within.

    >>> room((2, 3), torch.float32).shape
    torch.Size([2, 3])
    """
    size = math.prod(shape) * dtype.itemsize
    if size < SMALL or dtype not in NUMPY:
        return torch.empty(tuple(shape), dtype=dtype)
    piece = np.asarray(_Piece(size + LINE, for_now)) if size > LARGEST_KEPT else np.empty(size + LINE, np.uint8)
    start = -piece.__array_interface__["data"][0] % LINE
    return torch.from_numpy(piece[start : start + size].view(NUMPY[dtype]).reshape(shape))


def copy_of(tensor: Tensor) -> Tensor:
    """`tensor.clone()`, on the CPU in a `room`.

    >>> copy_of(torch.arange(3))
    tensor([0, 1, 2])
    """
    return room(tensor.shape, tensor.dtype).copy_(tensor) if tensor.device.type == "cpu" else tensor.clone()


def rooms(shapes: Sequence[Sequence[int]], dtype: torch.dtype) -> list[npt.NDArray]:
    """Uninitialised arrays that are needed together and for now, of one `room`; each begins a line of memory.

    They go before another large tensor is made.

    >>> [part.shape for part in rooms([(2, 3), (4,)], torch.float32)]
    [(2, 3), (4,)]
    """
    line = LINE // dtype.itemsize
    sizes = [math.prod(shape) for shape in shapes]
    begins = [0, *itertools.accumulate(-(-size // line) * line for size in sizes)]
    whole = room((begins[-1],), dtype, for_now=True).numpy()
    return [
        whole[begin : begin + size].reshape(shape)
        for begin, size, shape in zip(begins[:-1], sizes, shapes, strict=True)
    ]


_tables: Tables | None = None  # None: freed ones are the system's


class _Piece:
    """Bytes that go back to where they come from once the last array or tensor of them is gone."""

    def __init__(self, size: int, for_now: bool) -> None:
        self.tables = None  # if there is none to be had
        self.memory = np.empty(size, np.uint8) if _tables is None else _tables.take(size, for_now)
        self.tables = _tables
        self.__array_interface__ = self.memory[:size].__array_interface__

    def __del__(self) -> None:
        if self.tables is not None and self.tables is _tables:  # else the training is over, or Python itself
            self.tables.give(self.memory)


def free_idle_tables() -> None:
    """Give the system the tables of `room` that lie idle, for work of another kind; those freed later are kept."""
    if _tables is not None:
        _tables.idle.clear()


def give_back_freed_memory() -> None:
    """Give the system what is free now, and keep no pieces of `room` from here on."""
    global _tables
    _tables = None
    library = _glibc()
    if library is not None:
        library.malloc_trim(0)


def _glibc() -> Any:
    """The C library that the process runs with; None where it is another than glibc."""
    if sys.platform != "linux":
        return None
    library = ctypes.CDLL(None)
    return library if hasattr(library, "gnu_get_libc_version") else None
