"""What is logged, of requests and by libraries: a line of JSON each, and never what was asked or answered."""

from __future__ import annotations

import json
import logging

import pytest
from fastapi import FastAPI
from prometheus_client import generate_latest
from starlette.testclient import TestClient

from relwise.serve.observe import Lines, Meters, Observe, note


def test_a_note_is_one_line_whatever_it_holds(capsys: pytest.CaptureFixture[str]) -> None:
    note(message='two\nlines, "quoted" and \u05d0')
    (line,) = capsys.readouterr().err.splitlines()
    assert json.loads(line)["message"] == 'two\nlines, "quoted" and \u05d0'


def test_what_libraries_log_is_a_line_and_an_exception_tells_no_data(capsys: pytest.CaptureFixture[str]) -> None:
    logger = logging.Logger("library")
    logger.addHandler(Lines())
    logger.warning("queue of %d", 3)
    try:
        raise KeyError("pe0 is a secret")
    except KeyError as error:
        logger.exception(error)
    first, second = map(json.loads, capsys.readouterr().err.splitlines())
    assert (first["level"], first["logger"], first["message"]) == ("warning", "library", "queue of 3")
    assert second["failed"].startswith("KeyError at ")
    assert "secret" not in json.dumps(second)


def test_routes_are_counted_as_they_are_declared(capsys: pytest.CaptureFixture[str]) -> None:
    """Whatever is asked for, there are no more counters than routes; those of the page bear its place."""
    app, page, meters = FastAPI(), FastAPI(), Meters(1)

    @app.get("/")
    @app.get("/v1/nodes/{name}")
    @page.get("/entity")
    @page.get("/files/{path:path}")
    async def anything() -> str:
        return ""

    app.mount("/page", page)
    app.add_middleware(Observe, meters=meters)
    client = TestClient(app)
    for path in ("", "v1/nodes/a", "v1/nodes/b", "page/entity?id=a", "page/files/a/b", "page/files/c", "x", "page/y"):
        client.request("GET" if path != "x" else "INVENTED", f"/{path}")
    routes = {json.loads(line)["route"] for line in capsys.readouterr().err.splitlines()}
    assert routes == {"/", "/v1/nodes/{name}", "/page/entity", "/page/files/{path:path}", "other"}
    text = generate_latest(meters.registry).decode()
    assert 'relwise_requests_total{method="GET",route="/v1/nodes/{name}",status="200"} 2.0' in text
    assert "INVENTED" not in text
