"""Measurements in processes of their own, in turn: A B A B, each with its memory limit and its time limit."""

from __future__ import annotations

import json
import os
import resource
import statistics
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

COMMAND = Path(__file__).resolve().parent.parent / "speed.py"
OUT_OF_MEMORY = "out of memory"
RECORDED = "relwise, recorded"  # ours on a GPU, its passes recorded once and replayed
Spec = dict[str, Any]
Rows = list[dict[str, Any]]


def case_name(spec: Spec) -> str:
    """What tells one measurement from every other."""
    pages = "huge pages" if spec["huge"] else "small pages"
    return f"{spec['part']}: {spec['who']}, {spec['graph']}, d={spec['dim']}, {pages}, {spec['device']}"


def in_process(spec: Spec, memory: float, threads: int | None) -> Rows:
    """The rows of one measurement; one row that says so where it fails for memory or time.

    Args:
        spec: what to measure.
        memory: bytes that the process may hold.
        threads: None: as many as torch and Numba take by themselves.

    Raises:
        RuntimeError: where it fails in any other way.
    """
    huge = "1" if spec["huge"] else "0"
    environment = os.environ | {"THP_MEM_ALLOC_ENABLE": huge, "NUMPY_MADVISE_HUGEPAGE": huge}
    environment["RELWISE_CUDA_GRAPHS"] = "1" if spec["who"] == RECORDED else "0"  # a row says which, whatever is set
    if threads:
        environment |= {"OMP_NUM_THREADS": str(threads), "NUMBA_NUM_THREADS": str(threads)}
    command = [sys.executable, str(COMMAND), "one", json.dumps({**spec, "memory": memory})]
    try:
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=spec["timeout"])
    except subprocess.TimeoutExpired:
        return [{"status": f"not done in {spec['timeout']} s"}]
    # Killed by the system, or ended by C++ code that found no memory.
    if done.returncode == -9 or "bad_alloc" in done.stderr:
        return [{"status": OUT_OF_MEMORY}]
    if done.returncode:
        raise RuntimeError(f"{case_name(spec)} ended with status {done.returncode}\n{done.stderr[-2000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def available() -> float:
    """Bytes of memory that are free for a new process; infinite where the system does not say."""
    info = Path("/proc/meminfo")
    if not info.exists():
        return float("inf")
    line = next(line for line in info.read_text(encoding="ascii").splitlines() if line.startswith("MemAvailable"))
    return 1024.0 * int(line.split()[1])


def limited(measure: Callable[[Spec], Rows], spec: Spec) -> Rows:
    """Measure under the memory limit that the spec names; this is what the process itself runs."""
    if sys.platform == "linux" and spec.get("memory"):
        # What it asks for counts, not what it touches: so an allocation fails, and no other process is killed.
        resource.setrlimit(resource.RLIMIT_DATA, (int(spec["memory"]), int(spec["memory"])))
    try:
        return measure(spec)
    except (MemoryError, RuntimeError) as error:
        # Libraries say it in their own words; a kernel that reads where it may not ends in an "illegal memory access".
        if isinstance(error, MemoryError) or ("memory" in str(error) and "memory access" not in str(error)):
            return [{"status": OUT_OF_MEMORY}]
        raise


def in_turn(group: list[Spec], run: Callable[[Spec], Rows]) -> list[tuple[Spec, Rows]]:
    """Each spec of a group once a round, as often as it asks for; its rounds' rows made one."""
    found: list[list[Rows]] = [[] for _ in group]
    for turn in range(max((spec["rounds"] for spec in group), default=0)):
        for spec, rounds in zip(group, found, strict=True):
            failed = any(row.get("status", "ok") != "ok" for rows in rounds for row in rows)
            if turn < spec["rounds"] and not failed:
                rounds.append(run(spec))
    return [(spec, together(rounds)) for spec, rounds in zip(group, found, strict=True)]


def together(rounds: list[Rows]) -> Rows:
    """The rows of several processes as one set: all samples together, the greatest memory, the last status."""
    merged: Rows = []
    for rows in zip(*rounds, strict=False):
        row: dict[str, Any] = {"status": "ok", "processes": len(rows)}
        for one in rows:
            row |= one
        samples = [s for one in rows for s in one.get("samples", [])]
        row.pop("samples", None)
        if samples:
            row["median_s"], row["fastest_s"] = statistics.median(samples), min(samples)
            row["slowest_s"], row["samples"] = max(samples), len(samples)
        for name in ("grown_mib", "peak_mib"):
            values = [one[name] for one in rows if one.get(name) is not None]
            if values:
                row[name] = max(values)
        merged.append(row)
    return merged
