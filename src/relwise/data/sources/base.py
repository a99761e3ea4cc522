"""`Source`: where tables come from, be it a folder of files or a database."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pandas as pd
import pyarrow as pa

from relwise.errors import InputError, nearest


@dataclass(frozen=True)
class ForeignKey:
    """Columns of a table that name a row of another table, as the source itself declares it."""

    table: str
    columns: tuple[str, ...]
    of_table: str
    of_columns: tuple[str, ...]


class Source(ABC):
    """Tables to read, in a stable order of rows.

    A subclass knows one kind of place: its methods `tables`, `columns`, `batches` and `row_name`, and what it may
    declare of keys. A cell that is missing is null, or, where `typed` is False, an empty string.
    """

    name: str
    """What errors and people call it; a password is never in it."""

    address: str
    """What a `schema.toml` says of it, from which `open_source` opens it again; a password is never in it."""

    typed: bool = True
    """Whether columns have types of their own (else every cell is a string)."""

    @abstractmethod
    def tables(self) -> list[str]:
        """The names of its tables, sorted."""

    @abstractmethod
    def columns(self, table: str) -> list[str]:
        """A table's columns. Raises InputError, naming the nearest, where there is no such table."""

    @abstractmethod
    def batches(self, table: str, columns: Sequence[str] | None = None) -> Iterator[pa.RecordBatch]:
        """The rows of a table, some at a time, so that a table larger than memory can be read.

        Args:
            table: its name.
            columns: the columns wanted, in the order wanted; None: all.
        """

    def row_name(self, table: str, row: int) -> str:
        """How a person finds the row at position `row` (from 0): `"row 3"`, and where it helps, more."""
        return f"row {row + 1}"

    def count(self, table: str) -> int:
        """How many rows a table has."""
        first = self.columns(table)[:1]
        return sum(batch.num_rows for batch in self.batches(table, first))

    def is_typed(self, table: str) -> bool:
        """Whether this table's columns have types of their own (a folder may hold tables of both kinds)."""
        return self.typed

    def foreign_keys(self) -> list[ForeignKey]:
        """The foreign keys that the source declares; files declare none."""
        return []

    def primary_key(self, table: str) -> tuple[str, ...]:
        """The columns that the source declares to be the table's key; empty where it declares none."""
        return ()

    def place(self, table: str) -> str:
        """What errors call a table."""
        return f"{self.name}, table '{table}'"

    def where(self, table: str, row: int | None = None, column: str | None = None) -> str:
        """Where a cell stands, for an error.

        Args:
            table: the table.
            row: the row's position in the table, from 0; None: the table or the column as a whole.
            column: the column, where one is to be named.
        """
        at_row = "" if row is None else f", {self.row_name(table, row)}"
        return f"{self.place(table)}{at_row}" + ("" if column is None else f", column '{column}'")

    def read(self, table: str, columns: Sequence[str] | None = None) -> pd.DataFrame:
        """A whole table, or its columns wanted, in memory: strings, or pandas' Arrow types where it is typed."""
        return self.frame(table, list(self.batches(table, columns)), columns)

    def sample(self, table: str, rows: int) -> pd.DataFrame:
        """The first rows of a table, at most `rows`."""
        taken, count = [], 0
        batches = self.batches(table)
        for batch in batches:
            taken.append(batch.slice(0, rows - count))
            count += taken[-1].num_rows
            if count >= rows:
                break
        return self.frame(table, taken, None)

    def check_columns(self, table: str, columns: Sequence[str]) -> None:
        """Raises InputError, naming the nearest, where the table lacks a column."""
        known = self.columns(table)
        for column in columns:
            if column not in known:
                raise no_column(column, known, self.place(table))

    def frame(self, table: str, batches: list[pa.RecordBatch], columns: Sequence[str] | None = None) -> pd.DataFrame:
        """Batches of a table as pandas has them."""
        if not batches:
            names = self.columns(table) if columns is None else columns
            return pd.DataFrame({name: pd.Series(dtype=pd.ArrowDtype(pa.string())) for name in names})
        try:
            whole = pa.concat_tables(
                [pa.Table.from_batches([batch]) for batch in batches], promote_options="permissive"
            )
        except pa.ArrowException as error:
            raise InputError(
                f"a column's type changes: {first_line(error)}",
                where=self.place(table),
                remedy="write one type in each column",
            ) from None
        # Only what lies in the table: pandas' own metadata would hide a column as an index.
        return whole.to_pandas(types_mapper=pd.ArrowDtype if self.is_typed(table) else None, ignore_metadata=True)


def no_column(column: str, known: Sequence[str], where: str) -> InputError:
    """The error for a column that a table does not have."""
    names = ", ".join(repr(str(name)) for name in known[:12])
    remedy = nearest(column, map(str, known)) or f"the columns are {names}"
    return InputError(f"there is no column {column!r}", where=where, remedy=remedy)


def no_table(table: str, known: Sequence[str], where: str) -> InputError:
    """The error for a table that a database does not have."""
    names = f"the tables are {', '.join(known[:12])}{', ...' if len(known) > 12 else ''}" if known else "it has none"
    return InputError(f"there is no table {table!r}", where=where, remedy=nearest(table, known) or names)


def check_names(names: Sequence[str], where: str) -> None:
    """Raises InputError where two columns have one name."""
    seen: dict[str, int] = {}
    for number, name in enumerate(names, 1):
        if name in seen:
            raise InputError(
                f"columns {seen[name]} and {number} are both called {name!r}", where=where, remedy="rename one of them"
            )
        seen[name] = number


def first_line(error: BaseException) -> str:
    """What an exception says, in one line."""
    return str(error).splitlines()[0] if str(error).strip() else type(error).__name__
