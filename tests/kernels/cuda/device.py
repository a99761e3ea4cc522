"""Where the kernels can run: on a GPU, or in Triton's interpreter on the CPU (TRITON_INTERPRET=1); else nowhere."""

from __future__ import annotations

import importlib.util
import os
from typing import Any

import torch

HAS_TRITON = importlib.util.find_spec("triton") is not None
INTERPRETED = os.environ.get("TRITON_INTERPRET") == "1"
DEVICE = "cpu" if INTERPRETED else "cuda"
CAN_RUN = HAS_TRITON and (INTERPRETED or torch.cuda.is_available())


def on_device(*values: Any) -> list[Any]:
    return [value.to(DEVICE) if isinstance(value, torch.Tensor) else value for value in values]


def relative_error(got: torch.Tensor, want: torch.Tensor) -> float:
    """The largest difference, beside the largest number there is."""
    if not want.numel():
        return 0.0
    got, want = got.cpu().double(), want.cpu().double()
    return float((got - want).abs().max() / want.abs().max().clamp_min(1e-30))
