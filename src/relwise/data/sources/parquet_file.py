"""A Parquet file. Its columns keep their types, so that a null (missing) stays apart from a NaN (a mistake)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pyarrow as pa
import pyarrow.parquet

from relwise.data.sources.base import check_names, first_line
from relwise.data.sources.table_file import BATCH_ROWS, TableFile
from relwise.errors import InputError


class ParquetFile(TableFile):
    def columns(self) -> list[str]:
        with self._opened() as file:
            names = file.schema_arrow.names
        check_names(names, str(self.path))
        return names

    def batches(self, columns: Sequence[str] | None = None) -> Iterator[pa.RecordBatch]:
        names = self.columns() if columns is None else list(columns)
        with self._opened() as file:
            for batch in file.iter_batches(BATCH_ROWS, columns=names):
                # A name that holds a dot may have brought parts of a nested column with it.
                yield batch.select(names)

    def count(self) -> int:
        with self._opened() as file:
            return file.metadata.num_rows

    @contextmanager
    def _opened(self) -> Iterator[Any]:
        with self.open() as raw:
            try:
                yield pyarrow.parquet.ParquetFile(raw, pre_buffer=False)
            except InputError:
                raise
            except (pa.ArrowException, OSError, ValueError) as error:
                raise InputError(
                    f"cannot be read as Parquet: {first_line(error)}",
                    where=str(self.path),
                    remedy="write the file anew",
                ) from None
