"""Addresses to latitude and longitude.

| geocoder | knows | needs |
| --- | --- | --- |
| `OfflineGeocoder` | cities of 500 inhabitants and more, by all their names | `relwise[geo]`, no network |
| `GeopyGeocoder` | what a service does that geopy asks, streets too | `relwise[geo]`, a network; it keeps answers |

`relwise.read(folder, geocoder=...)` takes any object with the method of `Geocoder`.
"""

from functools import cache

from relwise.data.geocode.base import Geocoder
from relwise.data.geocode.geopy import GeopyGeocoder
from relwise.data.geocode.offline import OfflineGeocoder


@cache
def default_geocoder() -> Geocoder:
    """The one that needs no network, shared by all that read tables in a process.

    Raises:
        ImportError: where the extra `geo` is not installed.
    """
    return OfflineGeocoder()


__all__ = ["Geocoder", "GeopyGeocoder", "OfflineGeocoder", "default_geocoder"]
