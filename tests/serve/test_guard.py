"""The token in each of its guises, the host's name, and what stays open."""

from __future__ import annotations

import pytest
from fastapi import FastAPI, WebSocket
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from relwise.serve.guard import Guard

TOKEN = "a-token-that-is-long-enough"


def guarded(token: str | None, hosts: frozenset[str] | None = None) -> TestClient:
    app = FastAPI()

    @app.get("/{path:path}")
    async def anything(path: str) -> str:
        return path

    @app.websocket("/live")
    async def live(socket: WebSocket) -> None:
        await socket.accept()
        await socket.send_text("hello")

    app.add_middleware(Guard, token=token, hosts=hosts)
    return TestClient(app)


@pytest.mark.parametrize("header", [f"Bearer {TOKEN}", f"bearer  {TOKEN} "])
def test_the_token_opens(header: str) -> None:
    assert guarded(TOKEN).get("/v1/runs", headers={"Authorization": header}).status_code == 200


@pytest.mark.parametrize(
    "header", [None, "", TOKEN, "Bearer", f"Bearer {TOKEN}x", f"Digest {TOKEN}", f"Basic {TOKEN}", "Bearer é"]
)
def test_nothing_else_does(header: str | None) -> None:
    headers = [] if header is None else [(b"authorization", header.encode("latin-1"))]
    for path in ("/v1/runs", "/metrics", "/", "/healthz/x"):
        answer = guarded(TOKEN).get(path, headers=headers)
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"] == 'Bearer realm="relwise"'
        assert answer.json()["error"]["field"] == "Authorization"


@pytest.mark.parametrize("path", ["/healthz", "/docs", "/openapi.json", "/docs/files/swagger-ui.css"])
def test_what_tells_nothing_of_the_data_is_open(path: str) -> None:
    assert guarded(TOKEN).get(path).status_code == 200


def test_websockets_are_guarded_too() -> None:
    with guarded(TOKEN).websocket_connect("/live", headers={"Authorization": f"Bearer {TOKEN}"}) as socket:
        assert socket.receive_text() == "hello"
    with pytest.raises(WebSocketDisconnect), guarded(TOKEN).websocket_connect("/live"):
        pass


def test_the_host_is_one_of_its_names() -> None:
    client = guarded(None, frozenset({"localhost", "[::1]"}))
    for host in ("localhost", "LOCALHOST:8000", "[::1]:80", "[::1]"):
        assert client.get("/healthz", headers={"Host": host}).status_code == 200
    for host in ("evil.example", "localhost.evil.example", "", "[::2]:80"):
        answer = client.get("/healthz", headers={"Host": host})
        assert answer.status_code == 400
        assert answer.json()["error"]["code"] == "wrong_host"


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "https://localhost.evil.example:8000", "null", "", "http://["]
)
def test_pages_of_other_sites_are_refused_where_there_is_no_token(origin: str) -> None:
    """A browser lets any page open a WebSocket to this machine."""
    client = guarded(None, frozenset({"localhost", "[::1]"}))
    headers = {"Host": "localhost:8000", "Origin": origin}
    answer = client.get("/page/", headers=headers)
    assert (answer.status_code, answer.json()["error"]["field"]) == (400, "Origin")
    with pytest.raises(WebSocketDisconnect), client.websocket_connect("/live", headers=headers):
        pass


def test_pages_of_its_own_are_not() -> None:
    client = guarded(None, frozenset({"localhost", "[::1]"}))
    for origin in ("http://localhost:8000", "http://LOCALHOST", "http://[::1]:8000"):
        with client.websocket_connect("/live", headers={"Host": "localhost", "Origin": origin}) as socket:
            assert socket.receive_text() == "hello"


@pytest.mark.parametrize("path", ["/docs", "/v1/runs"])
def test_no_site_can_frame_an_answer_nor_guess_its_kind(path: str) -> None:
    """Of what is answered, and of what is refused."""
    headers = guarded(TOKEN).get(path).headers
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert "default-src 'self'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
