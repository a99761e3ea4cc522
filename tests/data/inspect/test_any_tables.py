"""Whatever tables hold: one clear error, or a schema that reads."""

from __future__ import annotations

import csv
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet
from hypothesis import given, settings
from hypothesis import strategies as st

from relwise.data.from_tables import read_tables
from relwise.data.inspect import propose, schema_text
from relwise.data.schema import read_schema
from relwise.data.sources import open_source
from relwise.errors import InputError

NAMES = (
    "id",
    "a_id",
    "b_id",
    "A",
    "name",
    "head",
    "tail",
    "date",
    "last_date",
    "lat",
    "lon",
    "v0",
    "v1",
    "v2",
    "parent",
)
names = st.sampled_from(NAMES) | st.text(max_size=6)
CELLS: tuple[st.SearchStrategy[Any], ...] = (
    st.sampled_from(["1", "2", "3", "4"]),
    st.sampled_from(["1", "2", "3", "4", ""]),
    st.sampled_from(["x", "y", "z", "é", '"q"', "a,b", "k|l", " "]),
    st.sampled_from(["2020-01-01", "2020-02-02", "2021-03-04T10:00", ""]),
    st.sampled_from(["1/2/2020", "3/4/2021", "12/31/1999", "now"]),
    st.sampled_from(["true", "false", "", "0", "nan", "inf", "1e400"]),
    st.floats(allow_nan=False).map(str),
    st.integers(-(10**20), 10**20).map(str),
    st.text(max_size=8),
)
TYPED: tuple[Any, ...] = (
    st.integers(-3, 9) | st.none(),
    st.floats() | st.none(),
    st.booleans(),
    st.dates() | st.none(),
    st.datetimes(),
    st.binary(max_size=3),
    st.text(max_size=5) | st.none(),
    st.lists(st.floats(), max_size=3),
    st.lists(st.sampled_from("abc"), max_size=3),
    st.dictionaries(st.just("k"), st.integers(0, 3), max_size=1),
    st.times(),
    st.none(),
)


@st.composite
def columns(draw: st.DrawFn, cells: tuple[Any, ...]) -> dict[str, list[Any]]:
    rows = draw(st.integers(0, 9))
    made = {}
    for name in draw(st.lists(names, min_size=1, max_size=5, unique=True)):
        counted = draw(st.booleans())
        numbers = list(map(str, range(1, rows + 1))) if cells is CELLS else list(range(rows))
        made[name] = numbers if counted else draw(st.lists(draw(st.sampled_from(cells)), min_size=rows, max_size=rows))
    return made


def holds(folder: Path) -> bool:
    """Whether a schema is proposed, which is then read."""
    source = open_source(folder)
    try:
        proposal = propose(source)
    except InputError:
        return False
    (folder / "schema.toml").write_text(schema_text(proposal, source.name), encoding="utf-8")
    schema = read_schema(folder / "schema.toml")
    assert list(schema.relations) == list(proposal.relations)
    graph = read_tables(folder / "schema.toml")
    counts = np.bincount(graph.edges.relations, minlength=graph.num_relations).tolist()
    assert counts == [relation.edges for relation in proposal.relations.values()]
    return True


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.sampled_from(["as", "bs", "a__to__b", "é t"]), columns(CELLS), min_size=1, max_size=4))
def test_csv_tables_of_any_kind(tables: dict[str, dict[str, list[str]]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for name, made in tables.items():
            with (Path(folder) / f"{name}.csv").open("w", newline="", encoding="utf-8", errors="replace") as file:
                writer = csv.writer(file, quoting=csv.QUOTE_ALL)
                writer.writerow(made)
                writer.writerows(zip(*made.values(), strict=True))
        holds(Path(folder))


@settings(max_examples=40, deadline=None)
@given(st.dictionaries(st.sampled_from(["as", "bs", "links"]), columns(TYPED), min_size=1, max_size=3))
def test_parquet_tables_of_any_kind(tables: dict[str, dict[str, list[Any]]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for name, made in tables.items():
            try:
                table = pa.table({column: pa.array(cells) for column, cells in made.items()})
                pa.parquet.write_table(table, Path(folder) / f"{name}.parquet")
            except (pa.ArrowException, UnicodeEncodeError, NotImplementedError):
                continue
        holds(Path(folder))


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_tables_that_relate(data: st.DataObject) -> None:
    """Keys and columns that refer to them, among columns of anything: they are found, and what is written is read."""
    with tempfile.TemporaryDirectory() as folder:
        ids = [f"{data.draw(names)}{i}" for i in range(data.draw(st.integers(3, 8)))]
        others = data.draw(columns(CELLS).filter(lambda made: not {"a_id", "id"} & set(made)))
        rows = data.draw(st.integers(4, 9))
        refers = [data.draw(st.sampled_from(ids)) if i > 2 else ids[i] for i in range(rows)]
        keys = {"id": [f"k{i}" for i in range(rows)], "a_id": refers}
        tables = {"as": {"id": ids}, "bs": keys}
        for made in tables.values():
            count = len(next(iter(made.values())))
            made.update({name: (cells * count)[:count] for name, cells in others.items() if cells})
        for name, made in tables.items():
            with (Path(folder) / f"{name}.csv").open("w", newline="", encoding="utf-8", errors="replace") as file:
                writer = csv.writer(file, quoting=csv.QUOTE_ALL)
                writer.writerow(made)
                writer.writerows(zip(*made.values(), strict=True))
        holds(Path(folder))
