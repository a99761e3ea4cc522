"""Fixtures shared by all tests."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from hypothesis import settings

# The same examples in every run: what fails here fails there. `pytest --hypothesis-profile=default` looks for new ones.
settings.register_profile("repeatable", derandomize=True)
settings.load_profile("repeatable")


def _database_of_its_own() -> None:
    """Tests empty their database: where several processes share the tests (pytest-xdist), each one gets another."""
    url, worker = os.environ.get("RELWISE_TEST_POSTGRES"), os.environ.get("PYTEST_XDIST_WORKER")
    name = f"tests_{worker}"
    if not url or not worker or urlsplit(url).path == f"/{name}":  # a test's own process has its worker's already
        return
    import psycopg

    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f'DROP DATABASE IF EXISTS "{name}"'.encode())
        connection.execute(f'CREATE DATABASE "{name}"'.encode())
    os.environ["RELWISE_TEST_POSTGRES"] = urlsplit(url)._replace(path=f"/{name}").geturl()


_database_of_its_own()  # before a test's module is imported, which reads the variable


@pytest.fixture(scope="session")
def benchmark_data() -> Callable[[str], Path]:
    """`benchmark_data("amazon")`: that data set's folder; the test is skipped where it is absent."""
    root = Path(os.environ.get("RELWISE_DATA") or Path(__file__).parents[1].parent / "shared" / "data")

    def find(name: str) -> Path:
        if not (root / name).is_dir():
            pytest.skip(f"needs the benchmark data '{name}': {root / name} is absent; set RELWISE_DATA")
        return root / name

    return find
