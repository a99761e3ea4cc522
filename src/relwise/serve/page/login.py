"""Who may see the page: the server's token, asked for once by a form, then a signed cookie.

The cookie is for the page alone: the API takes none, so that no other page can use it. It is signed with a key made of
the token: another token ends all sessions. It is `HttpOnly`, of this site only, and lasts twelve hours.
"""

from __future__ import annotations

import hashlib
import hmac
from urllib.parse import parse_qs

from fastapi import FastAPI, Request
from itsdangerous import BadSignature, TimestampSigner
from starlette.requests import cookie_parser
from starlette.responses import HTMLResponse, RedirectResponse, Response

from relwise.report.markup import tag
from relwise.serve.page.style import whole_page

PAGE = "/page"
LOGIN = f"{PAGE}/login"
COOKIE = "relwise_page"
HOURS = 12
LONGEST = 4096  # bytes of a form that are read
LEADS_TO = frozenset({"", "entity", "marks", "model", "marks.csv", "negatives.csv"})
"""The pages that the login leads back to: of ours alone, whatever an address says."""


class Sessions:
    """Signs and checks the page's cookie.

    Args:
        token: the server's.

    >>> sessions = Sessions("a-long-secret-token")
    >>> sessions.holds(f"{sessions.name}={sessions.sign()}"), sessions.holds(f"{sessions.name}=forged")
    (True, False)
    """

    def __init__(self, token: str) -> None:
        self._token = token.encode()
        # Ports of one host share their cookies: that of a server with another token is to stay beside this one.
        self.name = f"{COOKIE}_{hashlib.sha256(b'relwise cookie ' + self._token).hexdigest()[:8]}"
        self._signer = TimestampSigner(hashlib.sha256(b"relwise page " + self._token).digest())

    def knows(self, token: str) -> bool:
        """Whether a token is the server's, compared in constant time."""
        return hmac.compare_digest(token.encode(), self._token)

    def sign(self) -> str:
        """A fresh cookie's value."""
        return self._signer.sign(b"page").decode()

    def holds(self, header: str) -> bool:
        """Whether a `Cookie` header bears a cookie that was signed here, and lately."""
        # Starlette's reader, for Python's gives up at the first cookie of another program that it does not like.
        value = cookie_parser(header).get(self.name)
        try:
            return value is not None and self._signer.unsign(value, max_age=HOURS * 3600) == b"page"
        except BadSignature:
            return False


def add_login(app: FastAPI, sessions: Sessions) -> None:
    """The form at `/page/login`; to be added before the page is mounted."""

    @app.get(LOGIN, include_in_schema=False)
    async def form() -> Response:
        return HTMLResponse(_form(""), headers={"Cache-Control": "no-store"})

    @app.post(LOGIN, include_in_schema=False)
    async def enter(request: Request) -> Response:
        body = b""
        async for part in request.stream():
            body += part
            if len(body) > LONGEST:
                return HTMLResponse(_form("That is too long."), 413)
        given = parse_qs(body.decode("utf-8", "replace")).get("token", [""])[0]
        if not sessions.knows(given.strip()):
            return HTMLResponse(_form("That is not the token. It is the word in the server's token file."), 401)
        answer = RedirectResponse(_wanted(request.query_params.get("to", "")), 303)
        # "Lax", so that an address sent by mail opens for whoever is logged in. Nothing is changed by opening one: what
        # changes anything comes over a WebSocket, and the cookie does not come with that of another site.
        answer.set_cookie(
            sessions.name, sessions.sign(), max_age=HOURS * 3600, httponly=True, samesite="lax",
            secure=request.url.scheme == "https",
        )  # fmt: skip
        return answer


def _wanted(to: str) -> str:
    """Where to go after the login.

    >>> _wanted("entity?type=plane&id=N1"), _wanted("//evil.example"), _wanted("model?")
    ('./entity?type=plane&id=N1', './', './model')
    """
    page, _, asked = to.partition("?")
    if page not in LEADS_TO:
        return "./"
    return f"./{page}?{asked}" if asked else f"./{page}"


def _form(problem: str) -> str:
    told = tag("p", problem, class_="problem", role="alert", id="problem") if problem else None
    field = tag(
        "input", type="password", name="token", id="token", required=True, autofocus=True,
        autocomplete="current-password", aria_describedby="problem" if problem else None,
    )  # fmt: skip
    form = tag("form", tag("label", "Token", for_="token"), field, tag("button", "Enter", type="submit"), method="post")
    body = tag(
        "main",
        tag("h1", "relwise"),
        tag("p", "This server asks for a token: the word in the file it was started with."),
        told,
        form,
        class_="login",
    )
    return whole_page("relwise: token", body)
