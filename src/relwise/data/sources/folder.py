"""A folder of table files: CSV, TSV, Parquet and JSON Lines, told by the endings of their names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa

from relwise.data.sources.base import Source
from relwise.data.sources.csv_file import CSVFile
from relwise.data.sources.jsonl_file import JSONLinesFile
from relwise.data.sources.parquet_file import ParquetFile
from relwise.data.sources.table_file import TableFile

_KINDS: dict[str, type[TableFile]] = {
    ".csv": CSVFile,
    ".tsv": CSVFile,
    ".parquet": ParquetFile,
    ".pq": ParquetFile,
    ".jsonl": JSONLinesFile,
    ".ndjson": JSONLinesFile,
}


def table_file(path: str | Path) -> TableFile:
    """The file as its ending says; with any other ending it is read as CSV."""
    return _KINDS.get(Path(path).suffix.lower(), CSVFile)(Path(path))


class FolderSource(Source):
    """The tables of a folder; a table's name is its file's, ending and all.

    Args:
        folder: the folder. A schema may name files elsewhere, relative to it.
        address: what a schema says of it.
    """

    def __init__(self, folder: str | Path, address: str | None = None) -> None:
        self.folder = Path(folder)
        self.name = str(folder)
        self.address = str(folder) if address is None else address
        self._files: dict[str, TableFile] = {}

    def tables(self) -> list[str]:
        return sorted(p.name for p in self.folder.iterdir() if p.suffix.lower() in _KINDS and p.is_file())

    def columns(self, table: str) -> list[str]:
        return self._file(table).columns()

    def batches(self, table: str, columns: Sequence[str] | None = None) -> Iterator[pa.RecordBatch]:
        file = self._file(table)
        self.check_columns(table, columns or ())
        return file.batches(columns)

    def is_typed(self, table: str) -> bool:
        return self._file(table).typed

    def count(self, table: str) -> int:
        return self._file(table).count()

    def row_name(self, table: str, row: int) -> str:
        return self._file(table).row_name(row)

    def place(self, table: str) -> str:
        return str(self.folder / table)

    def _file(self, table: str) -> TableFile:
        if table not in self._files:
            self._files[table] = table_file(self.folder / table)
        return self._files[table]
