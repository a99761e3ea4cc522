"""A trained run, once for all tests of the report."""

from __future__ import annotations

from pathlib import Path

import pytest

from relwise.predictor import RelationshipPredictor
from relwise.report import Facts, read_facts
from tests.fakes import small_graph
from tests.small_data import TINY


@pytest.fixture(scope="package")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("runs") / "shop"
    RelationshipPredictor(**TINY).fit(small_graph()).save(made)  # type: ignore[arg-type]
    return made


@pytest.fixture(scope="package")
def facts(folder: Path) -> Facts:
    return read_facts(folder)
