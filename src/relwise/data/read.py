"""`read(folder)`: a graph from a folder, whose kind is recognised by what it holds.

| the folder holds | it is |
| --- | --- |
| `schema.toml` | node and relation tables in CSV or Parquet, described by that file (`relwise.data.schema`) |
| `train.txt` and `valid.txt`, `test.txt` of lines `relation head tail label` | a benchmark |
| `train.txt` and perhaps `valid.txt`, `test.txt` of lines `head<TAB>relation<TAB>tail` | triples |
"""

from __future__ import annotations

from pathlib import Path

from relwise.data.formats import line_format, read_benchmark, read_triples
from relwise.data.from_tables import read_tables
from relwise.data.graph import Graph
from relwise.errors import InputError


def read(folder: str | Path) -> Graph:
    """The graph that a folder holds.

    Args:
        folder: one of the three kinds above.

    Raises:
        InputError: at the first thing that is wrong with the data, naming where it is and what would mend it.
    """
    folder = Path(folder)
    if not folder.is_dir():
        what = "this is a file, not a folder" if folder.exists() else "there is no such folder"
        raise InputError(what, where=str(folder), remedy="give the folder that holds the data")
    if (folder / "schema.toml").exists():
        return read_tables(folder / "schema.toml")
    kind = line_format(folder)
    if kind is None:
        raise InputError(
            "no data that can be recognised",
            where=str(folder),
            remedy="it needs a schema.toml with its tables, or train.txt (with valid.txt and test.txt)",
        )
    return read_benchmark(folder) if kind == "benchmark" else read_triples(folder)
