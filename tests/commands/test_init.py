"""`relwise init`: what it prints, where it writes, and what it refuses."""

from __future__ import annotations

import gc
import os
from pathlib import Path
from urllib.parse import urlsplit

import duckdb
import pytest

from relwise.data.read import read
from relwise.data.schema import read_schema
from tests.command import here
from tests.data.inspect.shop import EDGES, declared_tables, edge_counts, shop_tables, write_tables


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    return write_tables(tmp_path / "shop", shop_tables())


def test_a_folder_gets_its_schema(shop: Path) -> None:
    ran = here("init", shop)
    assert ran.code == 0
    assert edge_counts(read(shop)) == EDGES
    assert read_schema(shop / "schema.toml").source is None
    for told in ("node type", "ship_via", "content", "100 %", "values in the key", "left out: phone", "66.7 %"):
        assert told in ran.out
    assert "not used: Settings.csv" in ran.out
    assert f"written to {shop / 'schema.toml'}" in ran.err
    assert not list(shop.glob("*.part"))


def test_a_schema_that_is_there_is_never_written_over(shop: Path) -> None:
    assert here("init", shop).code == 0
    before = (shop / "schema.toml").read_bytes()
    ran = here("init", shop)
    assert ran.code == 2
    assert ran.err == (
        f"relwise: {shop / 'schema.toml'}: there is a schema already; name another --out, or delete it\n"
    )
    assert (shop / "schema.toml").read_bytes() == before


@pytest.mark.parametrize("out", ["elsewhere", "made/on/the/way", "other.toml"])
def test_out_says_where_it_goes(shop: Path, tmp_path: Path, out: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert here("init", "shop", "--out", out).code == 0
    file = Path(out) if out.endswith(".toml") else Path(out) / "schema.toml"
    # The way from the schema to its tables holds wherever one stands.
    monkeypatch.chdir(tmp_path.parent)
    assert edge_counts(read(tmp_path / file)) == EDGES
    assert not (shop / "schema.toml").exists()


def test_a_database_gets_its_schema_beside_it(tmp_path: Path) -> None:
    base = duckdb.connect(str(tmp_path / "shop.duckdb"))
    for file in write_tables(tmp_path / "files", shop_tables()).iterdir():
        base.execute(f"CREATE TABLE {file.stem} AS SELECT * FROM read_csv('{file}', all_varchar = true)")
    base.close()
    assert here("init", tmp_path / "shop.duckdb").code == 0
    assert edge_counts(read(tmp_path)) == EDGES


def test_what_cannot_be_proposed_is_one_line(tmp_path: Path) -> None:
    ran = here("init", tmp_path)
    assert ran.code == 2
    assert ran.err.startswith(f"relwise: {tmp_path}: there is no table; ")
    assert ran.err.count("\n") == 1
    ran = here("init", tmp_path / "absent")
    assert (ran.code, ran.err.count("\n")) == (2, 1)
    write_tables(tmp_path / "one", {"Shippers": shop_tables()["Shippers"]})
    ran = here("init", tmp_path / "one")
    assert ran.code == 2
    assert "its one table relates nothing; a column was looked for" in ran.err
    assert list((tmp_path / "one").iterdir()) == [tmp_path / "one" / "Shippers.csv"]


def test_a_place_that_cannot_be_written(shop: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    ran = here("init", shop, "--out", tmp_path / "file" / "below")
    assert ran.code == 2
    assert "cannot be written" in ran.err
    assert ran.err.count("\n") == 1


def test_what_is_proposed_trains_with_no_edit(shop: Path, tmp_path: Path) -> None:
    assert here("init", shop).code == 0
    ran = here("train", shop, "--out", tmp_path / "run", "--set", "steps=20", "--set", "dim=8", "--set", "eval_every=5")
    assert ran.code == 0, ran.err
    assert "network" in ran.out


@pytest.mark.skipif("RELWISE_TEST_POSTGRES" not in os.environ, reason="needs a PostgreSQL server")
def test_a_server_gets_its_schema_here_and_keeps_its_password(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import psycopg

    url = os.environ["RELWISE_TEST_POSTGRES"]
    password = urlsplit(url).password
    assert password
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
        for (name, rows), (create, values) in zip(shop_tables().items(), declared_tables(), strict=True):
            connection.execute(create.partition(", FOREIGN")[0] + ")" * (", FOREIGN" in create))
            for row in values:
                connection.execute(f'INSERT INTO "{name}" VALUES ({", ".join(["%s"] * len(rows[0]))})', row)
        monkeypatch.chdir(tmp_path)
        ran = here("init", url)
        assert ran.code == 0, ran.err
        text = (tmp_path / "schema.toml").read_text(encoding="utf-8")
        assert password not in ran.out + ran.err + text
        monkeypatch.setenv("PGPASSWORD", password)
        assert edge_counts(read(tmp_path)) == EDGES
        gc.collect()  # what read the tables lets go of them
        connection.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
