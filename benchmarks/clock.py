"""Time as budgets are counted: of two cores, and whatever else the machine does meanwhile."""

from __future__ import annotations

import time

CORES = 2


def spent() -> float:
    """Seconds of two cores that this process has taken so far: its processor time, halved.

    A run that gives way to others takes longer, and spends no more. One that keeps a single core busy has twice as
    long by the clock on the wall. Threads that spin while they wait for one another are counted too: on a machine that
    others use, `OMP_WAIT_POLICY=passive` in the environment lets them sleep.
    """
    return time.process_time() / CORES
