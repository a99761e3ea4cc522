"""What every kind of source promises: `SourceCase`, and the tables that it is tried on."""

from __future__ import annotations

from abc import ABC, abstractmethod
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from relwise.data.read import read
from relwise.data.sources import ForeignKey, Source, open_source
from relwise.errors import InputError
from tests.compare import assert_same_graph
from tests.data.folders import SCHEMA, SHOP, write_folder

TABLES: dict[str, dict[str, list[Any]]] = {
    "planes": {
        "tailnum": ["N1", "N2", "N3"],
        "model": ["A1", None, "B2"],
        "year": [1999, None, 2001],
        "maker": ["BOEING", None, "AIRBUS"],
        "n_seats": [None, 5, 6],
    },
    "airports": {"faa": ["JFK", "LAX", "SFO"], "lat": [40.6, None, 37.6], "lon": [-73.8, None, -122.4]},
    "visits": {
        "tailnum": ["N1", "N2", "N3", "N3"],
        "dest": ["JFK", "JFK", "SFO", "LAX"],
        "first": [date(2013, 1, 1), date(2013, 3, 1), None, date(2013, 5, 1)],
        "route": ["r1", "r2", "r1", "r2"],
    },
    "near": {"a": ["JFK", "LAX"], "b": ["SFO", "SFO"]},
}
"""The tables of `folders.SHOP`, typed."""

KINDS = {"year": "integer", "n_seats": "integer", "lat": "double precision", "lon": "double precision", "first": "date"}


def sql_tables() -> list[str]:
    """The statements that make `TABLES`, their keys declared."""
    keys = {"planes": "tailnum", "airports": "faa"}
    of = {("visits", "tailnum"): "planes", ("visits", "dest"): "airports", ("near", "a"): "airports"}
    statements = []
    for table, columns in TABLES.items():
        parts = [
            f"{column} {KINDS.get(column, 'varchar(40)')}"
            + (" PRIMARY KEY" if keys.get(table) == column else "")
            + (f" REFERENCES {of[table, column]}({keys[of[table, column]]})" if (table, column) in of else "")
            for column in columns
        ]
        statements.append(f"CREATE TABLE {table} ({', '.join(parts)})")
        for row in zip(*columns.values(), strict=True):
            cells = ", ".join("NULL" if c is None else f"'{c}'" if isinstance(c, str | date) else str(c) for c in row)
            statements.append(f"INSERT INTO {table} VALUES ({cells})")
    return statements


class SourceCase(ABC):
    """A subclass writes `TABLES` as its kind of source."""

    declared: list[ForeignKey] = []  # noqa: RUF012
    suffix = ""

    @abstractmethod
    def make(self, folder: Path) -> str:
        """Write the source and say how a schema in that folder names it."""

    @pytest.fixture
    def spec(self, tmp_path: Path) -> str:
        return self.make(tmp_path)

    @pytest.fixture
    def source(self, spec: str, tmp_path: Path) -> Source:
        return open_source(spec, tmp_path)

    def test_the_graph_is_that_of_the_csv_files(self, spec: str, tmp_path: Path) -> None:
        schema = f'source = "{spec}"\n{SCHEMA}'.replace(".csv", self.suffix)
        (tmp_path / "schema.toml").write_text(schema)
        assert_same_graph(read(write_folder(tmp_path / "csv", SHOP)), read(tmp_path / "schema.toml"))

    def test_tables_columns_and_counts(self, source: Source) -> None:
        names = sorted(f"{name}{self.suffix}" for name in TABLES)
        assert [name for name in source.tables() if name in names] == names
        for name, columns in TABLES.items():
            assert source.columns(name + self.suffix) == list(columns)
            assert source.count(name + self.suffix) == len(next(iter(columns.values())))

    def test_columns_are_read_in_the_order_wanted(self, source: Source) -> None:
        frame = source.read("visits" + self.suffix, ["route", "tailnum"])
        assert list(frame.columns) == ["route", "tailnum"]
        assert frame["route"].tolist() == ["r1", "r2", "r1", "r2"]
        assert source.sample("visits" + self.suffix, 3)["tailnum"].tolist() == ["N1", "N2", "N3"]
        assert len(source.sample("visits" + self.suffix, 99)) == 4

    def test_batches_are_record_batches(self, source: Source) -> None:
        batches = list(source.batches("near" + self.suffix, ["b"]))
        assert all(isinstance(batch, pa.RecordBatch) and batch.schema.names == ["b"] for batch in batches)

    def test_what_is_declared(self, source: Source) -> None:
        assert source.foreign_keys() == self.declared
        assert source.primary_key("planes" + self.suffix) == (("tailnum",) if self.declared else ())

    def test_what_is_not_there(self, source: Source) -> None:
        with pytest.raises(InputError, match="there is no column 'dst'; did you mean 'dest'"):
            source.read("visits" + self.suffix, ["dst"])
        with pytest.raises(InputError, match=r"there is no .*did you mean"):
            source.read("visit" + self.suffix)

    def test_a_table_that_vanished(self, spec: str, tmp_path: Path) -> None:
        schema = f'source = "{spec}"\n{SCHEMA}'.replace("near.csv", "nearer.csv").replace(".csv", self.suffix)
        (tmp_path / "schema.toml").write_text(schema)
        with pytest.raises(InputError, match=r"there is no (such file|table)") as caught:
            read(tmp_path)
        assert caught.value.remedy

    def test_where_a_cell_is(self, source: Source) -> None:
        table = "visits" + self.suffix
        assert source.where(table, 1, "dest").startswith(source.place(table) + ", ")
        assert source.where(table, 1, "dest").endswith(", column 'dest'")
        assert source.where(table) == source.place(table)
        assert source.name in source.place(table)


DECLARED = [
    ForeignKey("near", ("a",), "airports", ("faa",)),
    ForeignKey("visits", ("dest",), "airports", ("faa",)),
    ForeignKey("visits", ("tailnum",), "planes", ("tailnum",)),
]
