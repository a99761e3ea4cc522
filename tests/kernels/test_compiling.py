"""A process that has compiled a kernel runs another copy of it than one that has loaded it: both must give the same."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.command import ENVIRONMENT


def bits(cache: Path) -> str:
    environment = {**ENVIRONMENT, "NUMBA_CACHE_DIR": str(cache)}
    command = [sys.executable, "-m", "tests.kernels.bits"]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout


def test_the_bits_of_kernels_just_compiled_are_those_of_kernels_loaded(tmp_path: Path) -> None:
    compiled = bits(tmp_path)
    files = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.nbc")}
    assert len(files) >= 3, "nothing was compiled"
    assert bits(tmp_path) == compiled
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.nbc")} == files, "it was compiled again"
    assert len(compiled.splitlines()) == 6
