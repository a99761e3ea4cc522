from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from relwise.serve.guard import Guard
from relwise.serve.limits import Limits
from relwise.serve.page.login import HOURS, Sessions, add_login

TOKEN = "a-token-of-many-letters"


@pytest.fixture
def client() -> TestClient:
    app = FastAPI()
    app.state.sessions = Sessions(TOKEN)
    add_login(app, app.state.sessions)

    @app.get("/page/")
    @app.get("/page/entity")
    @app.get("/v1/model")
    async def secret() -> str:
        return "secret"

    app.add_middleware(Guard, token=TOKEN, hosts=None)
    return TestClient(app)


def test_the_page_leads_to_the_login_and_from_there_back(client: TestClient) -> None:
    first = client.get("/page/", follow_redirects=False)
    assert (first.status_code, first.headers["location"]) == (303, "./login")
    assert "secret" not in first.text
    form = client.get("/page/")
    assert 'type="password"' in form.text
    assert 'for="token"' in form.text
    wrong = client.post("/page/login", data={"token": "something else"})
    assert wrong.status_code == 401
    assert "That is not the token" in wrong.text
    assert "something else" not in wrong.text
    right = client.post("/page/login", data={"token": f" {TOKEN}\n"})
    assert right.json() == "secret"


def test_the_login_leads_to_the_page_that_was_wanted(client: TestClient) -> None:
    wanted = "/page/entity?type=a%26b&id=x%20%3D%0A"
    form = client.get(wanted)
    assert form.url.path == "/page/login"
    answer = client.post(str(form.url), data={"token": "wrong"})
    assert answer.status_code == 401
    right = client.post(str(form.url), data={"token": TOKEN}, follow_redirects=False)
    assert right.headers["location"].startswith("./entity?")
    assert client.get(str(right.url.join(right.headers["location"]))).request.url.query == b"type=a%26b&id=x%20%3D%0A"


@pytest.mark.parametrize(
    "to",
    ["//evil.example/", "https://evil.example/", "/\\evil.example", "javascript:alert(1)", "../v1/model", "login?"],
)
def test_the_login_leads_nowhere_else(client: TestClient, to: str) -> None:
    answer = client.post("/page/login", params={"to": to}, data={"token": TOKEN}, follow_redirects=False)
    assert answer.headers["location"] == "./"


def test_a_login_that_is_sent_a_byte_a_minute_is_ended(client: TestClient) -> None:
    async def drop_by_drop() -> AsyncIterator[bytes]:
        yield b"token="
        await asyncio.sleep(30)

    async def ask() -> int:
        transport = httpx.ASGITransport(Limits(client.app, body=1000, timeout=0.2))
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as http:
            return (await http.post("/page/login", content=drop_by_drop())).status_code

    assert asyncio.run(ask()) == 504


def test_the_cookie_is_for_the_page_alone(client: TestClient) -> None:
    client.post("/page/login", data={"token": TOKEN})
    assert client.get("/page/").status_code == 200
    assert client.get("/v1/model").status_code == 401
    assert client.get("/v1/model", headers={"Authorization": f"Bearer {TOKEN}"}).json() == "secret"


def test_the_cookie_is_kept_from_scripts_and_other_sites(client: TestClient) -> None:
    answer = client.post("/page/login", data={"token": TOKEN}, follow_redirects=False)
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert TOKEN not in cookie
    assert "secure" not in cookie
    https = TestClient(client.app, base_url="https://testserver")
    assert (
        "secure"
        in https.post("/page/login", data={"token": TOKEN}, follow_redirects=False).headers["set-cookie"].lower()
    )


def test_no_other_cookie_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    sessions = Sessions(TOKEN)
    name = sessions.name
    good = f"{name}={sessions.sign()}"
    assert sessions.holds(good)
    for other in ("other=1", "a[b]=1", 'json={"a": [1, 2]}', "=", "x", "caf\xe9=\xff"):
        assert sessions.holds(f"{other}; {good}")
        assert sessions.holds(f"{good}; {other}")
    another = Sessions("another token")
    for bad in ("", name, f"{name}=page", f"{name}=\xff.\xff", good[:-1], good + "x", f"{name}={another.sign()}"):
        assert not sessions.holds(bad)
    assert sessions.holds(f"{another.name}={another.sign()}; {good}")
    later = time.time() + HOURS * 3600 + 60
    monkeypatch.setattr(time, "time", lambda: later)
    assert not sessions.holds(good)


def test_a_long_form_is_refused(client: TestClient) -> None:
    assert client.post("/page/login", content=b"token=" + b"x" * 5000).status_code == 413


def test_files_of_the_page_are_refused_without_a_cookie(client: TestClient) -> None:
    assert client.get("/page/_nicegui/x.js", follow_redirects=False).status_code == 401
