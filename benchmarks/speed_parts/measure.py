"""What one process measures: seconds of a repeated operation, and by how much its memory grows.

Each measurement runs in a process of its own (see `processes.py`), so that neither allocator, caches nor threads of
one leave anything to the next.
"""

from __future__ import annotations

import ctypes
import gc
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

MIB = 1 << 20
TOGETHER = 50  # launches that a GPU is waited for once: a wait takes as long as a few of the shortest
_STATUS, _RESET = Path("/proc/self/status"), Path("/proc/self/clear_refs")


class Watch:
    """Memory over what was held when it began: of the process (Linux), or of the GPU."""

    def __init__(self, device: str = "cpu") -> None:
        gc.collect()
        self.device = device
        self.held: float | None = None
        if device == "cuda":
            torch.cuda.empty_cache()
            torch.cuda.reset_peak_memory_stats()
            self.held = torch.cuda.memory_allocated() / MIB
        elif sys.platform == "linux":
            ctypes.CDLL(None).malloc_trim(0)  # what was freed before must not be used again unseen
            try:
                _RESET.write_text("5", encoding="ascii")  # the peak is counted from here
                self.held = process_mib("VmRSS")
            except OSError:
                pass

    def read(self) -> dict[str, float | None]:
        """grown_mib over what was held, and peak_mib in all, since this began."""
        if self.held is None:
            return {"grown_mib": None, "peak_mib": None}
        peak = torch.cuda.max_memory_allocated() / MIB if self.device == "cuda" else process_mib("VmHWM")
        return {"grown_mib": round(peak - self.held, 1), "peak_mib": round(peak, 1)}


def process_mib(which: str) -> float:
    """VmRSS or VmHWM of this process."""
    line = next(line for line in _STATUS.read_text(encoding="ascii").splitlines() if line.startswith(which))
    return int(line.split()[1]) / 1024


def finish(device: str) -> None:
    """Wait for what a GPU was given to do."""
    if device == "cuda":
        torch.cuda.synchronize()


def seconds_of(run: Callable[[], Any], device: str = "cpu") -> float:
    """Seconds of one run."""
    finish(device)
    began = time.perf_counter()
    run()
    finish(device)
    return time.perf_counter() - began


def repeat(
    run: Callable[[], Any], budget: float, least: int = 3, most: int = 50, warm: int = 1, device: str = "cpu"
) -> list[float]:
    """Seconds of each repetition after `warm` runs: at least `least`, then until `budget` seconds are spent."""
    for _ in range(warm):
        run()
    samples: list[float] = []
    while len(samples) < least or (len(samples) < most and sum(samples) < budget):
        samples.append(seconds_of(run, device))
    return samples


def best(run: Callable[[], Any], device: str = "cpu", budget: float = 0.3) -> float:
    """The fastest of many runs: what the machine can do, of an operation whose time is to be a floor.

    On a GPU to wait for it may take longer than it: there it is the fastest mean of `TOGETHER` in a row.
    """
    count = TOGETHER if device == "cuda" else 1

    def some() -> None:
        for _ in range(count):
            run()

    return min(repeat(some, budget, least=5, most=400, warm=2, device=device)) / count


def summary(samples: list[float]) -> dict[str, float | int]:
    """Median, fastest and slowest of the samples."""
    return {
        "median_s": statistics.median(samples),
        "fastest_s": min(samples),
        "slowest_s": max(samples),
        "samples": len(samples),
    }


def tensor_mib(*tensors: torch.Tensor) -> float:
    return sum(t.numel() * t.element_size() for t in tensors) / MIB
