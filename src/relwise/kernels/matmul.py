"""Matrix products at the CPU's full speed.

PyTorch's float32 `@` on the CPU is MKL's, which on AMD processors runs at half the speed or less of oneDNN, the other
library that PyTorch's CPU builds carry; our own (`relwise.kernels.gemm`) is faster than both at the sizes of a layer
(AMD Zen 5, one core, 13,186 × 128 × 128: 75, 145 and 185 GFLOP/s). Which one is used is decided once per process:
`relwise`, unless the processor has no wide multiply-add, or `RELWISE_MATMUL=torch` or `=onednn` decides otherwise. A
run stores the choice, and is resumed with it: they round differently. Float64 and other devices are PyTorch's always.
"""

from __future__ import annotations

import os
import platform
from functools import cache
from pathlib import Path
from typing import Literal, cast, get_args

import numpy as np
import torch
from torch import Tensor

from relwise.kernels import gemm
from relwise.kernels.tile import FUSED

Library = Literal["relwise", "onednn", "torch"]
SMALL = 64**3  # multiply-adds, below which a call of a parallel kernel takes longer than the product

_chosen: Library | None = None


def library() -> Library:
    """The library that multiplies float32 matrices on the CPU in this process.

    Raises:
        ValueError: RELWISE_MATMUL names none.
    """
    global _chosen
    if _chosen is None:
        asked = os.environ.get("RELWISE_MATMUL", "")
        if asked and asked not in get_args(Library):
            raise ValueError(f"RELWISE_MATMUL is {asked!r}: choose one of {', '.join(get_args(Library))}")
        use_library(cast(Library, asked or by_processor()))
    return cast(Library, _chosen)


def use_library(name: Library) -> None:
    """Use `name` from now on; "torch" in place of "onednn" where PyTorch was built without it."""
    global _chosen
    if name not in get_args(Library):
        raise ValueError(f"no library {name!r}: choose one of {', '.join(get_args(Library))}")
    _chosen = "torch" if name == "onednn" and not _has_onednn() else name


def by_processor() -> Library:
    """Our own where the processor multiplies and adds vectors in one instruction; else by its vendor: MKL is slow on
    AMD's."""
    if FUSED:
        return "relwise"
    return "onednn" if "AuthenticAMD" in _cpu() and _has_onednn() else "torch"


def on_tile(*tensors: Tensor) -> bool:
    """Whether products of these are `relwise.kernels.gemm`'s: float32 on the CPU, none empty."""
    fit = all(t.dtype == torch.float32 and t.device.type == "cpu" and t.numel() for t in tensors)
    return fit and library() == "relwise"


def product(a: Tensor, b: Tensor) -> Tensor:
    """a @ b of two matrices, of whatever strides; gradients are the caller's affair.

    >>> product(torch.eye(2), torch.tensor([[1.0, 2.0], [3.0, 4.0]])).tolist()
    [[1.0, 2.0], [3.0, 4.0]]
    """
    if a.dtype != torch.float32 or b.dtype != a.dtype or a.device.type != "cpu" or not a.numel() or not b.numel():
        return a @ b
    name = library()
    if name == "relwise" and a.shape[0] * a.shape[1] * b.shape[1] > SMALL:
        return _on_tile(a, b)
    if name == "onednn":
        return torch.ops.mkldnn._linear_pointwise(a, b.t(), None, "none", [], "")
    return a @ b


def _on_tile(a: Tensor, b: Tensor) -> Tensor:
    """By rows of the result, or, of a long sum, by slices of the sum."""
    if a.shape[1] != b.shape[0]:
        raise ValueError(f"no product of {tuple(a.shape)} and {tuple(b.shape)}")
    out = torch.empty(a.shape[0], b.shape[1])
    rows, depth = a.shape
    if depth > max(rows, gemm.SLICE):
        left, right = a.t().contiguous().detach().numpy(), b.contiguous().detach().numpy()
        gemm.weight_products(left, None, np.array([0, depth]), right, out[None].numpy())
        return out
    transposed = not b.is_contiguous() and b.t().is_contiguous()
    left, right = a.contiguous().detach().numpy(), (b.t() if transposed else b).contiguous().detach().numpy()
    gemm.row_products(left, None, np.array([0, rows]), right[None], out.numpy(), transposed)
    return out


@cache
def _has_onednn() -> bool:
    return torch.backends.mkldnn.is_available() and hasattr(torch.ops.mkldnn, "_linear_pointwise")


@cache
def _cpu() -> str:
    info = Path("/proc/cpuinfo")
    return info.read_text(encoding="utf-8", errors="replace")[:4096] if info.exists() else platform.processor()
