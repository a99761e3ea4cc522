"""Small data folders on disk, each file of which a test may replace."""

from __future__ import annotations

from pathlib import Path

SCHEMA = """
[nodes.plane]
table = "planes.csv"
key = "tailnum"
name = "model"
[nodes.plane.columns]
year = "numeric"
maker = "categorical"
seats = { numeric = "n_seats" }
[nodes.airport]
table = "airports.csv"
key = "faa"
[nodes.airport.columns]
position = { place = ["lat", "lon"] }
[nodes.route]
[relations.visits]
table = "visits.csv"
head = { type = "plane", column = "tailnum" }
tail = { type = "airport", column = "dest" }
time = "first"
[relations."plane.flies.route"]
table = "visits.csv"
head = { type = "plane", column = "tailnum" }
tail = { type = "route", column = "route" }
[relations.near]
table = "near.csv"
head = { type = "airport", column = "a" }
tail = { type = "airport", column = "b" }
directed = false
[split]
by = "time"
valid = "2013-03-01"
test = "2013-04-01"
"""

SHOP = {
    "schema.toml": SCHEMA,
    "planes.csv": "tailnum,model,year,maker,n_seats\nN1,A1,1999,BOEING,\nN2,,,,5\nN3,B2,2001,AIRBUS,6\n",
    "airports.csv": "faa,lat,lon\nJFK,40.6,-73.8\nLAX,,\nSFO,37.6,-122.4\n",
    "visits.csv": (
        "tailnum,dest,first,route\nN1,JFK,2013-01-01,r1\nN2,JFK,2013-03-01,r2\nN3,SFO,,r1\nN3,LAX,2013-05-01,r2\n"
    ),
    "near.csv": "a,b\nJFK,SFO\nLAX,SFO\n",
}

BENCHMARK = {
    "train.txt": "1 a b\n1 b c\n2 a c\n",
    "valid.txt": "1 a c 1\n1 c d 0\n",
    "test.txt": "2 b c 1\n2 a d 0\n",
}

TRIPLES = {
    "train.txt": "new york\tin\tusa\nusa\thas\tnew york\nparis\tin\tfrance\n",
    "valid.txt": "rome\tin\titaly\n",
    "test.txt": "oslo\tin\tnorway\n",
}


def write_folder(folder: Path, files: dict[str, str], **replaced: str | bytes | None) -> Path:
    """Write files into a folder; `valid_txt=...` replaces `valid.txt`, None leaves it out."""
    folder.mkdir(parents=True, exist_ok=True)
    given: dict[str, str | bytes | None] = dict(files)
    given |= {name.replace("_", "."): content for name, content in replaced.items()}
    for name, content in given.items():
        if content is not None:
            (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)
    return folder
