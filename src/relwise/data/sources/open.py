"""Which kind of source a person named."""

from __future__ import annotations

import re
from pathlib import Path

from relwise.data.files import beside
from relwise.data.sources.base import Source
from relwise.data.sources.folder import FolderSource
from relwise.data.sources.postgres_url import is_postgres
from relwise.errors import InputError


def open_source(spec: str | Path, base: str | Path | None = None) -> Source:
    """The source that a person named.

    Args:
        spec: a folder, a DuckDB file, an SQLite file or a PostgreSQL URL.
        base: the folder that a relative path starts from; None: the current one.

    Raises:
        InputError: where it is none of these, or cannot be opened.
    """
    if is_postgres(spec):
        from relwise.data.sources.postgres import PostgresSource

        return PostgresSource(str(spec))
    if re.match(r"\w+(\+\w+)?://", str(spec)):
        raise InputError(
            f"{str(spec).partition(':')[0]} is no kind of source that can be read",
            remedy="give a folder, a DuckDB or SQLite file, or postgresql://user@host/database",
        )
    path = Path(spec) if base is None else Path(base) / spec
    if path.is_dir():
        return FolderSource(path, str(spec))
    try:
        with path.open("rb") as file:
            head = file.read(16)
    except FileNotFoundError:
        raise InputError("there is no such folder or file", where=str(path), remedy=beside(path)) from None
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise InputError(f"cannot be read: {reason}", where=str(path), remedy="mend its permissions") from None
    if head[8:12] == b"DUCK":
        from relwise.data.sources.duckdb_file import DuckDBSource

        return DuckDBSource(path, str(spec))
    if head == b"SQLite format 3\0":
        from relwise.data.sources.sqlite_file import SQLiteSource

        return SQLiteSource(path, str(spec))
    raise InputError(
        "this file is neither a DuckDB nor an SQLite database",
        where=str(path),
        remedy="give the folder that holds the tables, or a database",
    )
