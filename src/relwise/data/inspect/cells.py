"""The cells of one column, whatever the kind of its source, and what they have in common."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, cast

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute

pc: Any = pyarrow.compute  # its functions are made at import, so that type checkers know none of them

Kind = Literal["string", "boolean", "integer", "float", "date", "list", "other"]


@dataclass(frozen=True, eq=False)
class Cells:
    """One column's cells.

    Args:
        kind: what the source says they are; a CSV file's are all strings.
        array: the cells, strings trimmed of white space around them.
        given: (n,) whether a cell holds anything.
    """

    kind: Kind
    array: pa.Array
    given: npt.NDArray[np.bool_]

    @staticmethod
    def of(column: pa.Array | pa.ChunkedArray) -> Cells:
        """From a column as a source reads it."""
        array = plain(column)
        kind = _kind(array.type)
        if kind == "string":
            try:
                trimmed = pc.utf8_trim_whitespace(array)
            except pa.ArrowInvalid:  # not UTF-8
                return Cells("other", array.cast(pa.large_binary()), np.asarray(array.is_valid()))
            return Cells(kind, trimmed, np.asarray(pc.not_equal(trimmed, "").fill_null(False)))
        return Cells(kind, array, np.asarray(array.is_valid()))

    @property
    def missing(self) -> float:
        """The share of cells that hold nothing."""
        return 1 - float(self.given.mean()) if len(self.given) else 1.0

    @cached_property
    def texts(self) -> pd.Series:
        """The cells that hold something, as strings."""
        kept = self.array.filter(pa.array(self.given))
        if self.kind in ("list", "other"):
            return pd.Series([str(value) for value in kept.to_pylist()], dtype=object)
        return pd.Series(kept.cast(pa.large_string()).to_numpy(zero_copy_only=False), dtype=object)

    @cached_property
    def counts(self) -> pd.Series:
        """How often each distinct value stands there, by value, in order of appearance."""
        return cast(pd.Series, self.texts.value_counts(sort=False))

    @cached_property
    def numbers(self) -> npt.NDArray[np.float64]:
        """The cells that hold something, as numbers, NaN where one is none."""
        if self.kind in ("integer", "float"):
            return self.array.filter(pa.array(self.given)).cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)
        if self.kind != "string":
            return np.full(int(self.given.sum()), np.nan)
        found = np.asarray(pd.to_numeric(self.texts, errors="coerce"), dtype=np.float64)
        return np.where(np.isfinite(found), found, np.nan)

    @property
    def repeated(self) -> float:
        """The share of the given cells whose value is met again."""
        return float(self.counts[self.counts > 1].sum() / max(len(self.texts), 1))

    def examples(self, most: int = 3) -> tuple[str, ...]:
        """The first distinct values, cut where they are long, on one line."""
        shown = (" ".join(str(value).split()) for value in self.counts.index[:most])
        return tuple(text if len(text) <= 30 else text[:27] + "..." for text in shown)


def ids_of(column: pa.Array | pa.ChunkedArray) -> pa.Array:
    """A column as ids, as a graph has them: strings as they stand, null where blank; all null for what is no id.

    >>> ids_of(pa.array([" a", " ", None])).to_pylist(), ids_of(pa.array([7.0, None])).to_pylist()
    ([' a', None, None], ['7', None])
    >>> ids_of(pa.array([7.5])).to_pylist()
    [None]
    """
    cells = Cells.of(column)
    if cells.kind == "string":
        # As they stand: only what decides whether they are blank is trimmed.
        return pc.if_else(pa.array(cells.given), plain(column), pa.scalar(None, pa.large_string()))
    if cells.kind in ("integer", "float"):
        numbers = cells.numbers
        if np.isfinite(numbers).all() and (numbers == np.round(numbers)).all():
            return cells.array.cast(pa.large_string())
    return pa.nulls(len(cells.array), pa.large_string())


def plain(column: pa.Array | pa.ChunkedArray) -> pa.Array:
    """A column as one array, its dictionaries decoded and its strings of one type."""
    array: Any = column
    if pa.types.is_dictionary(array.type):
        array = array.cast(array.type.value_type)
    if pa.types.is_string(array.type) or pa.types.is_string_view(array.type):
        array = array.cast(pa.large_string())
    return array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array


def _kind(of: pa.DataType) -> Kind:
    tests: tuple[tuple[Kind, tuple[Any, ...]], ...] = (
        ("string", (pa.types.is_large_string,)),
        ("boolean", (pa.types.is_boolean,)),
        ("integer", (pa.types.is_integer,)),
        ("float", (pa.types.is_floating, pa.types.is_decimal)),
        ("date", (pa.types.is_date, pa.types.is_timestamp)),
        ("list", (pa.types.is_list, pa.types.is_large_list, pa.types.is_fixed_size_list)),
    )
    for kind, are in tests:
        if any(test(of) for test in are):
            return kind
    return "other"
