"""One table from a file, and where in it a cell stands.

A CSV table's cells are strings and `""` is a missing value; nothing is guessed. A Parquet or JSON Lines table keeps
its types, as Arrow types, so that a null (missing) stays apart from a NaN (a mistake).
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import cast

import pandas as pd

from relwise.data.sources.base import Source, no_column
from relwise.data.sources.folder import FolderSource, table_file
from relwise.errors import InputError

Where = str | Path | Callable[[int | None, str | None], str]
"""A table's place: its file, or what tells the place of a cell from its row (from 0) and column."""


def read_table(path: str | Path) -> pd.DataFrame:
    """A table from a `.parquet`, `.jsonl` or `.tsv` file or, with any other ending, from a CSV file.

    Raises:
        InputError: where the file is absent, empty, not UTF-8 or not a table: a header and rows of as many
        fields.
    """
    path = Path(path)
    source = FolderSource(path.parent)
    frame = source.read(path.name)
    check_rows(source, path.name, len(frame))
    return frame


def check_rows(source: Source, table: str, count: int) -> None:
    """Raises InputError where a table has no rows."""
    if not count:
        what = "the table has no rows" if source.is_typed(table) else "there is a header and no row below it"
        raise InputError(what, where=source.place(table), remedy="add rows, or leave the table out of the schema")


def is_parquet(path: str | Path) -> bool:
    return Path(path).suffix.lower() in (".parquet", ".pq")


def column_of(frame: pd.DataFrame, column: str, where: Where) -> pd.Series:
    """A table's column. Raises InputError, naming the nearest, where there is none of that name."""
    if column not in frame.columns:
        raise no_column(column, list(frame.columns), cell(where))
    return cast(pd.Series, frame[column])


def cell(where: Where, row: int | None = None, column: str | None = None) -> str:
    """Where a cell stands, for an error: its line in a CSV file (the header is row 1), its row elsewhere.

    Args:
        where: the table's place.
        row: the row's position in the table, from 0.
        column: the column's name, where one is to be named.
    """
    if callable(where):
        return where(row, column)
    at_row = "" if row is None else f", {table_file(where).row_name(row)}"
    return f"{where}{at_row}" + ("" if column is None else f", column '{column}'")
