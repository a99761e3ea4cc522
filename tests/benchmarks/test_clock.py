from __future__ import annotations

import time

from clock import CORES, spent


def test_work_is_counted_and_waiting_is_not() -> None:
    began, busy = spent(), time.process_time()
    time.sleep(0.3)
    assert spent() - began < 0.1
    while time.process_time() - busy < 0.5:
        pass
    assert 0.5 / CORES <= spent() - began < 0.5
