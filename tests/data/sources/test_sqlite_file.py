from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from relwise.data.sources import ForeignKey, open_source
from relwise.errors import InputError
from tests.data.sources.cases import DECLARED, SourceCase, sql_tables


class TestSQLite(SourceCase):
    declared = sorted(DECLARED, key=lambda key: (key.table, key.columns[0] != "tailnum"))

    def make(self, folder: Path) -> str:
        _make(folder / "shop.sqlite", sql_tables())
        return "shop.sqlite"


def _make(path: Path, statements: list[str]) -> None:
    connection = sqlite3.connect(path)
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()


def test_a_column_of_several_kinds(tmp_path: Path) -> None:
    rows = ["(1)", "('')", "(NULL)", "(2.5)", "('many')"]
    _make(tmp_path / "a.db", ["CREATE TABLE t (x)", *(f"INSERT INTO t VALUES {row}" for row in rows)])
    source = open_source(tmp_path / "a.db")
    with pytest.raises(InputError) as caught:
        source.read("t")
    assert caught.value.where == f"{tmp_path}/a.db, table 't', row 5, column 'x'"
    assert caught.value.what == "'many' is text, and in row 1 the column holds a number"
    assert "one kind of value" in str(caught.value.remedy)
    _make(tmp_path / "a.db", ["DELETE FROM t WHERE x = 'many'"])
    # Text that is blank is a missing number.
    assert open_source(tmp_path / "a.db").read("t")["x"].fillna(-1).tolist() == [1, -1, -1, 2.5]


def test_keys_without_columns_and_without_case(tmp_path: Path) -> None:
    made = "CREATE TABLE Two (a, b, PRIMARY KEY (b, a))"
    uses = "CREATE TABLE one (x, y, z REFERENCES gone(a), FOREIGN KEY (x, y) REFERENCES TWO)"
    _make(tmp_path / "a.db", [made, uses, "CREATE VIEW v AS SELECT x FROM one"])
    source = open_source(tmp_path / "a.db")
    assert source.foreign_keys() == [ForeignKey("one", ("x", "y"), "Two", ("b", "a"))]
    assert source.tables() == ["Two", "one", "v"]


def test_it_is_not_written(tmp_path: Path) -> None:
    _make(tmp_path / "a.db", ["CREATE TABLE t (x)"])
    before = (tmp_path / "a.db").read_bytes()
    assert open_source(tmp_path / "a.db").count("t") == 0
    assert (tmp_path / "a.db").read_bytes() == before


def test_a_damaged_file(tmp_path: Path) -> None:
    _make(tmp_path / "a.db", ["CREATE TABLE t (x)", "INSERT INTO t VALUES ('a')"])
    whole = (tmp_path / "a.db").read_bytes()
    (tmp_path / "a.db").write_bytes(whole[:100] + b"\xff" * (len(whole) - 100))
    with pytest.raises(InputError, match="SQLite cannot read it"):
        open_source(tmp_path / "a.db").tables()


def test_bytes_that_are_not_text(tmp_path: Path) -> None:
    _make(tmp_path / "a.db", ["CREATE TABLE t (x TEXT)", "INSERT INTO t VALUES (CAST(x'ff' AS TEXT))"])
    with pytest.raises(InputError, match="table 't': SQLite cannot read it"):
        open_source(tmp_path / "a.db").read("t")
