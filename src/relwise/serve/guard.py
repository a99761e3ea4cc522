"""Who may ask: a bearer token, and the names this server may be called by."""

from __future__ import annotations

import hmac
from urllib.parse import quote, urlsplit

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from relwise.serve.refusal import Refusal

OPEN = frozenset({"/healthz", "/docs", "/openapi.json"})
"""What needs no token: it tells nothing of the data."""

OPEN_FOLDER = "/docs/"

PAGE = "/page/"
PAGE_OPEN = frozenset({"/", "/page", "/page/login"})
"""Of the page: the redirects to it, and the form that asks for the token."""

HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    # What a page here loads is of this server, and no other site can show it in a frame, to have it clicked at unseen.
    (
        b"content-security-policy",
        b"default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
        b"img-src 'self' data:; font-src 'self' data:; connect-src 'self' ws: wss:; object-src 'none'; "
        b"base-uri 'self'; form-action 'self'; frame-ancestors 'none'",
    ),
)
"""Of every answer."""


class Guard:
    """Refuses whoever does not bear the token, calls the server by a name that is not its own, or asks from a page of
    another site; and tells browsers what pages from here may do.

    The token comes as `Authorization: Bearer TOKEN`, and is compared in constant time. The web page has a cookie of its
    own, which is good for the page alone: where `app.state.sessions` is there, whoever asks for a page without one is
    led to its login.

    Args:
        app: what is guarded, HTTP and WebSocket alike.
        token: None: none is needed.
        hosts: None: any.
    """

    def __init__(self, app: ASGIApp, token: str | None, hosts: frozenset[str] | None) -> None:
        self.app, self.token, self.hosts = app, token, hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def careful(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message.get("headers", []), *HEADERS]}
            await send(message)

        refusal = self._refusal(scope) if scope["type"] in ("http", "websocket") else None
        if refusal is None:
            await self.app(scope, receive, careful)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        else:
            await refusal.response()(scope, receive, careful)

    def _refusal(self, scope: Scope) -> Refusal | None:
        headers = dict(scope["headers"])
        if self.hosts is not None and _host(headers.get(b"host", b"")) not in self.hosts:
            return Refusal(
                400,
                "wrong_host",
                "this server does not answer to that name",
                field="Host",
                remedy="call it by the address it printed, or start it with --token-file",
            )
        # A browser lets a page of any site open a WebSocket here, and says whose page it is. Where there is a token,
        # the cookie does not come along.
        origin = headers.get(b"origin")
        if self.hosts is not None and origin is not None and _host(_netloc(origin)) not in self.hosts:
            return Refusal(
                400,
                "wrong_host",
                "this server does not answer to pages of other sites",
                field="Origin",
                remedy="ask from a page of its own, or from a program",
            )
        path = scope["path"]
        if self.token is None or path in OPEN or path.startswith(OPEN_FOLDER):
            return None
        sessions = getattr(scope["app"].state, "sessions", None)
        if sessions is not None and (path in PAGE_OPEN or path.startswith(PAGE)):
            if path in PAGE_OPEN or sessions.holds(headers.get(b"cookie", b"").decode("latin-1")):
                return None
            if "/" not in path.removeprefix(PAGE):
                return Refusal(303, "login", "this page asks for the token", headers={"Location": _login(scope)})
        if hmac.compare_digest(_token(headers.get(b"authorization", b"")), self.token.encode()):
            return None
        return Refusal(
            401,
            "unauthorised",
            "the token is missing or wrong",
            field="Authorization",
            remedy="send the header Authorization: Bearer TOKEN",
            headers={"WWW-Authenticate": 'Bearer realm="relwise"'},
        )


def _host(header: bytes) -> str:
    """The name in a Host header, without the port."""
    name = header.decode("latin-1").lower()
    return name.partition("]")[0] + "]" if name.startswith("[") else name.partition(":")[0]


def _netloc(origin: bytes) -> bytes:
    """Host and port of an Origin header; empty where it has none."""
    try:
        return urlsplit(origin.decode("latin-1")).netloc.encode("latin-1")
    except ValueError:
        return b""


def _login(scope: Scope) -> str:
    """The login's address as a page of ours sees it, which says what page was wanted."""
    wanted, asked = scope["path"].removeprefix(PAGE), scope["query_string"].decode("latin-1")
    return "./login" if not wanted and not asked else f"./login?to={quote(f'{wanted}?{asked}', safe='')}"


def _token(header: bytes) -> bytes:
    """The token in an Authorization header; empty where there is none."""
    scheme, _, value = header.partition(b" ")
    return value.strip() if scheme.lower() == b"bearer" else b""
