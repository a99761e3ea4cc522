"""A table's column as an Arrow array: which of its cells are blank, and the error for one that does not fit."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute

from relwise.data.tables import Where, cell, column_of
from relwise.errors import InputError

pc: Any = pyarrow.compute  # its functions are made at import, so that type checkers know none of them

BLANK = "leave the cell blank where the value is missing"


def arrow_of(column: pd.Series) -> pa.Array:
    """A column as one Arrow array, its strings of one type and its dictionaries decoded."""
    array: Any = pa.array(column.array, from_pandas=not isinstance(column.dtype, pd.ArrowDtype))
    if isinstance(array, pa.ChunkedArray):
        array = array.combine_chunks()
    return plain(array)


def plain(array: pa.Array) -> pa.Array:
    """An array, its strings of one type and its dictionary decoded."""
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    if pa.types.is_string(array.type) or pa.types.is_string_view(array.type):
        array = array.cast(pa.large_string())
    return array


def cells_of(frame: pd.DataFrame, column: str, where: Where) -> tuple[pa.Array, npt.NDArray[np.bool_]]:
    """A column, its strings trimmed, and which of its cells are blank."""
    array = arrow_of(column_of(frame, column, where))
    if not pa.types.is_large_string(array.type):
        return array, np.asarray(array.is_null())
    try:
        array = pc.utf8_trim_whitespace(array)
    except pa.ArrowInvalid:
        row = next(row for row in range(len(array)) if not _is_text(array[row]))
        raise InputError(
            "the text is not UTF-8", where=cell(where, row, column), remedy="write the table's text as UTF-8"
        ) from None
    return array, np.asarray(pc.equal(array, "").fill_null(True))


def _is_text(scalar: pa.Scalar) -> bool:
    try:
        scalar.as_py()
    except UnicodeDecodeError:
        return False
    return True


def as_strings(array: pa.Array) -> pa.Array:
    """An array of single values as text, null where there is none to be had."""
    try:
        return array.cast(pa.large_string())
    except pa.ArrowException:
        return pa.nulls(len(array), pa.large_string())


def is_list(kind: pa.DataType) -> bool:
    return pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)


def is_number(kind: pa.DataType) -> bool:
    tests = (pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal, pa.types.is_boolean)
    return any(test(kind) for test in tests)


def shown(value: object) -> str:
    """A value as an error shows it."""
    text = str(value)
    return text if len(text) <= 60 else text[:57] + "..."


def refuse(array: pa.Array, fits: npt.NDArray[np.bool_], where: Where, column: str, what: str, remedy: str) -> None:
    if not fits.all():
        row = int(np.argmin(fits))
        value = shown(array[row].as_py())
        raise InputError(f"{value!r} is {what}", where=cell(where, row, column), remedy=remedy)


def refuse_at(wrong: npt.NDArray[np.bool_], where: Where, column: str, what: str, remedy: str) -> None:
    if wrong.any():
        raise InputError(what, where=cell(where, int(np.argmax(wrong)), column), remedy=remedy)
