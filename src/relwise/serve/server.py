"""Address, signals and the graceful stop of `relwise serve`."""

from __future__ import annotations

import ipaddress
import os
import signal
import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from types import FrameType

import uvicorn
from starlette.types import ASGIApp

from relwise.errors import InputError

LOCAL = frozenset({"127.0.0.1", "localhost", "[::1]"})
"""What a server of this machine alone may be called by."""


def is_local(host: str) -> bool:
    """Whether an address is of this machine alone.

    >>> is_local("127.0.0.1"), is_local("::1"), is_local("0.0.0.0")
    (True, True, False)
    """
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def open_socket(host: str, port: int) -> socket.socket:
    """A socket bound to an address; port 0: any that is free.

    Raises:
        InputError: where the address cannot be had.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        bound = socket.socket(family, kind, protocol)
        try:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            bound.bind(address)
        except OSError:
            bound.close()
            raise
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError(
            f"the address cannot be had ({reason})", where=f"{host}:{port}", remedy="name another --host or --port"
        ) from None
    return bound


def url_of(bound: socket.socket) -> str:
    """The address of a socket, as a browser takes it."""
    host, port = bound.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


class Server(uvicorn.Server):
    """A server that says when it is ready.

    Args:
        app: what it serves.
        ready: called once requests are answered.
        grace: seconds that requests in flight have to end, once the server is told to stop.
    """

    def __init__(self, app: ASGIApp, ready: Callable[[], None], grace: float) -> None:
        config = uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=max(1, round(grace)),
            timeout_keep_alive=30,
        )
        super().__init__(config)
        self.ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self.ready()


def run_until_told(server: Server, bound: socket.socket) -> None:
    """Serve until SIGTERM or SIGINT; what is in flight then is answered, and new connections are refused.

    Once all is answered the process ends at once. Python's own end would take seconds of processor time, many where
    others want the processor too, to take half a million objects of torch apart; and it would wait for a question to
    the model whose asker has long been told 504.
    """
    # uvicorn raises the signal anew once it has stopped: it is to end the process as a success.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _leave)
    server.run(sockets=[bound])


def _leave(number: int, frame: FrameType | None) -> None:
    # Nothing is left to be written but this: a server keeps no file open.
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):  # whoever read them may be gone
            stream.flush()
    os._exit(0)
