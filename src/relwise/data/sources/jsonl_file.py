"""A file of JSON Lines: one object a line, whose keys are the columns. A key that is left out is missing."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from functools import cached_property, partial
from itertools import islice
from typing import Any

import pyarrow as pa

from relwise.data.sources.csv_file import LONGEST_ROW, check_first_line
from relwise.data.sources.python_cells import PythonCells
from relwise.data.sources.table_file import TableFile
from relwise.errors import InputError

_LINES = 1 << 16  # a batch's: as Python's values they take some ten times the room of Arrow's


class JSONLinesFile(TableFile):
    def columns(self) -> list[str]:
        """All keys, in order of first appearance."""
        return list(self._names)

    @cached_property
    def _names(self) -> dict[str, None]:
        names: dict[str, None] = {}
        for _, row in self._rows(checked=True):
            if not names.keys() >= row.keys():
                names |= dict.fromkeys(row)
        return names

    def batches(self, columns: Sequence[str] | None = None) -> Iterator[pa.RecordBatch]:
        names = self.columns() if columns is None else list(columns)
        lines: list[int] = []
        cells = PythonCells(names, lambda row, column: f"{self.path}, line {lines[row]}, column '{column}'")
        rows = self._rows()
        while taken := list(islice(rows, _LINES)):
            lines.extend(line for line, _ in taken)
            yield cells.batch([[row.get(name) for _, row in taken] for name in names], len(taken))

    def count(self) -> int:
        return sum(1 for _ in self._rows())

    def row_name(self, row: int) -> str:
        try:
            line = next(islice(self._rows(), row, None), (row + 1, None))[0]
        except InputError:
            line = row + 1
        return f"line {line}"

    def _rows(self, checked: bool = False) -> Iterator[tuple[int, dict[str, Any]]]:
        """Each object with its 1-based line; `checked`: for columns of one name, which takes twice the time."""
        with self.open() as file:
            check_first_line(file, self.path, "line")
            for number, line in enumerate(iter(lambda: file.readline(LONGEST_ROW), b""), 1):
                if len(line) == LONGEST_ROW:
                    what = f"the line is longer than {LONGEST_ROW >> 20} MiB"
                    where = f"{self.path}, line {number}"
                    raise InputError(what, where=where, remedy="put a line end after each object")
                if line.strip(b" \t\r\n\xef\xbb\xbf"):
                    yield number, self._row(line, number, checked)

    def _row(self, line: bytes, number: int, checked: bool) -> dict[str, Any]:
        where = f"{self.path}, line {number}"
        try:
            text = line.decode("utf-8-sig" if number == 1 else "utf-8")
            row = json.loads(text, object_pairs_hook=partial(_object, where) if checked else None)
        except InputError:
            raise
        except UnicodeDecodeError as error:
            what = f"byte 0x{line[error.start]:02x} is not UTF-8"
            raise InputError(what, where=where, remedy="save the file as UTF-8") from None
        except json.JSONDecodeError as error:
            what = f"not JSON: {error.msg} at character {error.pos + 1}"
            raise InputError(what, where=where, remedy="write one object a line") from None
        except (RecursionError, ValueError):
            raise InputError("not JSON that can be read", where=where, remedy="write one plain object a line") from None
        if not isinstance(row, dict):
            raise InputError("this is no object", where=where, remedy='write lines like {"id": "a", "size": 3}')
        return row


def _object(where: str, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    row = dict(pairs)
    if len(row) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise InputError(f"two columns are called {twice!r}", where=where, remedy="rename one of them")
    return row
