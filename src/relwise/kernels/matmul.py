"""Matrix products at the CPU's full speed.

PyTorch's float32 `@` on the CPU is MKL's, which on AMD processors runs at half the speed or less of oneDNN, the other
library that PyTorch's CPU builds carry (AMD Zen 5, two cores: 155 against 250 GFLOP/s at 13,185 × 128 × 128). Which
one is used is decided once per process, by the CPU's vendor; `RELWISE_MATMUL=torch` or `=onednn` decides otherwise. A
run stores the choice, and is resumed with it: the two round differently.
"""

from __future__ import annotations

import os
import platform
from functools import cache
from pathlib import Path
from typing import Literal, cast, get_args

import torch
from torch import Tensor

Library = Literal["torch", "onednn"]

_chosen: Library | None = None


def library() -> Library:
    """The library that multiplies float32 matrices on the CPU in this process."""
    global _chosen
    if _chosen is None:
        asked = os.environ.get("RELWISE_MATMUL", "")
        _chosen = cast(Library, asked) if asked in get_args(Library) else by_vendor()
    return _chosen


def use_library(name: Library) -> None:
    """Use `name` from now on; "torch" where PyTorch was built without oneDNN."""
    global _chosen
    _chosen = name if _has_onednn() else "torch"


def by_vendor() -> Library:
    """oneDNN on AMD, where MKL is slow, else what PyTorch takes by itself."""
    return "onednn" if "AuthenticAMD" in _cpu() and _has_onednn() else "torch"


def product(a: Tensor, b: Tensor) -> Tensor:
    """a @ b of two matrices, of whatever strides; gradients are the caller's affair.

    >>> product(torch.eye(2), torch.tensor([[1.0, 2.0], [3.0, 4.0]])).tolist()
    [[1.0, 2.0], [3.0, 4.0]]
    """
    if a.dtype == torch.float32 and a.device.type == "cpu" and a.numel() and b.numel() and library() == "onednn":
        return torch.ops.mkldnn._linear_pointwise(a, b.t(), None, "none", [], "")
    return a @ b


@cache
def _has_onednn() -> bool:
    return torch.backends.mkldnn.is_available() and hasattr(torch.ops.mkldnn, "_linear_pointwise")


@cache
def _cpu() -> str:
    info = Path("/proc/cpuinfo")
    return info.read_text(encoding="utf-8", errors="replace")[:4096] if info.exists() else platform.processor()
