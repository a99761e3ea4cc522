"""A DuckDB file, read-only. Its columns keep their types."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pyarrow as pa

from relwise.data.sources.base import ForeignKey, first_line
from relwise.data.sources.database import DatabaseSource
from relwise.data.sources.table_file import BATCH_ROWS
from relwise.errors import InputError


class DuckDBSource(DatabaseSource):
    """The tables and views of a DuckDB file.

    Args:
        path: the file.
        address: what a schema says of it.
    """

    default_schema = "main"

    def __init__(self, path: Path, address: str) -> None:
        self.name, self.address = str(path), address
        try:
            self._connection = duckdb.connect(str(path), read_only=True)
        except duckdb.Error as error:
            raise InputError(
                f"DuckDB cannot open it: {first_line(error)}",
                where=self.name,
                remedy="close the program that writes it, or write it with a DuckDB of this version",
            ) from None

    def _list_columns(self) -> list[tuple[str, str, str, str]]:
        sql = (
            "SELECT schema_name, table_name, column_name, data_type FROM duckdb_columns() "
            "WHERE NOT internal AND database_name = current_database() "
            "ORDER BY schema_name, table_name, column_index"
        )
        return self._rows(sql)

    def foreign_keys(self) -> list[ForeignKey]:
        sql = (
            "SELECT schema_name, table_name, constraint_column_names, referenced_table, referenced_column_names "
            "FROM duckdb_constraints() WHERE constraint_type = 'FOREIGN KEY' AND database_name = current_database() "
            "ORDER BY schema_name, table_name, constraint_index"
        )
        return [
            ForeignKey(self._display(schema, table), tuple(columns), self._display(schema, of_table), tuple(of_columns))
            for schema, table, columns, of_table, of_columns in self._rows(sql)
        ]

    def primary_key(self, table: str) -> tuple[str, ...]:
        sql = (
            "SELECT constraint_column_names FROM duckdb_constraints() WHERE constraint_type = 'PRIMARY KEY' "
            "AND database_name = current_database() AND schema_name = ? AND table_name = ?"
        )
        found = self._rows(sql, list(self._key(table)))
        return tuple(found[0][0]) if found else ()

    def close(self) -> None:
        self._connection.close()

    def _rows(self, sql: str, values: list[str] | None = None) -> list[tuple]:
        try:
            return self._connection.execute(sql, values).fetchall()
        except duckdb.Error as error:
            raise self._failed(error, self.name) from None

    def _query(self, sql: str, table: str) -> Iterator[pa.RecordBatch]:
        try:
            # A cursor of its own: two tables may be read by turns.
            yield from self._connection.cursor().sql(sql).to_arrow_reader(BATCH_ROWS)
        except (duckdb.Error, pa.ArrowException, OSError) as error:
            raise self._failed(error, self.place(table)) from None

    def _failed(self, error: BaseException, where: str) -> InputError:
        return InputError(f"DuckDB cannot read it: {first_line(error)}", where=where, remedy="try it in DuckDB itself")
