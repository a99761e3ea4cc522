"""The attributes of a table's rows, as a schema declares them; and which values come too late to be known."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np
import numpy.typing as npt
import pandas as pd

from relwise.data.columns import blanked, convert, missing, strings
from relwise.data.dates import timestamp
from relwise.data.edges import IntArray
from relwise.data.graph import Attribute, Modality, SplitRule, counted
from relwise.data.schema import NodeSchema, RelationSchema
from relwise.data.schema_attribute import AttributeSchema
from relwise.data.sources import Source
from relwise.data.tables import Where
from relwise.errors import InputError

if TYPE_CHECKING:
    from relwise.data.geocode import Geocoder


def attribute_columns(specs: Mapping[str, AttributeSchema]) -> list[str]:
    """The columns that attributes are made of, each once."""
    columns = [column for spec in specs.values() for column in (*spec.columns, *([spec.before] if spec.before else []))]
    return list(dict.fromkeys(columns))


def check_before(part: NodeSchema | RelationSchema, key: str, path: Path, rule: SplitRule) -> None:
    """Raises InputError where a value is to be known before a moment that the split does not name.

    Args:
        part: the node type or relation.
        key: its key in the schema.
        path: the schema's file.
        rule: the split.
    """
    for name, spec in part.attributes.items():
        if spec.before is not None and rule.by != "time":
            raise InputError(
                'before = "..." goes with a split by time alone',
                where=f"{path}, key '{key}.columns.{name}'",
                remedy='split by = "time", or leave the attribute out',
            )


def read_attributes(
    source: Source,
    table: str,
    frame: pd.DataFrame,
    part: NodeSchema | RelationSchema,
    name: str,
    rule: SplitRule,
    geocoder: Geocoder | None,
    rows: IntArray | None = None,
) -> tuple[tuple[Attribute, ...], tuple[str, ...]]:
    """The attributes of a table's rows, and notes of what is missing for having come too late.

    Args:
        source: where the table is.
        table: its name.
        frame: its columns.
        part: the node type or relation whose attributes they are.
        name: what notes call it.
        rule: the split, whose `valid` says what comes too late.
        geocoder: what finds addresses.
        rows: (n,) the rows wanted, in the order wanted; None: all.
    """
    where = partial(source.where, table)
    attributes, notes = [], []
    for attribute, spec in part.attributes.items():
        options = {"separator": spec.separator, "format": spec.format, "geocoder": geocoder}
        values = convert(frame, spec.modality, spec.columns, where, **options)
        if spec.modality == "address":
            given = np.any([~np.asarray(strings(frame, c, where).is_null()) for c in spec.columns], axis=0)
            lost = int((missing(values) & given).sum())
            if lost:
                notes.append(f"{counted(lost, 'address')} of {name}.{attribute} not found, and taken as missing")
        late = None if spec.before is None else _late(frame, spec.before, part, where, rule) & ~missing(values)
        values = values if rows is None else values[rows]
        if late is not None:
            late = late if rows is None else late[rows]
            values = blanked(values, late)
            if late.any():
                notes.append(
                    f"{counted(int(late.sum()), 'value')} of {name}.{attribute} taken as missing, not known before "
                    f"{rule.valid} by {spec.before}"
                )
        modality = cast(Modality, "place" if spec.modality == "address" else spec.modality)
        attributes.append(Attribute(attribute, modality, values))
    return tuple(attributes), tuple(notes)


def _late(
    frame: pd.DataFrame, column: str, part: NodeSchema | RelationSchema, where: Where, rule: SplitRule
) -> npt.NDArray[np.bool_]:
    """Which rows have a date at or after the first moment of valid, or none."""
    # The column's format is told where the column is declared as a time itself.
    formats = {one.columns[0]: one.format for one in part.attributes.values() if one.modality == "timestamp"}
    if isinstance(part, RelationSchema) and part.time is not None:
        formats[part.time.column] = part.time.format
    dates = timestamp(frame, column, where, formats.get(column))
    return ~(dates < np.datetime64(str(rule.valid), "us"))
