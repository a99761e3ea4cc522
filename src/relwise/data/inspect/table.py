"""One table as it is inspected: a sample of its rows for what its columns are, whole columns for what they refer to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from relwise.data.columns import KEY_SEPARATOR
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
        self.step = max(1, -(-self.rows // sample_rows))
        self._ids: dict[tuple[str, ...], Ids] = {}
        self._indices: dict[tuple[str, ...], pd.Index | None] = {}

    def __repr__(self) -> str:
        return f"Table({self.name!r}, {self.rows} rows)"

    @cached_property
    def sample(self) -> pa.Table:
        """The rows that modalities are judged by."""
        return self._read(None, self.step)

    @cached_property
    def found(self) -> dict[str, Column]:
        """What each column is, by its name."""
        return {name: inspect_column(name, self.cells(name)) for name in self.columns}

    def cells(self, column: str) -> Cells:
        """A column of the sample."""
        return Cells.of(self.sample[column])

    def ids(self, columns: tuple[str, ...]) -> Ids:
        """The ids that one column, or several together, name in all rows."""
        if columns not in self._ids:
            whole = self.sample if self.step == 1 else self._read(list(columns), 1)
            self._ids[columns] = Ids.of([whole[name] for name in columns])
        return self._ids[columns]

    def key_index(self, columns: tuple[str, ...]) -> pd.Index | None:
        """The ids as an index, where they could be the table's key: none blank, none twice."""
        if columns not in self._indices:
            # What is twice in the rows that were looked at need not be read whole.
            looked = Ids.of([self.sample[name] for name in columns])
            fits = looked.unique and (self.step == 1 or self.ids(columns).unique)
            self._indices[columns] = pd.Index(self.ids(columns).distinct, dtype=object) if fits else None
        return self._indices[columns]

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


@dataclass(frozen=True, eq=False)
class Ids:
    """The ids that columns name, each kept once.

    Args:
        codes: (rows,) each row's place in `distinct`, -1 where a part is blank.
        distinct: the different ids, as strings; of several columns the parts joined by `|`.

    >>> ids = Ids.of([pa.array(["a", "b", "a"]), pa.array(["1", None, "1"])])
    >>> ids.codes.tolist(), ids.distinct.tolist()
    ([0, -1, 0], ['a|1'])
    """

    codes: npt.NDArray[np.int64]
    distinct: npt.NDArray[np.object_]

    @staticmethod
    def of(columns: Sequence[pa.Array | pa.ChunkedArray]) -> Ids:
        """From the columns as a source reads them."""
        parts = [_coded(ids_of(column)) for column in columns]
        codes, distinct = parts[0]
        for more, others in parts[1:]:
            both = np.where((codes < 0) | (more < 0), -1, codes * len(others) + more)
            codes, found = pd.factorize(both)
            pairs = np.asarray(found)
            whole = [f"{distinct[i // len(others)]}{KEY_SEPARATOR}{others[i % len(others)]}" for i in pairs[pairs >= 0]]
            # Parts that hold the separator can make one id in two ways.
            again, found = pd.factorize(np.array([*whole, None], dtype=object)[:-1])
            distinct = np.asarray(found, dtype=object)
            places = np.full(len(pairs) + 1, -1)
            places[:-1][pairs >= 0] = again
            codes = places[codes]
        return Ids(codes, distinct)

    @property
    def blank(self) -> int:
        """How many rows name nothing."""
        return int((self.codes < 0).sum())

    @property
    def unique(self) -> bool:
        """Whether every row names something of its own."""
        return len(self.distinct) == len(self.codes) > 0

    def held_by(self, key: pd.Index) -> npt.NDArray[np.bool_]:
        """(rows,) whether a key holds what each row names."""
        known = np.append(key.get_indexer(pd.Index(self.distinct, dtype=object)) >= 0, False)
        return known[self.codes]

    def same_as(self, other: Ids) -> npt.NDArray[np.bool_]:
        """(rows,) whether a row says the same in both."""
        places = pd.Index(other.distinct, dtype=object).get_indexer(pd.Index(self.distinct, dtype=object))
        return (np.append(places, -1)[self.codes] == other.codes) & (other.codes >= 0)


def _coded(ids: pa.Array) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.object_]]:
    encoded = ids.dictionary_encode()
    codes = encoded.indices.cast(pa.int64()).fill_null(-1).to_numpy(zero_copy_only=False)
    return codes, np.array([*encoded.dictionary.to_pylist(), None], dtype=object)[:-1]
