"""How a server is run: its token, its limits."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path

from relwise.errors import InputError

SHORTEST_TOKEN = 16


@dataclass(frozen=True)
class ServeOptions:
    """What `create_app` needs to know besides the runs.

    Args:
        token: what every request but `/healthz` and the handbook must bear; None: none is asked for.
        hosts: names that a request may call this server by (its header `Host`); None: any. Where there is no token
            this keeps web pages that a local browser shows from asking a local server under a name of theirs.
        timeout: seconds a request may take.
        body: bytes that a request's body may have.
        waiting: requests that may wait for the model.
    """

    token: str | None = None
    hosts: frozenset[str] | None = None
    timeout: float = 30.0
    body: int = 4 * 2**20
    waiting: int = 64


def read_token(file: Path) -> str:
    """The token in a file: its one word.

    Raises:
        InputError: where the file cannot be read, or holds no word of ASCII of at least 16 characters.
    """
    try:
        token = file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        raise InputError("the token cannot be read", where=str(file), remedy="name a file of one word") from None
    if len(token) < SHORTEST_TOKEN or not token.isascii() or not token.isprintable() or " " in token:
        raise InputError(
            f"the token must be one word of at least {SHORTEST_TOKEN} ASCII characters",
            where=str(file),
            remedy="make one by: python -c 'import secrets; print(secrets.token_urlsafe())'",
        )
    return token


def others_can_read(file: Path) -> bool:
    """Whether whoever has an account on this machine can read a file."""
    return os.name == "posix" and bool(file.stat().st_mode & stat.S_IROTH)
