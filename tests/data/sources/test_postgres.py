"""Against a real server where `RELWISE_TEST_POSTGRES` holds the URL of an empty database (`.ci/postgres` makes one)."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest

from relwise.data.read import read
from relwise.data.sources import ForeignKey, Source, open_source
from relwise.errors import InputError
from tests.data.folders import SCHEMA
from tests.data.sources.cases import DECLARED, SourceCase, sql_tables

URL = os.environ.get("RELWISE_TEST_POSTGRES", "")
server = pytest.mark.skipif(not URL, reason="needs a PostgreSQL server: set RELWISE_TEST_POSTGRES to its URL")
OTHERS = """
CREATE SCHEMA old;
CREATE TABLE airports_too (id bigint PRIMARY KEY);
INSERT INTO airports_too VALUES (1);
CREATE TYPE mood AS ENUM ('good', 'bad');
CREATE TABLE old."my ""own"" table" (id bigint REFERENCES airports_too, "a b" numeric(8, 2));
INSERT INTO old."my ""own"" table" VALUES (1, 3.5), (NULL, NULL);
CREATE TABLE every (i smallint, n numeric(10, 0), f numeric(6, 3), m mood, u uuid, t timestamptz, d date, c char(5),
                    l text[], j json, b boolean, v interval);
INSERT INTO every VALUES (1, 12, 1.5, 'bad', '00000000-0000-0000-0000-000000000001', '2020-01-01 12:00+02',
                          '2020-02-03', 'ab', ARRAY['x', 'y'], '{"a": 1}', true, '1 day');
CREATE VIEW seen AS SELECT i FROM every;
CREATE TABLE parts (k int, x int) PARTITION BY RANGE (k);
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (0) TO (9);
INSERT INTO parts VALUES (1, 2);
"""


@pytest.fixture(scope="module")
def database() -> Iterator[str]:
    """The URL of the server's database with the tables in it, which are dropped in the end."""
    import psycopg

    with psycopg.connect(URL, autocommit=True) as connection:
        clear = "DROP SCHEMA IF EXISTS old CASCADE; DROP SCHEMA public CASCADE; CREATE SCHEMA public"
        connection.execute(clear)
        for statement in sql_tables():
            connection.execute(statement)
        connection.execute(OTHERS)
        yield URL
        connection.execute(clear)


@server
class TestPostgres(SourceCase):
    @pytest.fixture
    def spec(self, database: str) -> str:
        return database

    def make(self, folder: Path) -> str:
        raise AssertionError

    def test_what_is_declared(self, source: Source) -> None:
        own = [ForeignKey('old.my "own" table', ("id",), "airports_too", ("id",))]
        assert source.foreign_keys() == [DECLARED[0], *own, *DECLARED[1:]]
        assert source.primary_key("planes") == ("tailnum",)
        assert source.primary_key("visits") == ()


@server
def test_every_type(database: str) -> None:
    source = open_source(database)
    assert {"every", "seen", "parts", 'old.my "own" table'} <= set(source.tables())
    assert "parts_1" not in source.tables()
    row = source.read("every").iloc[0].to_dict()
    assert {key: str(value) for key, value in row.items()} == {
        "i": "1",
        "n": "12",
        "f": "1.5",
        "m": "bad",
        "u": "00000000-0000-0000-0000-000000000001",
        "t": "2020-01-01 10:00:00+00:00",
        "d": "2020-02-03",
        "c": "ab",
        "l": "['x', 'y']",
        "j": '{"a": 1}',
        "b": "True",
        "v": "1 day",
    }
    assert source.read('old.my "own" table')["a b"].tolist()[0] == 3.5
    assert source.read("parts")["x"].tolist() == [2]


@server
def test_the_password_may_come_from_the_environment(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = open_source(database)
    password = str(urlsplit(database).password)
    assert password not in source.address
    (tmp_path / "schema.toml").write_text(f'source = "{source.address}"\n{SCHEMA.replace(".csv", "")}')
    monkeypatch.setenv("PGPASSWORD", password)
    assert len(read(tmp_path).edges) == 10
    monkeypatch.delenv("PGPASSWORD")
    with pytest.raises(InputError) as caught:
        read(tmp_path)
    assert "does not accept the user or the password" in caught.value.what
    assert "PGPASSWORD" in str(caught.value.remedy)


@server
def test_a_table_that_goes_while_it_is_read(database: str) -> None:
    import psycopg

    source = open_source(database)
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("CREATE TABLE brief (x int)")
        late = open_source(database)
        assert "brief" in late.tables()
        late.close()
        again = open_source(database)
        again.tables()
        again._connection.rollback()
        connection.execute("DROP TABLE brief")
    with pytest.raises(InputError, match=r"table 'brief': PostgreSQL cannot read it: .*does not exist"):
        again.read("brief")
    assert source.read("near")["a"].tolist() == ["JFK", "LAX"]


def _with(url: str, **changes: str) -> str:
    """The URL with another user, password, host, port or path."""
    split = urlsplit(url)
    user, password = changes.get("user", split.username), changes.get("password", split.password)
    place = f"{changes.get('host', split.hostname)}:{changes.get('port', split.port)}"
    return urlunsplit((split.scheme, f"{user}:{password}@{place}", changes.get("path", split.path), "", ""))


@server
@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"password": "wr0ng-secret"}, "does not accept the user or the password"),
        ({"password": "wr0ng@sec/ret?#"}, "does not accept the user or the password"),
        ({"user": "nobody", "password": "wr0ng-secret"}, "does not accept the user or the password"),
        ({"path": "/nothing"}, 'database "nothing" does not exist'),
        ({"host": "no-such-host.invalid"}, "no connection"),
    ],
)
def test_what_the_server_refuses(database: str, changes: dict[str, str], what: str) -> None:
    _refused(_with(database, **changes), what)


def _refused(url: str, what: str) -> None:
    password = url.partition("://")[2].rpartition("@")[0].partition(":")[2]
    with pytest.raises(InputError) as caught:
        open_source(url)
    error = caught.value
    assert what in error.what
    assert error.remedy
    assert "\n" not in str(error)
    assert password not in str(error)
    assert error.__cause__ is None
    assert error.__suppress_context__


def test_a_connection_that_is_refused() -> None:
    pytest.importorskip("adbc_driver_postgresql")
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
        _refused(f"postgresql://me:se-cr3t@127.0.0.1:{port}/shop", "the server refuses the connection")


def test_without_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "adbc_driver_postgresql", None)
    with pytest.raises(InputError, match=r"PostgreSQL needs the extra \[sql\]; pip install 'relwise\[sql\]'") as caught:
        open_source("postgresql://me:secret@127.0.0.1/shop")
    assert "secret" not in str(caught.value)
