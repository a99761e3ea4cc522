"""Rows given in Python, as a DataFrame or a list of dicts, and their columns in the plain form of a modality.

Cells are checked as a table's are (`relwise.data.columns`). They may also be Python's own values: numbers, dates,
`(latitude, longitude)` for a place, a list of numbers for a vector, a list of words for several categories. None, NaN
and a key that a dict lacks are missing values. Errors name the row, from 0 as Python counts, and the column.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from relwise.data.columns import convert
from relwise.data.graph import Modality
from relwise.errors import InputError, nearest

Rows = pd.DataFrame | Iterable[Mapping[str, object]]
_ODD = (pa.ArrowException, ArithmeticError, TypeError, UnicodeError)
"""What Arrow raises at values that do not go together, at large integers, at objects, at half a surrogate pair; and
pandas at a signalling NaN."""


@dataclass(frozen=True, eq=False)
class RowTable:
    """Rows by column.

    Args:
        where: what the rows are, for an error.
        count: how many there are.
        columns: the cells of each column.
    """

    where: str
    count: int
    columns: Mapping[str, Sequence[Any]]

    @staticmethod
    def of(rows: Rows, where: str, needed: Sequence[str], optional: Sequence[str]) -> RowTable:
        """Rows of known columns. Raises InputError where one is unknown, or a needed one is missing."""
        if isinstance(rows, pd.DataFrame):
            names = [str(name) for name in rows.columns]
            twice = [name for i, name in enumerate(names) if name in names[:i]]
            if twice:
                raise InputError(f"two columns are named {twice[0]!r}", where=where, remedy="keep one of them")
            count = len(rows)
            columns = {name: list(rows.iloc[:, i]) for i, name in enumerate(names)}
        else:
            listed: list[Any] = list(rows) if isinstance(rows, Iterable) and not isinstance(rows, str) else [rows]
            for i, row in enumerate(listed):
                if not isinstance(row, Mapping):
                    remedy = f'give dicts like {{"{needed[0]}": ...}}, or a DataFrame'
                    raise InputError(f"{row!r} is no row", where=f"{where}, row {i}", remedy=remedy)
            count = len(listed)
            names = list(dict.fromkeys(str(name) for row in listed for name in row)) if listed else list(needed)
            columns = {name: [row.get(name) for row in listed] for name in names}
        known = list(dict.fromkeys((*needed, *optional)))
        for name in columns:
            if name not in known:
                remedy = nearest(name, known) or f"the columns are {', '.join(known)}"
                raise InputError(f"there is no column {name!r}", where=where, remedy=remedy)
        for name in needed:
            if name not in columns:
                raise InputError(f"the column {name!r} is missing", where=where, remedy="give it in every row")
        return RowTable(where, count, columns)

    def place(self, row: int, column: str) -> str:
        """Where a cell stands, for an error."""
        return f"{self.where}, row {row}, column {column!r}"

    def values(self, column: str, modality: Modality, width: int | None = None) -> npt.NDArray:
        """(n,) a column in the plain form of a modality; all missing where it is not given.

        Args:
            column: its name.
            modality: what its values are.
            width: how many numbers a vector has.

        >>> rows = RowTable.of([{"age": "41"}, {}, {"age": 7}], "rows", [], ["age"])
        >>> rows.values("age", "numeric").tolist()
        [41.0, nan, 7.0]
        """
        cells = self.columns.get(column, [None] * self.count)
        given = [row for row, cell in enumerate(cells) if not _is_missing(cell)]
        values = missing_values(modality, self.count, 2 if modality == "place" else width)
        if not given:
            return values
        try:
            values[given] = self._converted(given, column, modality, width)
        except _ODD:
            # Cells of several kinds, or one that is nothing: one at a time.
            for row in given:
                try:
                    values[row] = self._converted([row], column, modality, width)[0]
                except _ODD:
                    what = f"{cells[row]!r} is no {modality} value"
                    raise InputError(what, where=self.place(row, column), remedy="leave it out") from None
        return values

    def ids(self, column: str) -> npt.NDArray[np.object_]:
        """(n,) a column of ids as strings. Raises InputError at the first that is blank."""
        ids = self.values(column, "categorical")
        for row, name in enumerate(ids):
            if name is None:
                remedy = "fill it in or leave the row out"
                raise InputError("the id is blank", where=self.place(row, column), remedy=remedy)
        return ids

    def _converted(self, rows: Sequence[int], column: str, modality: Modality, width: int | None) -> npt.NDArray:
        """Cells of which none is missing, by the conversions of tables."""
        cells = [self.columns[column][row] for row in rows]
        tables: dict[str, list[Any]] = {column: cells}
        size = {"place": 2, "vector": width}.get(modality)
        if size is not None:
            for row, cell in zip(rows, cells, strict=True):
                if not _is_list(cell) or len(cell) != size:
                    what = "place" if modality == "place" else f"vector of {size} numbers"
                    remedy = "give (latitude, longitude)" if modality == "place" else f"give a list of {size} numbers"
                    raise InputError(f"{cell!r} is no {what}", where=self.place(row, column), remedy=remedy)
            tables = {column: [list(cell) for cell in cells]}
        if modality == "place":
            tables = {f"{column} {i}": [cell[i] for cell in cells] for i in (0, 1)}
        frame = pd.DataFrame({name: pd.Series(each, dtype=object) for name, each in tables.items()})

        def where(row: int | None, _: str | None) -> str:
            return self.where if row is None else self.place(rows[row], column)

        return convert(frame, modality, tuple(tables), where)


def missing_values(modality: Modality, count: int, width: int | None = None) -> npt.NDArray:
    """`count` missing values in the plain form of a modality (see `relwise.data.graph.Attribute`).

    >>> missing_values("place", 1, 2).tolist(), missing_values("text", 1).tolist()
    ([[nan, nan]], [None])
    """
    if modality in ("categorical", "multi_categorical", "text"):
        return np.full(count, None, dtype=object)
    if modality == "timestamp":
        return np.full(count, np.datetime64("NaT", "us"))
    shape = (count,) if width is None else (count, width)
    return np.full(shape, np.nan, dtype=np.float32 if modality == "vector" else np.float64)


def _is_list(cell: object) -> bool:
    return isinstance(cell, list | tuple | np.ndarray)


def _is_missing(cell: Any) -> bool:
    if _is_list(cell):
        return len(cell) > 0 and all(map(_is_missing, cell))
    if isinstance(cell, Decimal):
        return cell.is_nan()  # pandas raises at one that signals
    return cell is None or (pd.api.types.is_scalar(cell) and bool(pd.isna(cell)))
