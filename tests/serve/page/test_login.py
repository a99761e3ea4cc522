from __future__ import annotations

import time

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from relwise.serve.guard import Guard
from relwise.serve.page.login import COOKIE, HOURS, Sessions, add_login

TOKEN = "a-token-of-many-letters"


@pytest.fixture
def client() -> TestClient:
    app = FastAPI()
    app.state.sessions = Sessions(TOKEN)
    add_login(app, app.state.sessions)

    @app.get("/page/")
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


def test_the_cookie_is_for_the_page_alone(client: TestClient) -> None:
    client.post("/page/login", data={"token": TOKEN})
    assert client.get("/page/").status_code == 200
    assert client.get("/v1/model").status_code == 401
    assert client.get("/v1/model", headers={"Authorization": f"Bearer {TOKEN}"}).json() == "secret"


def test_the_cookie_is_kept_from_scripts_and_other_sites(client: TestClient) -> None:
    answer = client.post("/page/login", data={"token": TOKEN}, follow_redirects=False)
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert TOKEN not in cookie
    assert "secure" not in cookie
    https = TestClient(client.app, base_url="https://testserver")
    assert (
        "secure"
        in https.post("/page/login", data={"token": TOKEN}, follow_redirects=False).headers["set-cookie"].lower()
    )


def test_no_other_cookie_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    sessions = Sessions(TOKEN)
    good = f"{COOKIE}={sessions.sign()}"
    assert sessions.holds(good)
    assert sessions.holds(f"other=1; {good}")
    for bad in ("", COOKIE, f"{COOKIE}=page", good[:-1], good + "x", f"{COOKIE}={Sessions('another token').sign()}"):
        assert not sessions.holds(bad)
    later = time.time() + HOURS * 3600 + 60
    monkeypatch.setattr(time, "time", lambda: later)
    assert not sessions.holds(good)


def test_a_long_form_is_refused(client: TestClient) -> None:
    assert client.post("/page/login", content=b"token=" + b"x" * 5000).status_code == 413


def test_files_of_the_page_are_refused_without_a_cookie(client: TestClient) -> None:
    assert client.get("/page/_nicegui/x.js", follow_redirects=False).status_code == 401
