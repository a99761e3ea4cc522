"""`read(folder)`: a graph from a folder, whose kind is recognised by what it holds.

| the folder holds | it is |
| --- | --- |
| `schema.toml` | node and relation tables, in files or a database, described by that file (`relwise.data.schema`) |
| `train.txt` and `valid.txt`, `test.txt` of lines `relation head tail label` | a benchmark |
| `train.txt` and perhaps `valid.txt`, `test.txt` of lines `head<TAB>relation<TAB>tail` | triples |
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from relwise.data.formats import line_format, read_benchmark, read_triples
from relwise.data.from_tables import read_tables
from relwise.data.graph import Graph
from relwise.data.sources.postgres_url import PostgresURL, is_postgres
from relwise.errors import InputError

if TYPE_CHECKING:
    from relwise.data.geocode import Geocoder


def read(folder: str | Path, geocoder: Geocoder | None = None, schema: str | Path | None = None) -> Graph:
    """The graph that a folder holds.

    Args:
        folder: one of the three kinds above, or the path of a schema.
        geocoder: what finds the addresses that a schema names; None: the one that needs no network.
        schema: the schema of the folder's tables, where it lies elsewhere.

    Raises:
        InputError: at the first thing that is wrong with the data, naming where it is and what would mend it.
    """
    if is_postgres(folder):
        # A path has one of the two slashes only. The URL is shown without its password.
        url = re.sub(r":/(?!/)", "://", str(folder), count=1)
        raise InputError(
            "this is a database, and no schema that says what its tables hold",
            where=PostgresURL.parse(url).shown,
            remedy="have one proposed by relwise init, and give its folder",
        )
    folder = Path(folder)
    if folder.suffix == ".toml" and folder.is_file():
        return read_tables(folder, geocoder)
    if schema is not None and folder.is_dir():
        return read_tables(schema, geocoder, folder)
    if not folder.is_dir():
        what = "this is a file, not a folder" if folder.exists() else "there is no such folder"
        raise InputError(what, where=str(folder), remedy="give the folder that holds the data, or its schema.toml")
    if (folder / "schema.toml").exists():
        return read_tables(folder / "schema.toml", geocoder)
    kind = line_format(folder)
    if kind is None:
        raise InputError(
            "no data that can be recognised",
            where=str(folder),
            remedy="it needs a schema.toml with its tables, or train.txt (with valid.txt and test.txt)",
        )
    return read_benchmark(folder) if kind == "benchmark" else read_triples(folder)
