"""A CSV file (`.tsv`: with tabs). Its cells are strings and `""` is a missing value; nothing is guessed.

It is read once, by Arrow; only where that fails is it read again, row by row, to find what is wrong.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa
import pyarrow.csv

from relwise.data.sources.base import check_names, first_line
from relwise.data.sources.table_file import TableFile
from relwise.errors import InputError

LONGEST_ROW = 1 << 25  # 32 MiB, also the size of the blocks read: larger ones are no faster
_FIRST_LINE = 1 << 20
_CLOSE = "close every quote, and double the quotes inside a quoted value"


class CSVFile(TableFile):
    typed = False

    def columns(self) -> list[str]:
        # Lenient: of the rows below it only the columns wanted need be UTF-8.
        header = next(self._records(lenient=True), (1, []))[1]
        if any("\ufffd" in name for name in header):
            self._check_bytes()
        check_names(header, f"{self.path}, row 1")
        return header

    def batches(self, columns: Sequence[str] | None = None) -> Iterator[pa.RecordBatch]:
        header = self.columns()
        names = header if columns is None else list(columns)
        records = self._records(lenient=True)
        if next(records, None) is None or next(records, None) is None:
            return
        with self.open() as file:
            try:
                reader = pyarrow.csv.open_csv(
                    file,
                    read_options=pyarrow.csv.ReadOptions(use_threads=False, block_size=LONGEST_ROW),
                    parse_options=pyarrow.csv.ParseOptions(delimiter=self._delimiter, newlines_in_values=True),
                    convert_options=pyarrow.csv.ConvertOptions(
                        column_types=dict.fromkeys(header, pa.string()),
                        include_columns=names,
                        strings_can_be_null=False,
                    ),
                )
                yield from reader
            except (pa.ArrowException, KeyError) as error:
                raise self._mistake(len(header), first_line(error)) from None

    def row_name(self, row: int) -> str:
        # Read anew: only an error asks, and quoted line ends and blank lines make the line differ from the row.
        try:
            for position, (line, _) in enumerate(self._records(lenient=True)):
                if position == row + 1:
                    return f"row {line}"
        except InputError:
            pass
        return f"row {row + 2}"

    @property
    def _delimiter(self) -> str:
        return "\t" if self.path.suffix.lower() == ".tsv" else ","

    def _mistake(self, width: int, reason: str) -> InputError:
        """The error for a file that could not be parsed: its first row that is not UTF-8, or of another width."""
        where = str(self.path)
        if "straddling" in reason:
            longest = f"a row is longer than {LONGEST_ROW >> 20} MiB"
            return InputError(longest, where=where, remedy=f"put line ends between the rows, and {_CLOSE}")
        try:
            self._check_bytes()
            for line, record in self._records():
                if len(record) != width:
                    few = len(record) < width
                    return InputError(
                        f"{len(record)} field{'' if len(record) == 1 else 's'} where the header has {width}",
                        where=f"{self.path}, row {line}",
                        remedy="add the commas that are missing"
                        if few
                        else 'put a value that holds a comma into quotes "..."',
                    )
        except InputError as error:
            return error
        return InputError(f"cannot be read as CSV: {reason}", where=where, remedy="mend the file's quotes")

    def _check_bytes(self) -> None:
        with self.open() as file:
            for number, line in enumerate(file, 1):
                try:
                    line.decode("utf-8")
                except UnicodeDecodeError as error:
                    what = f"byte 0x{line[error.start]:02x} is not UTF-8"
                    where = f"{self.path}, row {number}"
                    raise InputError(what, where=where, remedy="save the file as UTF-8") from None

    def _records(self, lenient: bool = False) -> Iterator[tuple[int, list[str]]]:
        """Each record that is not a blank line, with the 1-based line on which it begins."""
        csv.field_size_limit(LONGEST_ROW)  # the default of 128 KiB is less than a long text
        with self.open() as file:
            check_first_line(file, self.path, "row")
            text = io.TextIOWrapper(file, "utf-8-sig", errors="replace" if lenient else "strict", newline="")
            reader = csv.reader(text, delimiter=self._delimiter, strict=True)
            line = 1
            try:
                for record in reader:
                    if record:
                        yield line, record
                    line = reader.line_num + 1
            except csv.Error as error:
                long = "field larger" in str(error)
                what = f"a row is longer than {LONGEST_ROW >> 20} MiB" if long else f"cannot be read as CSV: {error}"
                raise InputError(what, where=f"{self.path}, row {line}", remedy=_CLOSE) from None
            except UnicodeDecodeError:
                self._check_bytes()
                raise


def check_first_line(file: BinaryIO, path: Path, word: str) -> None:
    """Raises InputError where a long file's first line does not end: it would all be taken for one row."""
    start = file.read(_FIRST_LINE)
    file.seek(0)
    if len(start) == _FIRST_LINE and b"\n" not in start and b"\r" not in start:
        raise InputError(
            f"the first line is longer than {_FIRST_LINE >> 20} MiB",
            where=f"{path}, {word} 1",
            remedy="put a line end after each row",
        )
