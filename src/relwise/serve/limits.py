"""How much and how long: the body of a request, and the time it takes."""

from __future__ import annotations

import asyncio

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from relwise.serve.refusal import Refusal

BOUNDED = ("/v1/", "/page/login")
"""What takes a body from whoever comes."""


class Limits:
    """Refuses a body that is too long (413), and ends a request that takes too long (504): to `/v1/`, and the login.

    The time counts from the request's head: a client that sends its body a byte a minute is ended too. What the model
    has not begun of an ended request it never begins.

    Args:
        app: what is bounded.
        body: bytes.
        timeout: seconds.
    """

    def __init__(self, app: ASGIApp, body: int, timeout: float) -> None:
        self.app, self.body, self.timeout = app, body, timeout

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(BOUNDED):
            await self.app(scope, receive, send)
            return
        length = dict(scope["headers"]).get(b"content-length", b"0")
        if not length.isdigit() or int(length[:20]) > self.body:
            await self._too_large().response()(scope, receive, send)
            return
        read, started = 0, False

        async def counted() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > self.body:
                raise self._too_large()
            return message

        async def watched(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        limit = asyncio.timeout(self.timeout)
        try:
            async with limit:
                await self.app(scope, counted, watched)
        except TimeoutError:
            if started or not limit.expired():
                raise
            await self._too_slow().response()(scope, receive, send)

    def _too_large(self) -> Refusal:
        return Refusal(
            413,
            "too_large",
            f"the body is longer than {self.body:,} bytes",
            field="body",
            remedy="send it in several requests",
            headers={"Connection": "close"},
        )

    def _too_slow(self) -> Refusal:
        return Refusal(
            504,
            "timeout",
            f"no answer within {self.timeout:g} s",
            remedy="ask for less at a time, or start the server with a larger --timeout",
            headers={"Connection": "close"},
        )
