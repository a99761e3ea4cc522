"""Python's values as Arrow columns, each of one type: for formats whose cells have types, not their columns."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pyarrow as pa

from relwise.data.sources.base import first_line
from relwise.errors import InputError

_KINDS: dict[type, str] = {
    bool: "true or false",
    int: "a number",
    float: "a number",
    str: "text",
    bytes: "bytes",
    list: "a list",
    dict: "an object",
}


class PythonCells:
    """Makes batches of Python's values, and refuses a column whose cells are of several kinds.

    Whole numbers and fractions are one kind. Text that is blank beside numbers is a missing value.

    Args:
        names: the columns.
        where: the place of a cell, from its row (from 0) and column.
    """

    def __init__(self, names: Sequence[str], where: Callable[[int, str], str]) -> None:
        self.names, self.where = list(names), where
        self._kinds: dict[str, tuple[str, int]] = {}
        self._rows = 0

    def batch(self, columns: Sequence[Sequence[Any]], count: int) -> pa.RecordBatch:
        """The next `count` rows, given column by column."""
        arrays = [self._array(name, cells) for name, cells in zip(self.names, columns, strict=True)]
        self._rows += count
        return pa.RecordBatch.from_arrays(arrays, names=self.names)

    def _array(self, name: str, cells: Sequence[Any]) -> pa.Array:
        kinds = {_KINDS[kind] for kind in set(map(type, cells)) if kind is not type(None)}
        known = self._kinds.get(name)
        if len(kinds | ({known[0]} if known else set())) > 1:
            cells = [None if isinstance(cell, str) and not cell.strip() else cell for cell in cells]
            self._check(name, cells)
        elif kinds and known is None:
            row = next(i for i, cell in enumerate(cells) if cell is not None)
            # A column that begins with blank text may yet turn out to be one of numbers.
            if kinds != {"text"} or any(map(str.strip, filter(None, cells))):
                self._kinds[name] = kinds.pop(), self._rows + row
        try:
            array = pa.array(cells)
        except (pa.ArrowException, OverflowError, TypeError, ValueError) as error:
            raise InputError(
                f"it cannot be one column: {first_line(error)}",
                where=self.where(self._rows, name),
                remedy="write values of one kind, large numbers as text",
            ) from None
        return array

    def _check(self, name: str, cells: Sequence[Any]) -> None:
        for row, cell in enumerate(cells, self._rows):
            if cell is None:
                continue
            kind, first = self._kinds.setdefault(name, (_KINDS[type(cell)], row))
            if kind != _KINDS[type(cell)]:
                shown = repr(cell) if len(repr(cell)) <= 60 else repr(cell)[:57] + "..."
                earlier = self.where(first, name).rsplit(", column", 1)[0].rsplit(", ", 1)[1]
                raise InputError(
                    f"{shown} is {_KINDS[type(cell)]}, and in {earlier} the column holds {kind}",
                    where=self.where(row, name),
                    remedy="write one kind of value in a column, or leave the cell empty",
                )
