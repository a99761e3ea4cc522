"""`TableFile`: one table in one file."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa

from relwise.data.files import open_bytes

BATCH_ROWS = 1 << 18
"""Rows a batch, where the format leaves the choice: a few megabytes of each column."""


class TableFile(ABC):
    """One table in one file. A subclass knows one format.

    Args:
        path: the file. It is looked at only when something of it is asked for.
    """

    typed: bool = True

    def __init__(self, path: Path) -> None:
        self.path = path

    @abstractmethod
    def columns(self) -> list[str]:
        """The columns' names. Raises InputError where two are the same, or the file is no table."""

    @abstractmethod
    def batches(self, columns: Sequence[str] | None = None) -> Iterator[pa.RecordBatch]:
        """The rows, some at a time; of all columns or those wanted, which are there."""

    def count(self) -> int:
        return sum(batch.num_rows for batch in self.batches(self.columns()[:1]))

    def row_name(self, row: int) -> str:
        """How a person finds the row at position `row`, from 0."""
        return f"row {row + 1}"

    def open(self) -> BinaryIO:
        """The file. Raises InputError where it is absent, a folder, unreadable or empty."""
        return open_bytes(self.path)
