import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from relwise.kernels import memory

# Freed and asked for again, as a step's states are: how often the system had to hand out a page.
FAULTS = """
import resource, sys
import torch
from relwise.kernels.memory import give_back_freed_memory, keep_freed_memory

kept = keep_freed_memory() if sys.argv[1] == "keep" else False
def step():
    parts = [torch.ones(1_300_000) for _ in range(8)]  # 5 MB each
    return sum(float(part[-1]) for part in parts)
faults = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_minflt
resident = lambda: int(open("/proc/self/statm").read().split()[1]) * resource.getpagesize()
for _ in range(3):
    step()
before = faults()
for _ in range(20):
    step()
again, held = faults() - before, resident()
give_back_freed_memory()
print(kept, again, held - resident())
"""


def run(how, **said):
    environment = {"THP_MEM_ALLOC_ENABLE": "0", "PATH": "", **said}
    done = subprocess.run(
        [sys.executable, "-c", FAULTS, how], env=environment, capture_output=True, text=True, check=True
    )
    kept, faults, given_back = done.stdout.split()
    return kept == "True", int(faults), int(given_back)


@pytest.mark.skipif(memory._glibc() is None, reason="another C library than glibc")
def test_freed_memory_is_used_again_without_the_system():
    page, step = 4096, 8 * 5_200_000
    kept, faults, given_back = run("keep")
    assert kept
    assert faults < step / page  # all twenty steps together less than one step's pages
    assert given_back > step / 2


@pytest.mark.skipif(memory._glibc() is None, reason="another C library than glibc")
def test_what_the_user_says_of_memory_stands():
    assert not run("keep", MALLOC_TRIM_THRESHOLD_="1000000")[0]


# A layer's states, each as large: one is kept from step to step, three more stand beside each other within a step.
GROWTH = """
import sys
import numpy as np
import torch
from relwise.kernels.memory import keep_freed_memory, room

keep_freed_memory()
make = (lambda: room((100_000, 64), torch.float32)) if sys.argv[1] == "room" else lambda: torch.empty(100_000, 64)
resident = lambda: int(open("/proc/self/statm").read().split()[1]) * 4096 >> 20
kept, most = make().fill_(1), []
for step in range(30):
    del kept
    state = make().fill_(1)
    grad = make().fill_(1)
    scratch = np.ones((8, 800_000), np.float32)
    del scratch
    kept = make().fill_(1)
    most.append(resident())
    del state, grad
print(max(most) - most[0])
"""


@pytest.mark.skipif(memory._glibc() is None, reason="another C library than glibc")
def test_a_process_that_makes_the_same_tensors_again_and_again_does_not_grow():
    done = subprocess.run(
        [sys.executable, "-c", GROWTH, "room"], env={"THP_MEM_ALLOC_ENABLE": "0"}, capture_output=True, check=True
    )
    assert int(done.stdout) < 8  # MiB, where one tensor has 24


@pytest.mark.parametrize("shape", [(), (0, 4), (3,), (70_001, 33), (3, 1_000, 1_001)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_room_is_a_tensor_of_its_own(shape, dtype):
    one, other = memory.room(shape, dtype), memory.room(shape, dtype)
    assert one.shape == shape
    assert one.dtype == dtype
    assert one.is_contiguous()
    assert not one._is_view()
    assert one.numel() == 0 or one.data_ptr() % memory.LINE == 0
    one.fill_(1), other.fill_(2)
    assert bool((one == 1).all())
    assert bool((other == 2).all())


ROWS, WIDTH = memory.LARGEST_KEPT // 4 // 64 + 1, 64  # of float32: just beyond what glibc keeps


@pytest.fixture
def tables(monkeypatch):
    """What this process keeps: nothing so far."""
    monkeypatch.setattr(memory, "_tables", memory.Tables())
    return memory._tables


def table(times=1, dtype=torch.float32, rows=ROWS):
    return memory.room((times * rows, WIDTH), dtype)


def place(tensor):
    return tensor.untyped_storage().data_ptr()


def test_a_freed_table_is_taken_again_once_nothing_of_it_is_read(tables):
    one = table(3)
    first, part = place(one), one[5:7]
    del one
    other = table(3)
    assert place(other) != first
    del part
    again = table(3, torch.float64, rows=ROWS // 2)  # of as many bytes, to some
    assert place(again) == first
    assert again.fill_(1).sum() == again.numel()
    assert tables.idle == []
    assert tables.used == tables.most == 2 * (other.nbytes + memory.LINE)


def test_only_scratch_takes_much_more_than_it_fills(tables):
    large = table(3)
    first = place(large)
    del large
    scratch, _ = memory.rooms([(ROWS, WIDTH), (3,)], torch.float32)
    assert scratch.ctypes.data == first
    del scratch, _
    assert place(table(2)) != first


def test_idle_tables_go_where_other_work_begins(tables):
    used, idle = table(), table(2)
    del idle
    memory.free_idle_tables()
    assert tables.idle == []
    assert tables.used == used.nbytes + memory.LINE


def test_tables_are_kept_from_the_making_of_a_training_to_its_end(monkeypatch):
    monkeypatch.setattr(memory, "_tables", None)
    memory.keep_freed_memory()
    kept = table()
    del kept
    assert len(memory._tables.idle) == 1
    held = table()
    memory.give_back_freed_memory()
    assert memory._tables is None
    assert held.fill_(1).sum() == held.numel()
    del held
    assert memory._tables is None


def test_rooms_are_apart_and_begin_lines():
    parts = memory.rooms([(3, 5), (0, 2), (1_000_000, 3)], torch.float32)
    assert [part.shape for part in parts] == [(3, 5), (0, 2), (1_000_000, 3)]
    for n, part in enumerate(parts):
        part.fill(n + 1)
    assert parts[0].sum() == 15
    assert parts[2].sum() == 9_000_000
    assert parts[2].ctypes.data % memory.LINE == 0
    assert (parts[2].ctypes.data - parts[0].ctypes.data) % memory.LINE == 0


HUGE_PAGES = Path("/sys/kernel/mm/transparent_hugepage/enabled")


@pytest.mark.skipif(
    not memory._glibc() or not HUGE_PAGES.exists() or "[madvise]" not in HUGE_PAGES.read_text(),
    reason="without glibc, or the system gives huge pages to all or to nobody",
)
def test_what_is_made_after_it_may_be_of_huge_pages():
    """A process of its own: its pieces of a megabyte, less than PyTorch asks huge pages for."""
    code = """
import re, sys
from pathlib import Path
import numpy as np
from relwise.kernels import memory
assert memory.keep_freed_memory()
pieces = [np.ones(1 << 20, np.uint8) for _ in range(64)]
print(re.search(r"AnonHugePages: +([0-9]+)", Path("/proc/self/smaps_rollup").read_text())[1])
"""
    found = {}
    for asked in ("0", "1"):
        environment = {**os.environ, "THP_MEM_ALLOC_ENABLE": asked, "NUMPY_MADVISE_HUGEPAGE": "0"}
        for name in memory.SAID_BY_USER:
            environment.pop(name, None)
        done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
        found[asked] = int(done.stdout)
    assert found["1"] >= found["0"] + 30_000  # kB, of 65,536
