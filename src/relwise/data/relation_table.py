"""A relation's table: each row's two ends, time and group, as numbers, read some rows at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute

from relwise.data.attribute_table import attribute_columns
from relwise.data.columns import strings
from relwise.data.dates import timestamp
from relwise.data.edges import IntArray
from relwise.data.graph import counted
from relwise.data.numbering import Numbering, positions
from relwise.data.schema import EndSchema, RelationSchema
from relwise.data.sources import Source
from relwise.data.tables import check_rows
from relwise.errors import InputError, nearest

SIDES = ("head", "tail")
SHOWN = 5
"""How many orphans are shown, of however many there are."""
_ROWS = 1 << 20
"""Rows looked up at a time: each look-up hashes all ids of the type, so that fewer rows would cost more time."""
_COMPARED = 20_000
"""Ids among which the one most like an orphan is sought: among a million this would take minutes."""

pc: Any = pyarrow.compute  # its functions are made at import, so that type checkers know none of them


@dataclass(frozen=True, eq=False)
class RelationTable:
    """The edges that a relation's table holds.

    Args:
        rows: (n,) each edge's position in the table.
        head, tail: (n,) the node's position in its type, or, of a type without a table, its number in `named`.
        times: (n,) `datetime64[us]`, all NaT where the relation has no times.
        groups: (n,) the group's number, -1 where there is none; None where the relation names no group.
        attributes: the columns that the edges' attributes are made of, all rows of them.
        named: by side, the ids of a type without a table, in order of first appearance.
        notes: what was left out.
    """

    rows: IntArray
    head: npt.NDArray[np.integer]
    tail: npt.NDArray[np.integer]
    times: npt.NDArray[np.datetime64]
    groups: npt.NDArray[np.integer] | None
    attributes: pd.DataFrame
    named: Mapping[str, pa.Array]
    notes: tuple[str, ...]


def read_relation(
    source: Source,
    key: str,
    schema: RelationSchema,
    ids: Mapping[str, pa.Array],
    node_tables: Mapping[str, str | None],
    groups: Numbering,
) -> RelationTable:
    """Read a relation's table.

    Args:
        source: where it is.
        key: what notes call the relation.
        schema: its schema.
        ids: the ids of each node type that has a table.
        node_tables: each type's table.
        groups: numbers the groups of all relations.

    Raises:
        InputError: where an id is blank, a date is none, or an end is no row of its type's table.
    """
    return _Reader(source, key, schema, ids, node_tables, groups).read()


@dataclass
class _Orphans:
    """What is known of the ids at one end that are no row of their type's table."""

    count: int = 0
    first_row: int = -1
    shown: tuple[str, ...] = ()

    def add(self, rows: IntArray, ids: pa.Array) -> None:
        if not self.count:
            self.first_row = int(rows[0])
        self.count += len(rows)
        if len(self.shown) < SHOWN:
            some = ids.dictionary_encode().dictionary[: 2 * SHOWN].to_pylist()
            self.shown = tuple(dict.fromkeys((*self.shown, *some)))[:SHOWN]

    def named(self) -> str:
        return ", ".join(map(repr, self.shown))


