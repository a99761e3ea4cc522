"""Numbers, places and vectors: columns of numbers, and a column of lists of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute

from relwise.data.arrow_cells import BLANK, arrow_of, cells_of, is_list, is_number, refuse_at, shown
from relwise.data.tables import Where, cell, column_of
from relwise.errors import InputError

pc: Any = pyarrow.compute  # its functions are made at import, so that type checkers know none of them


def numeric(frame: pd.DataFrame, column: str, where: Where) -> npt.NDArray[np.float64]:
    """(n,) float64, NaN where missing.

    >>> numeric(pd.DataFrame({"year": ["1999", ""]}), "year", "planes.csv").tolist()
    [1999.0, nan]
    """
    array, blank = cells_of(frame, column, where)
    if pa.types.is_large_string(array.type):
        values = _parsed(array, blank)
    elif is_number(array.type):
        values = array.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)
    else:
        values = np.full(len(array), np.nan)
    wrong = ~np.isfinite(values) & ~blank
    if wrong.any():
        row = int(np.argmax(wrong))
        value = shown(array[row].as_py())
        if value.lower().lstrip("+-") in ("nan", "inf", "infinity"):
            raise InputError(f"{value} is not a number", where=cell(where, row, column), remedy=BLANK)
        raise InputError(
            f"{value!r} is {'too large' if np.isinf(values[row]) else 'not a number'}",
            where=cell(where, row, column),
            remedy=f"{BLANK}, or declare the column categorical",
        )
    return np.where(blank, np.nan, values)


def place(frame: pd.DataFrame, latitude: str, longitude: str, where: Where) -> npt.NDArray[np.float64]:
    """(n, 2) float64 degrees latitude and longitude, a row of NaN where missing."""
    degrees = np.stack([numeric(frame, latitude, where), numeric(frame, longitude, where)], axis=1)
    for values, column, limit, word in zip(
        degrees.T, (latitude, longitude), (90, 180), ("latitude", "longitude"), strict=True
    ):
        wrong = np.abs(values) > limit
        if wrong.any():
            row = int(np.argmax(wrong))
            raise InputError(
                f"{values[row]:g} is no {word}: it lies in [-{limit}, {limit}]",
                where=cell(where, row, column),
                remedy="give degrees, and name the latitude's column before the longitude's",
            )
    missing = np.isnan(degrees)
    half = missing[:, 0] != missing[:, 1]
    if half.any():
        row = int(np.argmax(half))
        column = latitude if missing[row, 0] else longitude
        raise InputError(
            "half of the place is missing",
            where=cell(where, row, column),
            remedy="give both numbers or neither",
        )
    return degrees


def vector(frame: pd.DataFrame, columns: Sequence[str], where: Where) -> npt.NDArray[np.float32]:
    """(n, k) float32, a row of NaN where missing, from k columns of numbers or a Parquet column of lists."""
    array = arrow_of(column_of(frame, columns[0], where))
    values = _lists(array, columns[0], where) if is_list(array.type) and len(columns) == 1 else None
    if values is None:
        values = np.stack([numeric(frame, column, where) for column in columns], axis=1)
        missing = np.isnan(values)
        half = missing.any(axis=1) & ~missing.all(axis=1)
        if half.any():
            row = int(np.argmax(half))
            column = columns[int(np.argmax(missing[row]))]
            raise InputError(
                "part of the vector is missing",
                where=cell(where, row, column),
                remedy="give all its numbers or none",
            )
    with np.errstate(over="ignore"):
        result = values.astype(np.float32)
    large = np.isinf(result)
    if large.any():
        row, i = np.unravel_index(int(np.argmax(large)), large.shape)
        place = cell(where, int(row), columns[int(i) if len(columns) > 1 else 0])
        raise InputError(f"{values[row, i]:g} is too large", where=place, remedy="scale the vectors down")
    return result


def _parsed(array: pa.Array, blank: npt.NDArray[np.bool_]) -> npt.NDArray[np.float64]:
    """Numbers from text, NaN where it is none."""
    try:
        # Arrow is fast, and fails at the first cell that is no number, or that it would not write so.
        numbers = pc.if_else(pa.array(blank), None, array).cast(pa.float64())
        return np.array(numbers.to_numpy(zero_copy_only=False), dtype=np.float64)
    except pa.ArrowException:
        text = pd.Series(array.to_numpy(zero_copy_only=False))
        return np.asarray(pd.to_numeric(text, errors="coerce"), dtype=np.float64)


def _lists(array: pa.Array, column: str, where: Where) -> npt.NDArray[np.float64]:
    blank = np.asarray(array.is_null())
    lengths = np.asarray(pc.list_value_length(array).fill_null(-1))
    if blank.all():
        raise InputError("every vector is missing", where=cell(where, None, column), remedy="leave the column out")
    length = int(lengths[~blank][0])
    refuse_at(~blank & (lengths == 0), where, column, "an empty vector", "leave it null where it is missing")
    refuse_at(
        ~blank & (lengths != length),
        where,
        column,
        f"a vector of another length than {length}",
        "make all of one length",
    )
    inner = array.flatten()
    numbers = inner.cast(pa.float64(), safe=False) if is_number(inner.type) else None
    flat = np.full(len(inner), np.nan) if numbers is None else numbers.to_numpy(zero_copy_only=False)
    given = flat.reshape(-1, length)
    wrong = np.zeros(len(array), dtype=bool)
    wrong[~blank] = ~np.isfinite(given).all(axis=1)
    refuse_at(wrong, where, column, "a vector that does not hold finite numbers alone", "leave the whole vector null")
    values = np.full((len(array), length), np.nan)
    values[~blank] = given
    return values
