"""A trained run, and the application that serves it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from relwise.predictor import RelationshipPredictor
from relwise.serve.app import create_app
from relwise.serve.options import ServeOptions
from tests.fakes import small_graph
from tests.small_data import TINY


@pytest.fixture(scope="package")
def predictor() -> RelationshipPredictor:
    return RelationshipPredictor(**TINY).fit(small_graph())  # type: ignore[arg-type]


@pytest.fixture(scope="package")
def folder(predictor: RelationshipPredictor, tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("runs") / "shop"
    predictor.save(made)
    return made


@pytest.fixture(scope="package")
def loaded(folder: Path) -> RelationshipPredictor:
    return RelationshipPredictor.load(folder)


@pytest.fixture(scope="package")
def app(loaded: RelationshipPredictor) -> FastAPI:
    return create_app({"shop": loaded, "second": loaded}, ServeOptions(body=100_000))


@pytest.fixture(scope="package")
def asking(app: FastAPI) -> Iterator[TestClient]:
    with TestClient(app) as client:
        yield client
