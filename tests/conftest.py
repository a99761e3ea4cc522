"""Fixtures shared by all tests."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings

# The same examples in every run: what fails here fails there. `pytest --hypothesis-profile=default` looks for new ones.
settings.register_profile("repeatable", derandomize=True)
settings.load_profile("repeatable")


@pytest.fixture(scope="session")
def benchmark_data() -> Callable[[str], Path]:
    """`benchmark_data("amazon")`: that data set's folder; the test is skipped where it is absent."""
    root = Path(os.environ.get("RELWISE_DATA") or Path(__file__).parents[1].parent / "shared" / "data")

    def find(name: str) -> Path:
        if not (root / name).is_dir():
            pytest.skip(f"needs the benchmark data '{name}': {root / name} is absent; set RELWISE_DATA")
        return root / name

    return find
