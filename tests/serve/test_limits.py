"""Time, queue and failures: each ends in an answer that says why."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from relwise.predictor import RelationshipPredictor
from relwise.serve.app import create_app
from relwise.serve.options import ServeOptions

EDGE = {"edges": [{"head": "pe0", "relation": "works_at", "tail": "co0"}]}


class Held:
    """A model that answers only once it may."""

    def __init__(self) -> None:
        self.entered, self.may = threading.Event(), threading.Event()

    async def is_asked(self) -> None:
        async with asyncio.timeout(20):
            while not self.entered.is_set():
                await asyncio.sleep(0.005)


@pytest.fixture
def held(loaded: RelationshipPredictor, monkeypatch: pytest.MonkeyPatch) -> Iterator[Held]:
    model = Held()
    answer = RelationshipPredictor.predict_proba

    def wait(self: RelationshipPredictor, edges: Any, **how: Any) -> Any:
        model.entered.set()
        assert model.may.wait(20)
        return answer(self, edges, **how)

    monkeypatch.setattr(RelationshipPredictor, "predict_proba", wait)
    yield model
    model.may.set()


def application(loaded: RelationshipPredictor, options: ServeOptions) -> FastAPI:
    """Made before the model is held: making it asks the model."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("relwise.serve.runs.ServedRun.warm", lambda self: None)
        return create_app({"shop": loaded}, options)


def client(app: FastAPI) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost")


def test_a_slow_answer_is_a_504_and_the_loop_stays_free(loaded: RelationshipPredictor, held: Held) -> None:
    app = application(loaded, ServeOptions(timeout=1))

    async def ask() -> None:
        async with client(app) as http:
            slow = asyncio.create_task(http.post("/v1/score", json=EDGE))
            await held.is_asked()
            assert (await http.get("/healthz")).status_code == 200
            assert not slow.done()
            answer = await slow
            assert answer.status_code == 504
            assert answer.json()["error"]["code"] == "timeout"
            assert "within 1 s" in answer.json()["error"]["what"]
            held.may.set()
            assert (await http.post("/v1/score", json=EDGE)).status_code == 200

    asyncio.run(ask())


def test_a_slow_search_is_a_504_in_time(loaded: RelationshipPredictor, monkeypatch: pytest.MonkeyPatch) -> None:
    """It runs in a thread of its own, which cannot be ended: whoever waits for it can."""
    app, may = application(loaded, ServeOptions(timeout=1)), threading.Event()

    def slow(*_: object) -> tuple[list[object], int]:
        assert may.wait(20)
        return [], 0

    monkeypatch.setattr("relwise.serve.search.NodeSearch.find", slow)

    async def ask() -> None:
        async with client(app) as http:
            began = time.monotonic()
            assert (await http.get("/v1/nodes?search=x")).status_code == 504
            assert time.monotonic() - began < 10
            may.set()

    asyncio.run(ask())


def test_too_many_waiting_is_a_503(loaded: RelationshipPredictor, held: Held) -> None:
    app = application(loaded, ServeOptions(waiting=2))

    async def ask() -> None:
        async with client(app) as http:
            asked = [asyncio.create_task(http.post("/v1/score", json=EDGE)) for _ in range(6)]
            await held.is_asked()
            await asyncio.sleep(0.3)
            held.may.set()
            answers = await asyncio.gather(*asked)
            assert sorted(answer.status_code for answer in answers) == [200] * 3 + [503] * 3
            busy = next(answer for answer in answers if answer.status_code == 503)
            assert busy.json()["error"]["code"] == "busy"
            assert busy.headers["retry-after"] == "1"

    asyncio.run(ask())


def test_what_waits_of_an_ended_request_never_begins(loaded: RelationshipPredictor, held: Held) -> None:
    app = application(loaded, ServeOptions(timeout=1))
    begun = []

    async def ask() -> None:
        async with client(app) as http:
            first = asyncio.create_task(http.post("/v1/score", json=EDGE))
            await held.is_asked()
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(app.state.service.worker.run(lambda: begun.append(1)), 0.1)
            assert (await first).status_code == 504
            held.may.set()
            await app.state.service.worker.run(lambda: None)

    asyncio.run(ask())
    assert not begun


def test_a_failure_of_the_code_is_one_answer_and_tells_no_data(
    loaded: RelationshipPredictor, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    app = application(loaded, ServeOptions())

    def fail(*_: object, **__: object) -> None:
        raise KeyError("pe0 is a secret")

    monkeypatch.setattr(RelationshipPredictor, "predict_proba", fail)

    async def ask() -> httpx.Response:
        async with client(app) as http:
            return await http.post("/v1/score", json=EDGE)

    answer = asyncio.run(ask())
    assert answer.status_code == 500
    assert answer.json()["error"]["code"] == "internal"
    log = capsys.readouterr().err
    assert '"failed": "KeyError at' in log
    assert "secret" not in log + answer.text
