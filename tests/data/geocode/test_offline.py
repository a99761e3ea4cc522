"""The offline geocoder on real names; and its rules on a handful of cities made here."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from relwise.data.columns import convert
from relwise.data.geocode import OfflineGeocoder, default_geocoder
from relwise.data.geocode.offline import _Cities


def city(name, country, region, people, at, *others):
    return {
        "name": name, "countrycode": country, "admin1code": region, "population": people, "latitude": at,
        "longitude": -at, "alternatenames": [*others, ""],
    }  # fmt: skip


CITIES = [
    city("London", "GB", "ENG", 8_961_989, 1.0, "Londres"),
    city("London", "CA", "08", 422_324, 2.0),
    city("London", "US", "OH", 10_060, 3.0),
    city("London", "US", "KY", 8_126, 4.0),
    city("Munich", "DE", "02", 1_505_005, 5.0, "München", "Muenchen"),
    city("St. John's", "CA", "05", 110_525, 6.0, "Saint John"),
    city("Saint John", "CA", "04", 71_808, 7.0),
    city("Newmarket", "CA", "08", 87_942, 8.0),
    city("New York City", "US", "NY", 8_804_190, 9.0, "New York"),
    city("Ontario", "US", "CA", 171_214, 10.0),
    city("Tbilisi", "GE", "51", 1_049_498, 11.0),
    city("Atlanta", "US", "GA", 463_878, 12.0),
    city("Berlin", "DE", "16", 3_426_354, 13.0),
    city("北京", "CN", "22", 18_960_744, 14.0, "Beijing"),
    city("100 Mile House", "CA", "02", 1_980, 15.0),
]


@pytest.fixture(scope="module")
def few():
    geocoder = OfflineGeocoder()
    geocoder.__dict__["_cities"] = _Cities.of(CITIES)
    return geocoder


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        (["London"], 1), (["London", "Canada"], 2), (["London", "Ontario"], 2), (["LONDON", "on", "CAN"], 2),
        (["London", None, "USA"], 3), (["London", "Kentucky", None], 4), (["London", "KY", "United States"], 4),
        (["London", "Unknown", "USA"], 3), (["London", "Texas", "USA"], None), (["London", None, "France"], None),
        (["London", "Ontario", "269"], 2), (["London", "Unknown", "269"], None), (["London", "Atlantis"], None),
        (["Londres", "England"], 1), (["10 Downing Street", "London", None, "UK"], 1),
        (["10 Downing St, London, UK"], 1), (["Hauptplatz", "München", None, "Germany"], 5),
        (["muenchen", "Bayern", "DEU"], 5), (["München", "Berlin", "Germany"], None),
        (["Obere Str. 57", "München", "Germany"], 5), (["Obere Str. 57", "80331", "München", None, "Germany"], 5),
        (["80331 München", None, "Germany"], 5), (["80331MÜNCHEN", None, "Germany"], 5),
        (["Saint John", "Canada"], 7), (["St-John", "NL", "Canada"], 6), (["ST. JOHN'S", None, "Canada"], 6),
        (["NEW MARKET", "Ontario", "CAN"], 8), (["Newmarket, Ont. (north)", "Ontario", "CAN"], 8),
        (["12345 Smallville", "New York", "USA"], None), (["120 Main St, New York, USA"], 9),
        (["1600 Main St, München, Germany"], 5), (["Smallville", "New York", "USA"], None),
        (["New York", "CA"], None), (["Ontario", "CA"], 10), ([None, "Ontario", "Canada"], None),
        (["Tbilisi", "Georgia"], 11), (["Atlanta", "Georgia"], 12), (["Atlanta", "Georgia", "USA"], 12),
        (["Lond", "UK"], None), (["Londonx"], None), (["北京"], 14), (["beijing", "China"], 14),
        (["100 Mile House", "British Columbia", "Canada"], 15), ([], None), ([None], None), (["", "  "], None),
        ([None, None, "Canada"], None), (["12209"], None), ([",", "Canada"], None),
    ],
)  # fmt: skip
def test_rules(few, parts, expected):
    found = few.locate(parts)
    assert found == (None if expected is None else (expected, -expected))


@given(st.lists(st.none() | st.text(max_size=12) | st.sampled_from(["London", "UK", "ON", "1,", "St."]), max_size=6))
def test_any_parts(few, parts):
    found = few.locate(parts)
    assert found is None or found in {(c["latitude"], c["longitude"]) for c in CITIES}


def test_no_cities_at_all():
    geocoder = OfflineGeocoder()
    geocoder.__dict__["_cities"] = _Cities.of([])
    assert geocoder.locate(["London", "UK"]) is None


def test_an_address_of_a_table_is_a_place(few):
    frame = pd.DataFrame({"city": ["London", "", "Nowhere"], "country": ["Canada", "Canada", "Canada"]})
    found = convert(frame, "address", ["city", "country"], "shops.csv", geocoder=few)
    np.testing.assert_array_equal(found, [[2, -2], [np.nan, np.nan], [np.nan, np.nan]])


@pytest.fixture(scope="module")
def real():
    """Large cities alone: they are read in a second."""
    return OfflineGeocoder(15000)


def near(found, latitude, longitude):
    return found is not None and abs(found[0] - latitude) < 0.3 and abs(found[1] - longitude) < 0.3


@pytest.mark.parametrize(
    ("parts", "latitude", "longitude"),
    [
        (["Hangzhou", "China"], 30.29, 120.16),
        (["杭州", "China"], 30.29, 120.16),
        (["Zhangzhou", "China"], 24.51, 117.65),
        (["Paris", "France"], 48.85, 2.35),
        (["Paris", "Texas", "USA"], 33.66, -95.56),
        (["London", "Ontario", "Canada"], 42.98, -81.23),
        (["London", None, "UK"], 51.51, -0.13),
        (["München", None, "Germany"], 48.14, 11.58),
        (["México D.F.", None, "Mexico"], 19.43, -99.13),
        (["Sao Paulo", "SP", "Brazil"], -23.55, -46.64),
        (["Genève", None, "Switzerland"], 46.2, 6.15),
        (["KØBENHAVN", None, "DNK"], 55.68, 12.57),
        (["Portland", "OR", "USA"], 45.52, -122.68),
        (["Portland", "Maine", "USA"], 43.66, -70.26),
        (["Saint-Jérôme", "Quebec", "CAN"], 45.78, -74.0),
        (["San Juan", "Puerto Rico", "USA"], 18.47, -66.11),
    ],
)
def test_real_cities(real, parts, latitude, longitude):
    assert near(real.locate(parts), latitude, longitude)


def test_a_city_that_the_country_has_not_is_not_found(real):
    assert real.locate(["Hangzhou", "Canada"]) is None
    assert real.locate(["Zzyzx", "California", "USA"]) is None


def test_the_default_is_made_once():
    assert default_geocoder() is default_geocoder()
    assert isinstance(default_geocoder(), OfflineGeocoder)
