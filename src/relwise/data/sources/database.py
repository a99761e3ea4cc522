"""`DatabaseSource`: what all databases have in common, which is SQL."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from functools import cached_property

import pyarrow as pa

from relwise.data.sources.base import Source, check_names, no_table


class DatabaseSource(Source):
    """Tables and views of a database, each read by one SELECT of the columns wanted.

    A subclass says which columns the tables have and runs a query.
    """

    default_schema: str
    """The schema whose tables need no prefix."""

    @abstractmethod
    def _list_columns(self) -> list[tuple[str, str, str, str]]:
        """Schema, table, column and type of every column that can be read, in order."""

    @abstractmethod
    def _query(self, sql: str, table: str) -> Iterator[pa.RecordBatch]:
        """The rows of a query of that table, some at a time. Raises InputError where it fails."""

    def _expression(self, column: str, kind: str) -> str:
        """How SELECT names a column of that type."""
        return quoted(column)

    def _order(self, table: str) -> str:
        """What follows FROM, where a query needs it to give the rows in one order."""
        return ""

    @cached_property
    def _columns(self) -> dict[tuple[str, str], dict[str, str]]:
        """Each table's columns with their types, by schema and table."""
        found: dict[tuple[str, str], dict[str, str]] = {}
        for schema, table, column, kind in self._list_columns():
            found.setdefault((schema, table), {})[column] = kind
        return found

    @cached_property
    def _by_name(self) -> dict[str, tuple[str, str]]:
        """Schema and table by the name that a schema.toml gives it."""
        return {self._display(*key): key for key in self._columns}

    def tables(self) -> list[str]:
        return sorted(self._by_name)

    def columns(self, table: str) -> list[str]:
        return list(self._columns[self._key(table)])

    def batches(self, table: str, columns: Sequence[str] | None = None) -> Iterator[pa.RecordBatch]:
        names = self.columns(table) if columns is None else list(columns)
        self.check_columns(table, names)
        check_names(names, self.place(table))
        kinds = self._columns[self._key(table)]
        chosen = ", ".join(f"{self._expression(name, kinds[name])} AS {quoted(name)}" for name in names)
        return self._query(f"SELECT {chosen} FROM {self._from(table)}{self._order(table)}", table)

    def count(self, table: str) -> int:
        batches = list(self._query(f"SELECT count(*) AS n FROM {self._from(table)}", table))
        return int(batches[0].column(0)[0].as_py())

    def _key(self, table: str) -> tuple[str, str]:
        if table not in self._by_name:
            raise no_table(table, self.tables(), self.name)
        return self._by_name[table]

    def _from(self, table: str) -> str:
        schema, name = self._key(table)
        return f"{quoted(schema)}.{quoted(name)}"

    def _display(self, schema: str, table: str) -> str:
        return table if schema == self.default_schema else f"{schema}.{table}"


def quoted(name: str) -> str:
    """A name as SQL takes it, whatever it holds.

    >>> quoted('my "own" table')
    '"my ""own"" table"'
    """
    return '"' + name.replace('"', '""') + '"'
