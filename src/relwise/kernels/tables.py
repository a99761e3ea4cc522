"""Large pieces of memory that lie idle from one training step to the next, instead of going back to the system.

A step asks for the tables of the step before. Where the system has to look for huge pages, asking it cost up to half of
a layer's time on a graph of ten million edges (a scratch measurement).
"""

from __future__ import annotations

import math
import os
from pathlib import Path

import numpy as np
import numpy.typing as npt

from relwise.kernels.threads import CGROUP

Bytes = npt.NDArray[np.uint8]


class Tables:
    """Freed pieces, for whom asks for as much again.

    As many lie idle as the most that were ever in use at once leave room for, and no more than there is free memory
    besides; those that lie longest go.

    >>> tables = Tables()
    >>> first = tables.take(1000)
    >>> tables.give(first)
    >>> tables.take(950) is first, tables.take(950) is first
    (True, False)
    """

    def __init__(self) -> None:
        self.idle: list[Bytes] = []
        self.used = self.most = 0  # bytes: now, and at most so far

    def take(self, size: int, for_now: bool = False) -> Bytes:
        """A piece of at least so many bytes: of hardly more, if it is not to be given back before the next is taken."""
        largest = math.inf if for_now else 1.1 * size
        fitting = [(len(piece), i) for i, piece in enumerate(self.idle) if size <= len(piece) <= largest]
        if fitting:
            piece = self.idle.pop(min(fitting)[1])
        else:
            self._leave(max(self.most, self.used + size) - self.used - size)
            piece = np.empty(size, np.uint8)
        self.used += len(piece)
        self.most = max(self.most, self.used)
        return piece

    def give(self, piece: Bytes) -> None:
        """Let a piece lie idle that nobody reads any more."""
        self.used -= len(piece)
        self.idle.append(piece)
        self._leave((sum(map(len, self.idle)) + free_memory()) // 2)

    def _leave(self, most: float) -> None:
        """Let go what lies longest, until so many bytes are left."""
        held = sum(map(len, self.idle))
        while self.idle and held > most:
            held -= len(self.idle.pop(0))


def free_memory(cgroup: Path = CGROUP) -> int:
    """Bytes that this process may still ask for: of the machine's, by its own limits, and by its control group's.

    Args:
        cgroup: where the control group's files are, of version 2 (`memory.max`); others are not asked.
    """
    free = [_machine()]
    try:
        import resource

        sizes = [int(number) * os.sysconf("SC_PAGE_SIZE") for number in Path("/proc/self/statm").read_text().split()]
        for limit, used in ((resource.RLIMIT_AS, sizes[0]), (resource.RLIMIT_DATA, sizes[5])):
            most, _ = resource.getrlimit(limit)
            free.append(math.inf if most == resource.RLIM_INFINITY else most - used)
        limit, used = (int((cgroup / name).read_text()) for name in ("memory.max", "memory.current"))
        free.append(limit - used)
    except (ImportError, OSError, ValueError):  # no Linux, no such group, "max"
        pass
    return max(0, int(min(free)))


def _machine() -> float:
    try:
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return 1024.0 * int(line.split()[1])
    except OSError:
        pass
    return math.inf