class _Reader:
    def __init__(
        self,
        source: Source,
        key: str,
        schema: RelationSchema,
        ids: Mapping[str, pa.Array],
        node_tables: Mapping[str, str | None],
        groups: Numbering,
    ) -> None:
        self.source, self.key, self.schema, self.ids, self.groups = source, key, schema, ids, groups
        self.node_tables = node_tables
        self.ends: dict[str, EndSchema] = {"head": schema.head, "tail": schema.tail}
        self.numberings = {side: Numbering() for side, end in self.ends.items() if end.type not in ids}
        self.attribute_columns = attribute_columns(schema.attributes)
        self.attributes: list[pa.RecordBatch] = []
        self.orphans = {side: _Orphans() for side in self.ends}
        # A foreign key among a node's columns: there a blank says that there is no edge.
        self.foreign = schema.table in [node_tables[end.type] for end in self.ends.values()]

    def read(self) -> RelationTable:
        parts, start, blank = [], 0, 0
        for frame in self._frames():
            part, left_out = self._part(frame, start)
            parts.append(part)
            start, blank = start + len(frame), blank + left_out
        check_rows(self.source, self.schema.table, start)
        notes = []
        if blank:
            left_out = counted(blank, "row")
            notes.append(f"{left_out} of {self.schema.table} left out of {self.key}, having a blank end")
        for side, orphans in self.orphans.items():
            if orphans.count and self.schema.on_orphan == "error":
                raise self._orphan_error(side, orphans)
            if orphans.count:
                end, left_out = self.ends[side], counted(orphans.count, "row")
                like = f"{orphans.named()}{', ...' if orphans.count > len(orphans.shown) else ''}"
                notes.append(
                    f"{left_out} of {self.schema.table} left out of {self.key}, naming no {end.type} of "
                    f"{self.node_tables[end.type]}: {like}"
                )
        rows, head, tail, times, *groups = (np.concatenate(columns) for columns in zip(*parts, strict=True))
        named = {side: numbering.strings for side, numbering in self.numberings.items()}
        attributes = self.source.frame(self.schema.table, self.attributes, self.attribute_columns)
        return RelationTable(rows, head, tail, times, groups[0] if groups else None, attributes, named, tuple(notes))

    def _frames(self) -> Iterator[pd.DataFrame]:
        """The columns wanted, about a million rows at a time."""
        schema = self.schema
        columns: list[str] = []
        for end in self.ends.values():
            columns += [end.column] if isinstance(end.column, str) else end.column
        columns += [] if schema.time is None else [schema.time.column]
        columns += [] if schema.group is None else [schema.group]
        columns, own = list(dict.fromkeys(columns)), self.attribute_columns
        waiting: list[pa.RecordBatch] = []
        # Attributes are read in the same pass: a database promises no order in which it gives the rows again.
        for batch in self.source.batches(schema.table, [*columns, *(name for name in own if name not in columns)]):
            self.attributes.extend([batch.select(own)] if own else [])
            waiting.append(batch.select(columns))
            if sum(one.num_rows for one in waiting) >= _ROWS:
                yield self.source.frame(schema.table, waiting)
                waiting = []
        if waiting:
            yield self.source.frame(schema.table, waiting)

    def _part(self, frame: pd.DataFrame, start: int) -> tuple[list[npt.NDArray], int]:
        """The edges of some rows, and how many rows were left out for a blank end."""
        schema = self.schema

        def where(row: int | None, column: str | None) -> str:
            return self.source.where(schema.table, None if row is None else row + start, column)

        ids = {side: strings(frame, end.column, where) for side, end in self.ends.items()}
        keep = np.ones(len(frame), dtype=bool)
        for side, end in self.ends.items():
            blank = np.asarray(ids[side].is_null())
            if blank.any() and not self.foreign:
                column = end.column if isinstance(end.column, str) else ", ".join(end.column)
                place = where(int(np.argmax(blank)), column)
                raise InputError("the id is blank", where=place, remedy="fill it in or delete the row")
            keep &= ~blank
        left_out = int((~keep).sum())
        rows = np.arange(start, start + len(frame))
        found = {}
        for side, end in self.ends.items():
            if side in self.numberings:
                continue
            found[side] = positions(ids[side], self.ids[end.type]).astype(np.int32)
            orphan = keep & (found[side] < 0)
            if orphan.any():
                self.orphans[side].add(rows[orphan], ids[side].filter(pa.array(orphan)))
                keep = keep & ~orphan if schema.on_orphan == "drop" else keep
        for side, numbering in self.numberings.items():
            # Of the rows kept alone: what only a row left out names is no node.
            kept = ids[side] if keep.all() else pc.if_else(pa.array(keep), ids[side], None)
            found[side] = numbering.number(kept).astype(np.int32)
        nothing = np.full(len(frame), np.datetime64("NaT", "us"))
        time = schema.time
        times = nothing if time is None else timestamp(frame, time.column, where, time.format)
        columns = [rows, found["head"], found["tail"], times]
        if schema.group is not None:
            columns.append(self.groups.number(strings(frame, schema.group, where)))
        return columns if keep.all() else [column[keep] for column in columns], left_out

    def _orphan_error(self, side: str, orphans: _Orphans) -> InputError:
        end = self.ends[side]
        table = self.node_tables[end.type]
        column = end.column if isinstance(end.column, str) else ", ".join(end.column)
        place = self.source.where(self.schema.table, orphans.first_row, column)
        if orphans.count == 1:
            what = f"there is no {end.type} {orphans.shown[0]!r} in {table}"
            ids = self.ids[end.type]
            remedy = nearest(orphans.shown[0], ids.to_pylist()) if len(ids) <= _COMPARED else ""
            remedy = remedy or f"add it to {table}, delete the row"
            return InputError(what, where=place, remedy=f'{remedy}, or leave such rows out: on_orphan = "drop"')
        what = (
            f"{orphans.count:,} rows name no {end.type} of {table}: {orphans.named()}"
            f"{', ...' if orphans.count > len(orphans.shown) else ''}"
        )
        remedy = f'add them to {table}, or leave such rows out of {self.key}: on_orphan = "drop"'
        return InputError(what, where=place, remedy=remedy)
