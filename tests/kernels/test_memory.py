import subprocess
import sys

import pytest

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
