"""`Geocoder`: what finds the place of an address."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol


class Geocoder(Protocol):
    """Finds latitude and longitude of addresses."""

    def locate(self, parts: Sequence[str | None]) -> tuple[float, float] | None:
        """Degrees latitude and longitude, or None where the address is not found: better none than a wrong one.

        Args:
            parts: of the address, from the most special to the most general, such as street, city, region and
                country; None where a part is missing. Of one part that has commas, its pieces are the parts.
        """
        ...
