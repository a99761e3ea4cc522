"""Tables from CSV and Parquet files, and where in the file a cell stands.

A CSV table's cells are strings and `""` is a missing value; nothing is guessed. A Parquet table keeps its
typed columns, as Arrow types, so that a null (missing) stays apart from a NaN (a mistake).
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from relwise.data.files import decode, read_bytes
from relwise.errors import InputError, nearest

_ROWS = "add rows, or leave the table out of the schema"


def read_table(path: str | Path) -> pd.DataFrame:
    """A table from a `.parquet` file or, with any other ending, from a CSV file (`.tsv`: with tabs).

    Raises:
        InputError: where the file is absent, empty, not UTF-8 or not a table: a header and rows of as many
        fields.
    """
    path = Path(path)
    return _read_parquet(path) if is_parquet(path) else _read_csv(path)


def is_parquet(path: str | Path) -> bool:
    return Path(path).suffix.lower() in (".parquet", ".pq")


def column_of(frame: pd.DataFrame, column: str, path: str | Path) -> pd.Series:
    """A table's column. Raises InputError, naming the nearest, where there is none of that name."""
    if column not in frame.columns:
        names = ", ".join(repr(str(name)) for name in frame.columns[:12])
        remedy = nearest(column, map(str, frame.columns)) or f"the columns are {names}"
        raise InputError(f"there is no column {column!r}", where=str(path), remedy=remedy)
    return cast(pd.Series, frame[column])


def cell(path: str | Path, row: int, column: str | None = None) -> str:
    """Where a cell stands, for an error: its line in a CSV file (the header is row 1), its Parquet row.

    Args:
        path: the table's file.
        row: the row's position in the table, from 0.
        column: the column's name, where one is to be named.
    """
    number = row + 1 if is_parquet(path) else _line_of(Path(path), row)
    return f"{path}, row {number}" + ("" if column is None else f", column '{column}'")


def _read_parquet(path: Path) -> pd.DataFrame:
    data = read_bytes(path)
    try:
        file = pyarrow.parquet.ParquetFile(pa.BufferReader(data))
        _check_names(file.schema_arrow.names, str(path))
        # Only what lies in the file: pandas' own metadata would hide a column as an index.
        frame = file.read().to_pandas(types_mapper=pd.ArrowDtype, ignore_metadata=True)
    except InputError:
        raise
    except (pa.ArrowException, OSError, ValueError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(
            f"cannot be read as Parquet: {reason}", where=str(path), remedy="write the file anew"
        ) from None
    if not len(frame):
        raise InputError("the table has no rows", where=str(path), remedy=_ROWS)
    return frame


def _read_csv(path: Path) -> pd.DataFrame:
    data = read_bytes(path)
    text = decode(data, path, "row")
    records = _records(text, path)
    header = next(records, (1, []))[1]
    _check_names(header, f"{path}, row 1")
    if next(records, None) is None:
        raise InputError("there is a header and no row below it", where=str(path), remedy=_ROWS)
    try:
        table = pyarrow.csv.read_csv(
            pa.BufferReader(data),
            # One block: a row, quoted line ends and all, is then never cut in two.
            read_options=pyarrow.csv.ReadOptions(use_threads=False, block_size=min(len(data) + 1, 2**31 - 1)),
            parse_options=pyarrow.csv.ParseOptions(delimiter=_delimiter(path), newlines_in_values=True),
            convert_options=pyarrow.csv.ConvertOptions(
                column_types=dict.fromkeys(header, pa.string()), strings_can_be_null=False, check_utf8=False
            ),
        )
    except pa.ArrowInvalid as error:
        raise _ragged(text, len(header), path, str(error).splitlines()[0]) from None
    return table.to_pandas()


def _delimiter(path: Path) -> str:
    return "\t" if path.suffix.lower() == ".tsv" else ","


def _check_names(names: list[str], where: str) -> None:
    for number, name in enumerate(names, 1):
        if name in names[: number - 1]:
            first = names.index(name) + 1
            raise InputError(
                f"columns {first} and {number} are both called {name!r}",
                where=where,
                remedy="rename one of them",
            )


def _ragged(text: str, width: int, path: Path, reason: str) -> InputError:
    """The error for a table that could not be parsed: its first row of another width than the header."""
    for line, record in _records(text, path):
        if len(record) != width:
            return InputError(
                f"{len(record)} field{'' if len(record) == 1 else 's'} where the header has {width}",
                where=f"{path}, row {line}",
                remedy="add the commas that are missing"
                if len(record) < width
                else 'put a value that holds a comma into quotes "..."',
            )
    return InputError(f"cannot be read as CSV: {reason}", where=str(path), remedy="mend the file's quotes")


def _records(text: str, path: Path) -> Iterator[tuple[int, list[str]]]:
    """Each record that is not a blank line, with the 1-based line on which it begins."""
    csv.field_size_limit(2**31 - 1)  # the default of 128 KiB is less than a long text
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(path), strict=True)
    line = 1
    try:
        for record in reader:
            if record:
                yield line, record
            line = reader.line_num + 1
    except csv.Error as error:
        raise InputError(
            f"cannot be read as CSV: {error}",
            where=f"{path}, row {line}",
            remedy="close every quote, and double the quotes inside a quoted value",
        ) from None


def _line_of(path: Path, row: int) -> int:
    # Read anew: only an error asks, and quoted line ends and blank lines make the line differ from the row.
    try:
        for position, (line, _) in enumerate(_records(decode(read_bytes(path), path), path)):
            if position == row + 1:
                return line
    except InputError:
        pass
    return row + 2
