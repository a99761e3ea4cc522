"""A PostgreSQL URL taken apart, so that its password is shown nowhere."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import quote, unquote

from relwise.errors import InputError

_SECRET = ("password", "sslpassword", "passfile", "sslkey")
_OPTIONS = r"(\w+=[^&]*(&\w+=[^&]*)*)?"
_HOST = r"(\[[0-9A-Fa-f:.]+\]|[^\s:/,\[\]@]*)(:\d+)?"
_PLACE = rf"({_HOST}(,{_HOST})*)?(/[^/\s]*)?"


def is_postgres(spec: object) -> bool:
    """Whether a person means a PostgreSQL URL, well written or not."""
    return re.match(r"postgres\w*(\+\w+)?:/", str(spec)) is not None


@dataclass(frozen=True)
class PostgresURL:
    """A URL, whole and without what is secret.

    Args:
        full: as the driver takes it.
        shown: as people, errors and schemas see it.
        secrets: what must not be shown.
    """

    full: str = field(repr=False)
    shown: str
    secrets: tuple[str, ...] = field(repr=False)

    @staticmethod
    def parse(url: str) -> PostgresURL:
        """From `postgresql://user:password@host:port/database?key=value`, also `postgres` or `postgresql+driver`.

        A password that holds `@`, `/`, `?` or `#` as they are is understood: it ends at the last `@`.

        >>> PostgresURL.parse("postgres://me:p@ss/1@db:5432/shop?sslmode=require")
        PostgresURL(shown='postgresql://me@db:5432/shop?sslmode=require')
        """
        rest = url.partition("://")[2]
        before, _, after = rest.partition("?")
        if re.fullmatch(_OPTIONS, after) and ("@" in before or "@" not in after):
            user_info, _, place = before.rpartition("@")
            options = after
        else:
            user_info, _, tail = rest.rpartition("@")
            place, _, options = tail.partition("?")
        user, _, password = user_info.partition(":")
        pairs = [pair.partition("=") for pair in options.split("&") if pair]
        open_pairs = [f"{key}={value}" for key, _, value in pairs if key not in _SECRET]
        secret_pairs = [f"{key}={value}" for key, _, value in pairs if key in _SECRET]
        if "://" not in url or not re.fullmatch(_OPTIONS, options) or not re.fullmatch(_PLACE, place):
            # Nothing of it is shown: what stands in a wrong place may be the password.
            remedy = "write postgresql://user@host:5432/database, and set PGPASSWORD in the environment"
            raise InputError("this is no PostgreSQL URL", remedy=remedy)
        user = quote(unquote(user), safe="")
        head = f"{user}@" if user else ""
        shown = _joined(f"postgresql://{head}{place}", open_pairs)
        waiting = [] if any(key == "connect_timeout" for key, _, _ in pairs) else ["connect_timeout=10"]
        # One that was written as it is may hold a per cent sign that stands for itself.
        plain = unquote(password) if not re.search(r"%(?![0-9A-Fa-f]{2})", password) else password
        login = f"{user}:{quote(plain, safe='')}@" if password else head
        full = _joined(f"postgresql://{login}{place}", [*open_pairs, *secret_pairs, *waiting])
        secrets = {password, plain, quote(plain, safe="")}
        secrets |= {form for key, _, value in pairs if key in _SECRET for form in (value, unquote(value))}
        return PostgresURL(full, shown, tuple(sorted(filter(None, secrets), key=len, reverse=True)))

    def hidden(self, text: str) -> str:
        """A text with each secret in it made unreadable."""
        text = text.replace(self.full, self.shown)
        for secret in self.secrets:
            text = text.replace(secret, "***")
        return text


def _joined(url: str, options: list[str]) -> str:
    return f"{url}?{'&'.join(options)}" if options else url
