from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from relwise.data.sources import open_source
from relwise.errors import InputError
from tests.data.sources.cases import DECLARED, SourceCase, sql_tables


class TestDuckDB(SourceCase):
    declared = sorted(DECLARED, key=lambda key: (key.table, key.columns[0] != "tailnum"))

    def make(self, folder: Path) -> str:
        with duckdb.connect(str(folder / "shop.duckdb")) as connection:
            for statement in sql_tables():
                connection.execute(statement)
        return "shop.duckdb"


def test_views_schemas_and_odd_names(tmp_path: Path) -> None:
    with duckdb.connect(str(tmp_path / "a.db")) as connection:
        connection.execute('CREATE SCHEMA old; CREATE TABLE old."my ""own"" table" ("a b" int); CREATE TABLE t (x int)')
        connection.execute('INSERT INTO old."my ""own"" table" VALUES (7); CREATE VIEW v AS SELECT 1 AS one')
    source = open_source(tmp_path / "a.db")
    assert source.tables() == ['old.my "own" table', "t", "v"]
    assert source.read('old.my "own" table')["a b"].tolist() == [7]
    assert source.read("v")["one"].tolist() == [1]
    assert source.read("t").shape == (0, 1)


def test_what_is_no_duckdb_file(tmp_path: Path) -> None:
    (tmp_path / "a.db").write_bytes(b"\0" * 8 + b"DUCK" + b"\0" * 100)
    with pytest.raises(InputError, match="DuckDB cannot open it") as caught:
        open_source(tmp_path / "a.db")
    assert caught.value.where == str(tmp_path / "a.db")


def test_a_view_of_what_is_gone(tmp_path: Path) -> None:
    with duckdb.connect(str(tmp_path / "a.db")) as connection:
        connection.execute("CREATE VIEW v AS SELECT * FROM (SELECT 1/0 AS x, error('gone') AS y)")
    with pytest.raises(InputError, match="table 'v': DuckDB cannot read it"):
        open_source(tmp_path / "a.db").read("v")
