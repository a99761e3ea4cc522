"""One table as it is inspected: a sample of its rows for what its columns are, whole columns for what they refer to."""

from __future__ import annotations

from functools import cached_property

import numpy as np
import pandas as pd
import pyarrow as pa

from relwise.data.inspect.cells import Cells, ids_of
from relwise.data.inspect.column import Column, inspect_column
from relwise.data.sources import Source
from relwise.errors import InputError

SAMPLE_ROWS = 200_000
"""Rows that modalities are judged by, spread evenly over the table; keys are judged by all rows."""


class Table:
    """A table of a source.

    Args:
        source: where it lies.
        name: what the source calls it.
        sample_rows: how many rows are looked at where all are not needed.
    """

    def __init__(self, source: Source, name: str, sample_rows: int = SAMPLE_ROWS) -> None:
        self.source, self.name = source, name
        self.columns = source.columns(name)
        self.rows = source.count(name) if self.columns else 0
        self._step = max(1, -(-self.rows // sample_rows))
        self._ids: dict[tuple[str, ...], pa.ChunkedArray] = {}

    def __repr__(self) -> str:
        return f"Table({self.name!r}, {self.rows} rows)"

    @cached_property
    def sample(self) -> pa.Table:
        """The rows that modalities are judged by."""
        return self._read(None, self._step)

    @cached_property
    def found(self) -> dict[str, Column]:
        """What each column is, by its name."""
        return {name: inspect_column(name, self.cells(name)) for name in self.columns}

    def cells(self, column: str) -> Cells:
        """A column of the sample."""
        return Cells.of(self.sample[column])

    def ids(self, columns: tuple[str, ...]) -> pa.ChunkedArray:
        """(rows,) the ids that one column, or several together, name; null where one of them is blank."""
        if columns not in self._ids:
            whole = self.sample if self._step == 1 else self._read(list(columns), 1)
            self._ids[columns] = joined([ids_of(whole[name]) for name in columns])
        return self._ids[columns]

    def key_index(self, columns: tuple[str, ...]) -> pd.Index | None:
        """The ids as an index, where they could be the table's key: none blank, none twice."""
        if columns not in self._indices:
            ids = self.ids(columns)
            index = None if ids.null_count or not len(ids) else pd.Index(strings(ids), dtype=object)
            self._indices[columns] = index if index is not None and index.is_unique else None
        return self._indices[columns]

    @cached_property
    def _indices(self) -> dict[tuple[str, ...], pd.Index | None]:
        return {}

    def _read(self, columns: list[str] | None, step: int) -> pa.Table:
        """Every `step`-th row."""
        batches, passed = [], 0
        for batch in self.source.batches(self.name, columns):
            taken = np.arange(-passed % step, batch.num_rows, step)
            batches.append(pa.Table.from_batches([batch if step == 1 else batch.take(pa.array(taken))]))
            passed += batch.num_rows
        try:
            return pa.concat_tables(batches, promote_options="permissive")
        except pa.ArrowException:
            raise InputError(
                "a column's type changes within the table",
                where=self.source.where(self.name),
                remedy="write one type in each column",
            ) from None


def joined(parts: list[pa.Array]) -> pa.ChunkedArray:
    """Ids of several columns as one, the parts joined by `|`.

    >>> joined([pa.array(["a", "b"]), pa.array(["1", None])]).to_pylist()
    ['a|1', None]
    """
    if len(parts) == 1:
        return pa.chunked_array(parts)
    columns = [pd.Series(part.to_numpy(zero_copy_only=False), dtype=object) for part in parts]
    blank = np.any([column.isna() for column in columns], axis=0)
    whole = columns[0].where(~blank, "").astype(str)
    for column in columns[1:]:
        whole = whole + "|" + column.where(~blank, "").astype(str)
    return pa.chunked_array([pa.array(whole.where(~blank, None), pa.large_string())])


def strings(ids: pa.ChunkedArray) -> np.ndarray:
    """Ids as an array of objects."""
    return np.array(ids.to_numpy(zero_copy_only=False), dtype=object)
