"""How many threads to compute with: as many as the machine, the process's affinity and its control group allow.

PyTorch and Numba each keep a pool, and neither asks for a container's CPU quota: on a 64-core machine, a container that
may use two cores would run two pools of 64 threads. Here both get the same number. `OMP_NUM_THREADS`, or
`torch.set_num_threads` before the first kernel runs, says otherwise.
"""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import Any

import numba
import torch
from numba.core import config

CGROUP = Path("/sys/fs/cgroup")


def available_cores(cgroup: Path = CGROUP) -> int:
    """Cores that this process may use, one at least.

    Args:
        cgroup: where the control group's files are, of version 2 (`cpu.max`) or 1 (`cpu/cpu.cfs_quota_us`).
    """
    affinity = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, math.ceil(min(affinity, _quota(cgroup))))


def settle_threads(cores: int | None = None) -> int:
    """Give PyTorch and Numba the same number of threads, no more than `cores`; returns it.

    Args:
        cores: the most there may be; None: `available_cores()`, unless `OMP_NUM_THREADS` says how many.
    """
    threads = torch.get_num_threads()
    if cores is None and "OMP_NUM_THREADS" not in os.environ:
        cores = available_cores()
    if cores is not None and cores < threads:
        threads = cores
        torch.set_num_threads(threads)
    most: Any = config  # Numba sets its attributes as it reads the environment
    numba.set_num_threads(min(threads, most.NUMBA_NUM_THREADS))
    return threads


def _quota(cgroup: Path) -> float:
    """The cores' worth of time that the control group grants; infinite where it sets no limit."""
    try:
        quota, period = (cgroup / "cpu.max").read_text().split()[:2]
    except (OSError, ValueError):
        try:
            folder = cgroup / "cpu"
            quota, period = ((folder / f"cpu.cfs_{name}_us").read_text().strip() for name in ("quota", "period"))
        except OSError:
            return math.inf
    try:
        return int(quota) / int(period) if int(quota) > 0 and int(period) > 0 else math.inf
    except ValueError:  # "max"
        return math.inf
