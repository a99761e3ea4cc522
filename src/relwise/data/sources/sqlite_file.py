"""An SQLite file, read-only. A cell has a type there, not a column: a column of several kinds is refused."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pyarrow as pa

from relwise.data.sources.base import ForeignKey, first_line
from relwise.data.sources.database import DatabaseSource
from relwise.data.sources.python_cells import PythonCells
from relwise.errors import InputError

_ROWS = 1 << 16  # a batch's: as Python's values they take some ten times the room of Arrow's


class SQLiteSource(DatabaseSource):
    """The tables and views of an SQLite file.

    Args:
        path: the file.
        address: what a schema says of it.
    """

    default_schema = "main"

    def __init__(self, path: Path, address: str) -> None:
        self.name, self.address = str(path), address
        try:
            self._connection = sqlite3.connect(f"file:{quote(str(path.absolute()))}?mode=ro", uri=True)
        except sqlite3.Error as error:
            raise self._failed(error, self.name) from None

    def _list_columns(self) -> list[tuple[str, str, str, str]]:
        sql = (
            "SELECT 'main', m.name, c.name, c.type FROM sqlite_master AS m, pragma_table_xinfo(m.name) AS c "
            "WHERE m.type IN ('table', 'view') AND m.name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND c.hidden <> 1 "
            "ORDER BY m.name, c.cid"
        )
        return self._rows(sql)

    def foreign_keys(self) -> list[ForeignKey]:
        found = []
        for table in self.tables():
            keys: dict[int, list[tuple[str, str, str | None]]] = {}
            sql = 'SELECT id, "table", "from", "to" FROM pragma_foreign_key_list(?) ORDER BY id DESC, seq'
            for key, of_table, column, of_column in self._rows(sql, table):
                keys.setdefault(key, []).append((of_table, column, of_column))
            for parts in keys.values():
                # Names compare without case in SQLite.
                names = {name.lower(): name for name in self.tables()}
                of_table = names.get(parts[0][0].lower())
                if of_table is None:
                    continue
                columns = tuple(column for _, column, _ in parts)
                # A key that names no columns is one to the primary key.
                of_columns = tuple(of for _, _, of in parts if of is not None) or self.primary_key(of_table)
                found.append(ForeignKey(table, columns, of_table, of_columns))
        return found

    def primary_key(self, table: str) -> tuple[str, ...]:
        sql = "SELECT name FROM pragma_table_info(?) WHERE pk > 0 ORDER BY pk"
        return tuple(row[0] for row in self._rows(sql, self._key(table)[1]))

    def close(self) -> None:
        self._connection.close()

    def _rows(self, sql: str, *values: str) -> list[tuple]:
        try:
            return self._connection.execute(sql, values).fetchall()
        except sqlite3.Error as error:
            raise self._failed(error, self.name) from None

    def _query(self, sql: str, table: str) -> Iterator[pa.RecordBatch]:
        try:
            rows = self._connection.execute(sql)
            names = [column[0] for column in rows.description]
            cells = PythonCells(names, lambda row, column: self.where(table, row, column))
            while taken := rows.fetchmany(_ROWS):
                yield cells.batch(list(zip(*taken, strict=True)), len(taken))
        except sqlite3.Error as error:
            raise self._failed(error, self.place(table)) from None

    def _failed(self, error: BaseException, where: str) -> InputError:
        return InputError(f"SQLite cannot read it: {first_line(error)}", where=where, remedy="try it in sqlite3 itself")
