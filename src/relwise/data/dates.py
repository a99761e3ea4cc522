"""Dates: from ISO 8601, from text in any format that is told, from typed columns."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute

from relwise.data.arrow_cells import as_strings, cells_of, refuse
from relwise.data.tables import Where, cell
from relwise.errors import InputError

pc: Any = pyarrow.compute  # its functions are made at import, so that type checkers know none of them

DATE_FORMATS = (
    "%m/%d/%Y",
    "%d/%m/%Y",
    "%d.%m.%Y",
    "%Y/%m/%d",
    "%d-%m-%Y",
    "%Y%m%d",
    "%m/%d/%Y %H:%M",
    "%m/%d/%Y %H:%M:%S",
    "%d/%m/%Y %H:%M",
    "%d.%m.%Y %H:%M",
    "%m/%d/%y",
    "%d-%b-%Y",
    "%d %B %Y",
    "%B %d, %Y",
)
"""Ways to write a date that are not ISO 8601, tried where an error or a proposal names the one that fits."""


def timestamp(frame: pd.DataFrame, column: str, where: Where, format: str | None = None) -> npt.NDArray[np.datetime64]:
    """(n,) datetime64[us], NaT where missing; a time with an offset becomes UTC.

    >>> timestamp(pd.DataFrame({"day": ["2013-01-31", ""]}), "day", "visits.csv").tolist()[0].isoformat()
    '2013-01-31T00:00:00'
    """
    array, blank = cells_of(frame, column, where)
    if format is not None and pa.types.is_integer(array.type):
        array = as_strings(array)
    if pa.types.is_large_string(array.type):
        values = (
            _iso_moments(array, blank) if format is None else _moments(array, blank, format, cell(where, None, column))
        )
    elif pa.types.is_date(array.type) or pa.types.is_timestamp(array.type):
        zone = array.type.tz if pa.types.is_timestamp(array.type) else None
        values = array.cast(pa.timestamp("us", zone), safe=False).cast(pa.int64()).fill_null(0)
        values = values.to_numpy().astype("datetime64[us]")
        values = np.where(blank, np.datetime64("NaT", "us"), values)
    else:
        values = np.full(len(array), np.datetime64("NaT", "us"))
    wrong = np.isnat(values) & ~blank
    if wrong.any():
        refuse(array, ~wrong, where, column, *_date_advice(array, blank, format))
    return values


def fitting_format(array: pa.Array, blank: npt.NDArray[np.bool_]) -> str | None:
    """The first of `DATE_FORMATS` that all cells which are not blank are written in."""
    if not pa.types.is_large_string(array.type) or blank.all():
        return None
    return next((f for f in DATE_FORMATS if not (np.isnat(_moments(array, blank, f, "")) & ~blank).any()), None)


def _date_advice(array: pa.Array, blank: npt.NDArray[np.bool_], format: str | None) -> tuple[str, str]:
    """What a cell that is no date is, and the remedy."""
    fits = fitting_format(array, blank)
    if format is not None:
        advice = f'write format = "{fits}"' if fits else "mend the cell, or write another format = ..."
        return f'not a date in the format "{format}"', advice
    if fits:
        return "not a date", f'the column fits format = "{fits}": say so, or write dates as YYYY-MM-DD'
    advice = 'write dates as YYYY-MM-DD or YYYY-MM-DDTHH:MM:SS, or say how they are written: format = "%m/%d/%Y"'
    return "not a date", advice


def _iso_moments(array: pa.Array, blank: npt.NDArray[np.bool_]) -> npt.NDArray[np.datetime64]:
    try:
        # Arrow is fast, and fails at a cell with an offset, or at one that is no date.
        filled = pc.if_else(pa.array(blank), None, array).cast(pa.timestamp("us"))
        return np.array(filled.to_numpy(zero_copy_only=False), dtype="datetime64[us]")
    except pa.ArrowException:
        pass
    text = pd.Series(array.to_numpy(zero_copy_only=False), dtype=object).where(~blank, "").astype(str)
    # pandas takes "now" for a date, and a ninth decimal would make it count in nanoseconds, which end in 2262.
    text = text.where(text.str.match(r"\d{4}").astype(bool), "").str.replace(r"(\.\d{6})\d+", r"\1", regex=True)
    moments = pd.to_datetime(text, format="ISO8601", errors="coerce", utc=True).dt.tz_localize(None)
    return moments.to_numpy(dtype="datetime64[us]")


def _moments(array: pa.Array, blank: npt.NDArray[np.bool_], format: str, where: str) -> npt.NDArray[np.datetime64]:
    encoded = array.dictionary_encode()
    text = pd.Series(encoded.dictionary.to_pylist(), dtype=object)
    try:
        moments = pd.to_datetime(text, format=format, errors="coerce", utc=True).dt.tz_localize(None)
    except (ValueError, re.error) as error:
        raise InputError(
            f"{format!r} is no format of dates: {str(error).splitlines()[0]}",
            where=where,
            remedy='write it as strftime has it: format = "%d.%m.%Y"',
        ) from None
    known = np.append(moments.to_numpy(dtype="datetime64[us]"), np.datetime64("NaT"))
    values = known[encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False)]
    return np.where(blank, np.datetime64("NaT", "us"), values)
