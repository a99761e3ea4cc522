"""A table's columns as an attribute's plain form (`relwise.data.graph.Attribute`), one function each.

Every function takes the table, the column or columns and the table's file, and raises InputError naming the
file, the row, the column and the value at the first cell that does not fit. A blank cell (CSV) or a null
(Parquet) is a missing value; NaN and infinity are mistakes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute

from relwise.data.graph import Modality
from relwise.data.tables import cell, column_of
from relwise.errors import InputError

pc: Any = pyarrow.compute  # its functions are made at import, so that type checkers know none of them

_BLANK = "leave the cell blank where the value is missing"


def convert(frame: pd.DataFrame, modality: Modality, columns: Sequence[str], path: str | Path) -> npt.NDArray:
    """The columns of a table as the plain form of a modality."""
    if modality == "place":
        return place(frame, columns[0], columns[1], path)
    if modality == "vector":
        return vector(frame, columns, path)
    one: dict[str, Callable[[pd.DataFrame, str, str | Path], npt.NDArray]] = {
        "numeric": numeric,
        "categorical": words,
        "text": words,
        "timestamp": timestamp,
    }
    return one[modality](frame, columns[0], path)


def numeric(frame: pd.DataFrame, column: str, path: str | Path) -> npt.NDArray[np.float64]:
    """(n,) float64, NaN where missing.

    >>> numeric(pd.DataFrame({"year": ["1999", ""]}), "year", "planes.csv").tolist()
    [1999.0, nan]
    """
    array, blank = _cells(frame, column, path)
    if pa.types.is_string(array.type):
        text = pd.Series(array.to_numpy(zero_copy_only=False))
        values = np.asarray(pd.to_numeric(text, errors="coerce"), dtype=np.float64)
    elif _is_number(array.type):
        values = array.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)
    else:
        values = np.full(len(array), np.nan)
    wrong = ~np.isfinite(values) & ~blank
    if wrong.any():
        row = int(np.argmax(wrong))
        value = _shown(array[row].as_py())
        if value.lower().lstrip("+-") in ("nan", "inf", "infinity"):
            raise InputError(f"{value} is not a number", where=cell(path, row, column), remedy=_BLANK)
        raise InputError(
            f"{value!r} is {'too large' if np.isinf(values[row]) else 'not a number'}",
            where=cell(path, row, column),
            remedy=f"{_BLANK}, or declare the column categorical",
        )
    return np.where(blank, np.nan, values)


def words(frame: pd.DataFrame, column: str, path: str | Path) -> npt.NDArray[np.object_]:
    """(n,) object: str, None where missing. Categories, texts and ids alike.

    >>> words(pd.DataFrame({"maker": ["BOEING", ""]}), "maker", "planes.csv").tolist()
    ['BOEING', None]
    """
    raw = column_of(frame, column, path)
    array, blank = _cells(frame, column, path)
    if pa.types.is_string(array.type):
        # The cells as they stand: only what decides whether they are blank is trimmed.
        array = _arrow(raw)
    elif pa.types.is_nested(array.type):
        _refuse(array, blank, path, column, "not one word or text", "name a column of single values")
    else:
        if pa.types.is_floating(array.type):
            numeric(frame, column, path)
        array = array.cast(pa.string())
    result = np.array(array.to_numpy(zero_copy_only=False), dtype=object)
    result[blank] = None
    return result


def timestamp(frame: pd.DataFrame, column: str, path: str | Path) -> npt.NDArray[np.datetime64]:
    """(n,) datetime64[us], NaT where missing; a time with an offset becomes UTC.

    >>> timestamp(pd.DataFrame({"day": ["2013-01-31", ""]}), "day", "visits.csv").tolist()[0].isoformat()
    '2013-01-31T00:00:00'
    """
    array, blank = _cells(frame, column, path)
    if pa.types.is_string(array.type):
        text = pd.Series(array.to_numpy(zero_copy_only=False), dtype=object).where(~blank, "").astype(str)
        # pandas takes "now" for a date, and a ninth decimal would make it count in nanoseconds, which end in
        # 2262.
        text = text.where(text.str.match(r"\d{4}").astype(bool), "").str.replace(r"(\.\d{6})\d+", r"\1", regex=True)
        moments = pd.to_datetime(text, format="ISO8601", errors="coerce", utc=True).dt.tz_localize(None)
        values = moments.to_numpy(dtype="datetime64[us]")
    elif pa.types.is_date(array.type) or pa.types.is_timestamp(array.type):
        zone = array.type.tz if pa.types.is_timestamp(array.type) else None
        values = array.cast(pa.timestamp("us", zone), safe=False).cast(pa.int64()).fill_null(0)
        values = values.to_numpy().astype("datetime64[us]")
        values = np.where(blank, np.datetime64("NaT", "us"), values)
    else:
        values = np.full(len(array), np.datetime64("NaT", "us"))
    wrong = np.isnat(values) & ~blank
    _refuse(array, ~wrong, path, column, "not a date", "write dates as YYYY-MM-DD or YYYY-MM-DDTHH:MM:SS")
    return values


def place(frame: pd.DataFrame, latitude: str, longitude: str, path: str | Path) -> npt.NDArray[np.float64]:
    """(n, 2) float64 degrees latitude and longitude, a row of NaN where missing."""
    degrees = np.stack([numeric(frame, latitude, path), numeric(frame, longitude, path)], axis=1)
    for values, column, limit, word in zip(
        degrees.T, (latitude, longitude), (90, 180), ("latitude", "longitude"), strict=True
    ):
        wrong = np.abs(values) > limit
        if wrong.any():
            row = int(np.argmax(wrong))
            raise InputError(
                f"{values[row]:g} is no {word}: it lies in [-{limit}, {limit}]",
                where=cell(path, row, column),
                remedy="give degrees, and name the latitude's column before the longitude's",
            )
    missing = np.isnan(degrees)
    half = missing[:, 0] != missing[:, 1]
    if half.any():
        row = int(np.argmax(half))
        column = latitude if missing[row, 0] else longitude
        raise InputError(
            "half of the place is missing",
            where=cell(path, row, column),
            remedy="give both numbers or neither",
        )
    return degrees


def vector(frame: pd.DataFrame, columns: Sequence[str], path: str | Path) -> npt.NDArray[np.float32]:
    """(n, k) float32, a row of NaN where missing, from k columns of numbers or a Parquet column of lists."""
    array = _arrow(column_of(frame, columns[0], path))
    is_list = any(test(array.type) for test in (pa.types.is_list, pa.types.is_large_list, pa.types.is_fixed_size_list))
    values = _lists(array, columns[0], path) if is_list and len(columns) == 1 else None
    if values is None:
        values = np.stack([numeric(frame, column, path) for column in columns], axis=1)
        missing = np.isnan(values)
        half = missing.any(axis=1) & ~missing.all(axis=1)
        if half.any():
            row = int(np.argmax(half))
            column = columns[int(np.argmax(missing[row]))]
            raise InputError(
                "part of the vector is missing",
                where=cell(path, row, column),
                remedy="give all its numbers or none",
            )
    with np.errstate(over="ignore"):
        result = values.astype(np.float32)
    large = np.isinf(result)
    if large.any():
        row, i = np.unravel_index(int(np.argmax(large)), large.shape)
        where = cell(path, int(row), columns[int(i) if len(columns) > 1 else 0])
        raise InputError(f"{values[row, i]:g} is too large", where=where, remedy="scale the vectors down")
    return result


def _lists(array: pa.Array, column: str, path: str | Path) -> npt.NDArray[np.float64]:
    blank = np.asarray(array.is_null())
    lengths = np.asarray(pc.list_value_length(array).fill_null(-1))
    if blank.all():
        raise InputError("every vector is missing", where=f"{path}, column '{column}'", remedy="leave the column out")
    length = int(lengths[~blank][0])
    _refuse_at(~blank & (lengths == 0), path, column, "an empty vector", "leave it null where it is missing")
    _refuse_at(
        ~blank & (lengths != length),
        path,
        column,
        f"a vector of another length than {length}",
        "make all of one length",
    )
    inner = array.flatten()
    numbers = inner.cast(pa.float64(), safe=False) if _is_number(inner.type) else None
    flat = np.full(len(inner), np.nan) if numbers is None else numbers.to_numpy(zero_copy_only=False)
    given = flat.reshape(-1, length)
    wrong = np.zeros(len(array), dtype=bool)
    wrong[~blank] = ~np.isfinite(given).all(axis=1)
    _refuse_at(wrong, path, column, "a vector that does not hold finite numbers alone", "leave the whole vector null")
    values = np.full((len(array), length), np.nan)
    values[~blank] = given
    return values


def _arrow(column: pd.Series) -> pa.Array:
    """A column as one Arrow array, its strings of one type and its dictionaries decoded."""
    array: Any = pa.array(column.array, from_pandas=not isinstance(column.dtype, pd.ArrowDtype))
    if isinstance(array, pa.ChunkedArray):
        array = array.combine_chunks()
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    if pa.types.is_large_string(array.type) or pa.types.is_string_view(array.type):
        array = array.cast(pa.string())
    return array


def _cells(frame: pd.DataFrame, column: str, path: str | Path) -> tuple[pa.Array, npt.NDArray[np.bool_]]:
    """A column, its strings trimmed, and which of its cells are blank."""
    array = _arrow(column_of(frame, column, path))
    if pa.types.is_string(array.type):
        array = pc.utf8_trim_whitespace(array)
        return array, np.asarray(pc.equal(array, "").fill_null(True))
    return array, np.asarray(array.is_null())


def _is_number(kind: pa.DataType) -> bool:
    tests = (pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal, pa.types.is_boolean)
    return any(test(kind) for test in tests)


def _shown(value: object) -> str:
    """A value as an error shows it."""
    text = str(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _refuse(
    array: pa.Array, fits: npt.NDArray[np.bool_], path: str | Path, column: str, what: str, remedy: str
) -> None:
    if not fits.all():
        row = int(np.argmin(fits))
        value = _shown(array[row].as_py())
        raise InputError(f"{value!r} is {what}", where=cell(path, row, column), remedy=remedy)


def _refuse_at(wrong: npt.NDArray[np.bool_], path: str | Path, column: str, what: str, remedy: str) -> None:
    if wrong.any():
        raise InputError(what, where=cell(path, int(np.argmax(wrong)), column), remedy=remedy)
