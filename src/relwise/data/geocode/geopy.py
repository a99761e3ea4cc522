"""Any geocoder of geopy, with an answer asked for once kept in a file."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Protocol

from relwise.errors import InputError

_TABLE = (
    "CREATE TABLE IF NOT EXISTS places "
    "(service TEXT, address TEXT, latitude REAL, longitude REAL, PRIMARY KEY (service, address))"
)
_LOOK_UP = "SELECT latitude, longitude FROM places WHERE service = ? AND address = ?"


class Service(Protocol):
    """A geocoder of geopy, such as `geopy.geocoders.Nominatim(user_agent="my-program")`."""

    def geocode(self, query: str) -> Any:
        """A location with latitude and longitude, or None."""
        ...


class GeopyGeocoder:
    """Asks a geocoder of [geopy](https://geopy.readthedocs.io), which needs a network, for addresses.

    What it answered, and that it did not know an address, is kept in a file of SQLite, each answer written for good
    before the next is asked for: what is interrupted goes on where it stood.

    Args:
        service: the geocoder.
        cache: the file.
        per_second: requests at most; Nominatim's public service allows one.
        name: of the service in the file, where several share one; None: its class.
    """

    def __init__(
        self, service: Service, cache: str | Path, *, per_second: float = 1.0, name: str | None = None
    ) -> None:
        if per_second <= 0:
            raise ValueError(f"per_second must be positive, not {per_second}")
        self.service, self.cache, self.name = service, Path(cache), name or type(service).__name__
        self._pause, self._next = 1 / per_second, 0.0

    def locate(self, parts: Sequence[str | None]) -> tuple[float, float] | None:
        """See `Geocoder.locate`.

        Raises:
            InputError: where the service fails, or the file is none of SQLite or cannot be written.
        """
        query = ", ".join(" ".join(part.split()) for part in parts if part and part.strip())
        if not query:
            return None
        try:
            with closing(sqlite3.connect(self.cache, timeout=60)) as kept:
                kept.execute(_TABLE)
                of_this = self.name, query
                known = kept.execute(_LOOK_UP, of_this).fetchone()
                if known is None:
                    known = self._ask(query)
                    with kept:  # written for good at its end
                        kept.execute("INSERT OR REPLACE INTO places VALUES (?, ?, ?, ?)", (*of_this, *known))
        except sqlite3.Error as error:
            raise InputError(
                f"the cache of the geocoder cannot be used ({error})",
                where=str(self.cache),
                remedy="name another file as its cache",
            ) from None
        latitude, longitude = known
        return None if latitude is None or longitude is None else (latitude, longitude)

    def _ask(self, query: str) -> tuple[float | None, float | None]:
        """What the service answers; of a place that it does not know, twice None."""
        from geopy.exc import GeopyError

        time.sleep(max(0.0, self._next - time.monotonic()))
        try:
            found = self.service.geocode(query)
        except GeopyError as error:
            raise InputError(
                f"the geocoder {self.name} failed at {query!r} ({error or type(error).__name__})",
                remedy=f"try again: what it answered before is kept in {self.cache}",
            ) from None
        finally:
            self._next = time.monotonic() + self._pause
        return (None, None) if found is None else (float(found.latitude), float(found.longitude))
