"""A PostgreSQL database: ADBC reads the tables, SQLAlchemy the declared keys. Needs the extra `[sql]`.

All tables are read in one transaction, so that they fit each other while others write.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property
from typing import Any

import pyarrow as pa

from relwise.data.sources.base import ForeignKey
from relwise.data.sources.database import DatabaseSource, quoted
from relwise.data.sources.postgres_url import PostgresURL
from relwise.errors import InputError

_PLAIN = ("int2", "int4", "int8", "float4", "float8", "text", "varchar")
_AS_THEY_ARE = {*_PLAIN, *(f"_{kind}" for kind in _PLAIN), "bool", "date", "timestamp", "timestamptz"}
"""Types that Arrow has too, and lists of them. All others are read as text; a number with decimals as a float."""
_SET_UP = (
    "SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY",
    # The rows in the order in which they are stored, each time they are read.
    "SET synchronize_seqscans = off",
    "SET max_parallel_workers_per_gather = 0",
    "SET enable_indexscan = off",
    "SET enable_indexonlyscan = off",
    "SET enable_bitmapscan = off",
)
_COLUMNS = """
SELECT n.nspname, c.relname, a.attname,
       CASE WHEN t.typname = 'numeric' AND a.atttypmod > 4 AND ((a.atttypmod - 4) & 2047) > 0 THEN 'fraction'
            ELSE t.typname END
FROM pg_catalog.pg_attribute AS a
JOIN pg_catalog.pg_class AS c ON c.oid = a.attrelid
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_type AS t ON t.oid = a.atttypid
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition AND a.attnum > 0 AND NOT a.attisdropped
  AND n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema'
  AND has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT')
ORDER BY n.nspname, c.relname, a.attnum
"""
_INSTALL = "pip install 'relwise[sql]'"


class PostgresSource(DatabaseSource):
    """The tables and views that a user of a PostgreSQL database may read.

    Args:
        url: `postgresql://user@host:port/database`. The password may stand in it, or in the environment as
            `PGPASSWORD`; it is in no name, no error and no schema.
    """

    default_schema = "public"

    def __init__(self, url: str) -> None:
        self._url = PostgresURL.parse(url)
        self.name = self.address = self._url.shown
        try:
            import adbc_driver_manager
            from adbc_driver_postgresql import dbapi
        except ImportError:
            raise InputError("PostgreSQL needs the extra [sql]", where=self.name, remedy=_INSTALL) from None
        self._errors = (adbc_driver_manager.Error, pa.ArrowException, OSError)
        try:
            self._connection = dbapi.connect(self._url.full)
            with self._connection.cursor() as cursor:
                for statement in _SET_UP:
                    cursor.execute(statement)
            # What is set counts from the next transaction on.
            self._connection.commit()
        except self._errors as error:
            raise self._not_connected(error) from None

    def _list_columns(self) -> list[tuple[str, str, str, str]]:
        rows: list[tuple[str, str, str, str]] = []
        for batch in self._run(_COLUMNS, self.name):
            rows.extend(zip(*(column.to_pylist() for column in batch.columns), strict=True))
        return rows

    def foreign_keys(self) -> list[ForeignKey]:
        found = []
        for (schema, table), keys in self._declared("foreign").items():
            for key in sorted(keys, key=lambda key: str(key["name"])):
                of_schema = key["referred_schema"] or self.default_schema
                columns, of_columns = tuple(key["constrained_columns"]), tuple(key["referred_columns"])
                of_table = self._display(of_schema, key["referred_table"])
                if of_table in self._by_name:
                    found.append(ForeignKey(self._display(schema, table), columns, of_table, of_columns))
        return sorted(found, key=lambda key: (key.table, key.columns, key.of_table))

    def primary_key(self, table: str) -> tuple[str, ...]:
        declared = self._declared("primary").get(self._key(table))
        return tuple(declared["constrained_columns"]) if declared else ()

    def close(self) -> None:
        """Let go of the connection."""
        self._connection.close()

    def _expression(self, column: str, kind: str) -> str:
        if kind in _AS_THEY_ARE:
            return quoted(column)
        return f"{quoted(column)}::{'float8' if kind == 'fraction' else 'text'}"

    def _query(self, sql: str, table: str) -> Iterator[pa.RecordBatch]:
        return self._run(sql, self.place(table))

    def _run(self, sql: str, where: str) -> Iterator[pa.RecordBatch]:
        try:
            with self._connection.cursor() as cursor:
                cursor.execute(sql)
                yield from cursor.fetch_record_batch()
        except self._errors as error:
            self._connection.rollback()
            raise InputError(
                f"PostgreSQL cannot read it: {self._said(error)}", where=where, remedy="try it in psql"
            ) from None

    def _declared(self, which: str) -> dict[tuple[str, str], Any]:
        """Keys that the database declares, by schema and table."""
        return self._keys[which]

    @cached_property
    def _keys(self) -> dict[str, dict[tuple[str, str], Any]]:
        try:
            import psycopg
            import sqlalchemy
            import sqlalchemy.exc
        except ImportError:
            raise InputError("PostgreSQL needs the extra [sql]", where=self.name, remedy=_INSTALL) from None
        engine = sqlalchemy.create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(self._url.full))
        keys: dict[str, dict[tuple[str, str], Any]] = {"foreign": {}, "primary": {}}
        try:
            inspector = sqlalchemy.inspect(engine)
            for schema in sorted({schema for schema, _ in self._columns}):
                for (_, table), found in inspector.get_multi_foreign_keys(schema=schema).items():
                    keys["foreign"][schema, table] = found
                for (_, table), found in inspector.get_multi_pk_constraint(schema=schema).items():
                    keys["primary"][schema, table] = found
        except (sqlalchemy.exc.SQLAlchemyError, psycopg.Error) as error:
            raise self._not_connected(error) from None
        finally:
            engine.dispose()
        return keys

    def _not_connected(self, error: BaseException) -> InputError:
        """The error for a connection that was refused, in words that hold nothing of the password."""
        said = str(error)
        if re.search("password authentication failed|no password supplied|authentication failed", said):
            return InputError(
                "the server does not accept the user or the password",
                where=self.name,
                remedy="set PGPASSWORD in the environment (a schema keeps no password), and name the user in the URL",
            )
        if "Connection refused" in said:
            remedy = "start the server, or mend host and port"
            return InputError("the server refuses the connection", where=self.name, remedy=remedy)
        known = re.search(r'(database|role) "[^"]*" does not exist|could not translate host name|timeout expired', said)
        what = known[0] if known else self._said(error)
        return InputError(f"no connection: {self._url.hidden(what)}", where=self.name, remedy="mend the URL")

    def _said(self, error: BaseException) -> str:
        """What the driver said, in one line without the password."""
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        telling = [line for line in lines if re.search("ERROR|FATAL|error", line)] or lines or [type(error).__name__]
        return self._url.hidden(telling[0])[:300]
