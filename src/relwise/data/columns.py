"""A table's columns as an attribute's plain form (`relwise.data.graph.Attribute`), one function each.

Every function takes the table, the column or columns and the table's place, and raises InputError naming the
place, the row, the column and the value at the first cell that does not fit. A blank cell (CSV) or a null
(Parquet) is a missing value; NaN and infinity are mistakes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute

from relwise.data.arrow_cells import arrow_of, as_strings, cells_of, is_list, plain, refuse, refuse_at
from relwise.data.dates import timestamp
from relwise.data.numbers import numeric, place, vector
from relwise.data.schema_attribute import SEPARATOR
from relwise.data.tables import Where, cell, column_of
from relwise.errors import InputError

if TYPE_CHECKING:
    from relwise.data.geocode import Geocoder

pc: Any = pyarrow.compute  # its functions are made at import, so that type checkers know none of them

TRUE, FALSE = ("true", "yes", "t", "y", "1"), ("false", "no", "f", "n", "0")
KEY_SEPARATOR = "|"
"""Between the parts of a compound key."""


def convert(
    frame: pd.DataFrame,
    modality: str,
    columns: Sequence[str],
    where: Where,
    *,
    separator: str = SEPARATOR,
    format: str | None = None,
    geocoder: Geocoder | None = None,
) -> npt.NDArray:
    """The columns of a table as the plain form of a modality; of an address, as that of a place.

    Args:
        frame: the table.
        modality: what the columns are declared to be.
        columns: their names.
        where: the table's place.
        separator: between the words of a multi_categorical cell.
        format: of a timestamp, as `strftime` has it; None: ISO 8601.
        geocoder: what finds an address; None: the one that needs no network.
    """
    if modality == "place":
        return place(frame, columns[0], columns[1], where)
    if modality == "vector":
        return vector(frame, columns, where)
    if modality == "address":
        return address(frame, columns, where, geocoder)
    if modality == "multi_categorical":
        return word_sets(frame, columns[0], where, separator)
    if modality == "timestamp":
        return timestamp(frame, columns[0], where, format)
    one: dict[str, Callable[[pd.DataFrame, str, Where], npt.NDArray]] = {
        "numeric": numeric,
        "categorical": words,
        "text": words,
        "boolean": boolean,
    }
    return one[modality](frame, columns[0], where)


def missing(values: npt.NDArray) -> npt.NDArray[np.bool_]:
    """(n,) whether each value of an attribute is missing.

    >>> missing(np.array([[1.0, 2.0], [np.nan, np.nan]])).tolist()
    [False, True]
    """
    if values.dtype == object:
        return np.fromiter((value is None for value in values), dtype=bool, count=len(values))
    blank = np.asarray(np.isnat(values) if values.dtype.kind == "M" else np.isnan(values))
    return np.asarray(blank.all(axis=1)) if values.ndim == 2 else blank


def blanked(values: npt.NDArray, which: npt.NDArray[np.bool_]) -> npt.NDArray:
    """The values, those of `which` missing."""
    nothing: Any = {"O": None, "M": np.datetime64("NaT")}.get(values.dtype.kind, np.nan)
    values = values.copy()
    values[which] = nothing
    return values


def boolean(frame: pd.DataFrame, column: str, where: Where) -> npt.NDArray[np.float64]:
    """(n,) float64, 1 for true and 0 for false, NaN where missing.

    >>> boolean(pd.DataFrame({"paid": ["Yes", "f", "", "1"]}), "paid", "bills.csv").tolist()
    [1.0, 0.0, nan, 1.0]
    """
    array, blank = cells_of(frame, column, where)
    if pa.types.is_nested(array.type):
        text = pa.nulls(len(array), pa.large_string())
    elif pa.types.is_floating(array.type) or pa.types.is_decimal(array.type):
        numbers = array.cast(pa.float64(), safe=False)
        text = pc.if_else(pc.equal(numbers, 1.0), "1", pc.if_else(pc.equal(numbers, 0.0), "0", None))
    else:
        text = as_strings(array)
    text = pc.utf8_lower(text)
    true = np.asarray(pc.is_in(text, value_set=pa.array(TRUE, text.type)))
    false = np.asarray(pc.is_in(text, value_set=pa.array(FALSE, text.type)))
    refuse(array, true | false | blank, where, column, "neither true nor false", "write true or false, yes or no")
    return np.where(true, 1.0, np.where(false, 0.0, np.nan))


def strings(frame: pd.DataFrame, columns: str | Sequence[str], where: Where) -> pa.Array:
    """(n,) Arrow strings, null where missing; of several columns, joined by `|` where none is missing."""
    if not isinstance(columns, str):
        parts = [strings(frame, column, where) for column in columns]
        return pc.binary_join_element_wise(*parts, pa.scalar(KEY_SEPARATOR, pa.large_string()))
    raw = column_of(frame, columns, where)
    array, blank = cells_of(frame, columns, where)
    if pa.types.is_large_string(array.type):
        # The cells as they stand: only what decides whether they are blank is trimmed.
        array = arrow_of(raw)
    elif pa.types.is_nested(array.type):
        refuse(array, blank, where, columns, "not one word or text", "name a column of single values")
        array = pa.nulls(len(array), pa.large_string())
    else:
        if pa.types.is_floating(array.type):
            numeric(frame, columns, where)
        array = as_strings(array)
        odd = np.asarray(array.is_null()) & ~blank
        refuse_at(odd, where, columns, "this is not one word or text", "name a column of words or numbers")
    return pc.if_else(pa.array(blank), None, array) if blank.any() else array


def words(frame: pd.DataFrame, column: str | Sequence[str], where: Where) -> npt.NDArray[np.object_]:
    """(n,) object: str, None where missing. Categories, texts and ids alike.

    >>> words(pd.DataFrame({"maker": ["BOEING", ""]}), "maker", "planes.csv").tolist()
    ['BOEING', None]
    """
    # Each word is made into a Python object once.
    encoded = strings(frame, column, where).dictionary_encode()
    objects = np.array([*encoded.dictionary.to_pylist(), None], dtype=object)
    return objects[encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False)]


def word_sets(frame: pd.DataFrame, column: str, where: Where, separator: str = SEPARATOR) -> npt.NDArray[np.object_]:
    """(n,) object: tuples of different words, None where missing; from text, or a Parquet column of lists.

    >>> word_sets(pd.DataFrame({"uses": ["a| b|", ""]}), "uses", "tools.csv").tolist()
    [('a', 'b'), None]
    """
    array, blank = cells_of(frame, column, where)
    if is_list(array.type):
        inner = plain(array.flatten())
        if pa.types.is_nested(inner.type):
            refuse(array, blank, where, column, "not a list of words", "write each cell as a list of words")
        flat = as_strings(inner)
        counts = np.asarray(pc.list_value_length(array).fill_null(0))
    else:
        pieces = pc.split_pattern(strings(frame, column, where), separator)
        flat = pieces.flatten()
        counts = np.asarray(pc.list_value_length(pieces).fill_null(0))
    flat = pc.utf8_trim_whitespace(flat)
    encoded = flat.dictionary_encode()
    objects = np.array([*encoded.dictionary.to_pylist(), None], dtype=object)
    parts = objects[encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False)].tolist()
    ends = np.cumsum(counts).tolist()
    result = np.empty(len(array), dtype=object)
    for row, (end, count) in enumerate(zip(ends, counts.tolist(), strict=True)):
        if not blank[row]:
            result[row] = tuple(dict.fromkeys(filter(None, parts[end - count : end])))
    return result


def address(
    frame: pd.DataFrame, columns: Sequence[str], where: Where, geocoder: Geocoder | None = None
) -> npt.NDArray[np.float64]:
    """(n, 2) float64 degrees latitude and longitude that a geocoder finds, a row of NaN where it finds none.

    Args:
        frame: the table.
        columns: the parts of the address, such as city, state and country.
        where: the table's place.
        geocoder: what finds it; None: the one that needs no network.
    """
    parts = pd.DataFrame({i: words(frame, column, where) for i, column in enumerate(columns)}, dtype=object)
    finder = _offline_geocoder(cell(where)) if geocoder is None else geocoder
    codes, _ = pd.factorize(pd.MultiIndex.from_frame(parts), use_na_sentinel=False)
    _, first = np.unique(codes, return_index=True)
    asked = [[part or None for part in parts.iloc[row]] for row in first]
    found = [finder.locate(each) if any(each) else None for each in asked]
    degrees = np.array([(np.nan, np.nan) if one is None else one for one in found], dtype=np.float64)
    return degrees.reshape(-1, 2)[codes]


def _offline_geocoder(where: str) -> Geocoder:
    try:
        from relwise.data.geocode import default_geocoder

        return default_geocoder()
    except ImportError:
        raise InputError(
            "addresses need a geocoder, which is not installed",
            where=where,
            remedy="pip install 'relwise[geo]', or give latitude and longitude as a place",
        ) from None
