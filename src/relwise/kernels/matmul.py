"""Matrix products at the CPU's full speed.

PyTorch's float32 `@` on the CPU is MKL's, which on AMD processors stays behind oneDNN, the other library that
PyTorch's CPU builds carry; our own (`relwise.kernels.gemm`) is made for the sizes of a layer: tall and narrow. Which
one is used is decided once per process: `relwise`, unless the processor has no wide multiply-add, or
`RELWISE_MATMUL=torch` or `=onednn` decides otherwise. A run stores the choice, and is resumed with it: they round
differently. Float64 and other devices are PyTorch's always.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Literal, cast, get_args

import numpy as np
import torch
from torch import Tensor

from relwise.errors import InputError
from relwise.kernels import gemm, slices
from relwise.kernels.tile import FUSED

Library = Literal["relwise", "onednn", "torch"]
Precision = Literal["float32", "bf16"]
SMALL = 64**3  # multiply-adds, below which a call of a parallel kernel takes longer than the product
LARGE = 1 << 20  # numbers that a thread may hold beside the product: within its share of the caches

_chosen: Library | None = None


def library() -> Library:
    """The library that multiplies float32 matrices on the CPU in this process.

    Raises:
        InputError: RELWISE_MATMUL names none.
    """
    global _chosen
    if _chosen is None:
        asked = os.environ.get("RELWISE_MATMUL", "")
        if asked and asked not in get_args(Library):
            raise InputError(
                f"RELWISE_MATMUL is {asked!r}", remedy=f"set it to one of {', '.join(get_args(Library))}, or to nothing"
            )
        use_library(cast(Library, asked or by_processor()))
    return cast(Library, _chosen)


def use_library(name: Library) -> None:
    """Use `name` from now on; "torch" in place of "onednn" where PyTorch was built without it."""
    global _chosen
    if name not in get_args(Library):
        raise ValueError(f"no library {name!r}: choose one of {', '.join(get_args(Library))}")
    _chosen = "torch" if name == "onednn" and not _has_onednn() else name


def by_processor() -> Library:
    """Our own where the processor multiplies and adds vectors in one instruction, else by its vendor."""
    return "relwise" if FUSED else _by_vendor()


def _by_vendor() -> Library:
    """oneDNN on AMD, where MKL is slow, else what PyTorch takes by itself."""
    return "onednn" if "AuthenticAMD" in _cpu() and _has_onednn() else "torch"


def on_tile(*tensors: Tensor) -> bool:
    """Whether products of these are `relwise.kernels.gemm`'s: float32 on the CPU, none empty."""
    fit = all(t.dtype == torch.float32 and t.device.type == "cpu" and t.numel() for t in tensors)
    return fit and library() == "relwise"


def product(a: Tensor, b: Tensor, precision: Precision = "float32") -> Tensor:
    """a @ b of two matrices, of whatever strides; gradients are the caller's affair.

    Args:
        a: (n, k).
        b: (k, m).
        precision: "bf16" rounds float32 factors, and the result, to bfloat16; the sums between are of float32.

    >>> product(torch.eye(2), torch.tensor([[1.0, 2.0], [3.0, 4.0]])).tolist()
    [[1.0, 2.0], [3.0, 4.0]]
    """
    if precision == "bf16" and a.dtype == torch.float32:
        with _sums_in_float32(a.device):
            return (a.bfloat16() @ b.bfloat16()).float()
    if a.dtype != torch.float32 or b.dtype != a.dtype or a.device.type != "cpu" or not a.numel() or not b.numel():
        return a @ b
    name = by_shape(a.shape[0], a.shape[1], b.shape[1]) if library() == "relwise" else library()
    if name == "relwise":
        return _on_tile(a, b)
    return torch.ops.mkldnn._linear_pointwise(a, b.t(), None, "none", [], "") if name == "onednn" else a @ b


@contextmanager
def _sums_in_float32(device: torch.device) -> Iterator[None]:
    """Let cuBLAS add up no part of a sum in bfloat16, as it may by default."""
    if device.type != "cuda":
        yield
        return
    settings = torch.backends.cuda.matmul
    split = getattr(settings, "allow_bf16_reduced_precision_reduction_split_k", None)  # newer releases have the pair
    before = settings.allow_bf16_reduced_precision_reduction
    before = before if split is None else (before, split)
    settings.allow_bf16_reduced_precision_reduction = False
    try:
        yield
    finally:
        settings.allow_bf16_reduced_precision_reduction = before


def by_shape(rows: int, depth: int, columns: int) -> Library:
    """The library for one product, where "relwise" is chosen: small and very large ones are left to others.

    >>> by_shape(10_000, 128, 128), by_shape(128, 10_000, 128), by_shape(3, 4, 5)
    ('relwise', 'relwise', 'torch')
    """
    if rows * depth * columns <= SMALL:
        return "torch"
    # What each thread holds of its own: the right matrix, or the sums.
    held = columns * (rows if _by_slices(rows, depth) else depth)
    return "relwise" if held <= LARGE else _by_vendor()


def _by_slices(rows: int, depth: int) -> bool:
    return depth > max(rows, slices.CHAIN)


def _on_tile(a: Tensor, b: Tensor) -> Tensor:
    """By rows of the result, or, of a long sum, by slices of the sum."""
    if a.shape[1] != b.shape[0]:
        raise ValueError(f"no product of {tuple(a.shape)} and {tuple(b.shape)}")
    a, b, out = a.detach(), b.detach(), torch.empty(a.shape[0], b.shape[1])
    rows, depth = a.shape
    if _by_slices(rows, depth):
        left, right = a.t().contiguous().numpy(), b.contiguous().numpy()
        gemm.weight_products(gemm.Grouped(left, gemm.IN_ORDER, np.array([0, depth]), out[None].numpy(), right))
        return out
    transposed = not b.is_contiguous() and b.t().is_contiguous()
    left, right = a.contiguous().numpy(), (b.t() if transposed else b).contiguous().numpy()
    group = gemm.Grouped(left, gemm.IN_ORDER, np.array([0, rows]), right[None], out.numpy())
    gemm.row_products(group, transposed=transposed)
    return out


@cache
def _has_onednn() -> bool:
    return torch.backends.mkldnn.is_available() and hasattr(torch.ops.mkldnn, "_linear_pointwise")


@cache
def _cpu() -> str:
    info = Path("/proc/cpuinfo")
    return info.read_text(encoding="utf-8", errors="replace")[:4096] if info.exists() else platform.processor()
