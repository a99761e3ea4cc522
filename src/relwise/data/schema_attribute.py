"""One attribute of a `schema.toml`: its modality, its columns, how they are read."""

from __future__ import annotations

from typing import get_args

from pydantic import BaseModel, ConfigDict

from relwise.data.graph import Modality
from relwise.errors import InputError, nearest

# What a column may be declared to be: a graph's modalities, and what reading turns into one of them.
MODALITIES: tuple[str, ...] = (*get_args(Modality), "address")
SEPARATOR = "|"


class SchemaPart(BaseModel):
    """A part of a schema: every key known, every type as given."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class AttributeSchema(SchemaPart):
    """One attribute: what it is, the column or columns it is made of, and how to read them.

    Args:
        modality: one of `MODALITIES`.
        columns: the columns.
        separator: between the words of a multi_categorical cell.
        format: of a timestamp, as `strftime` has it; None: ISO 8601.
        before: a column of dates; the value counts only where its date lies before the split's `valid`.
    """

    modality: str
    columns: tuple[str, ...]
    separator: str = SEPARATOR
    format: str | None = None
    before: str | None = None

    @staticmethod
    def parse(name: str, given: object) -> AttributeSchema:
        """From `"numeric"`, `{ numeric = "column" }` or `{ place = ["lat", "lon"] }`, options beside it."""
        if isinstance(given, AttributeSchema):
            return given
        table = {given: name} if isinstance(given, str) else given
        options = {"separator": "multi_categorical", "format": "timestamp", "before": None}
        declared = [key for key in table if key not in options] if isinstance(table, dict) else []
        if not isinstance(table, dict) or len(declared) != 1:
            raise InputError(
                f"{given!r} is no modality",
                remedy=f'give one of {", ".join(MODALITIES)}, or {{ numeric = "column" }}',
            )
        modality, columns = declared[0], table[declared[0]]
        if modality not in MODALITIES:
            remedy = nearest(str(modality), MODALITIES) or f"it is one of {', '.join(MODALITIES)}"
            raise InputError(f"there is no modality {modality!r}", remedy=remedy)
        columns = [columns] if isinstance(columns, str) else columns
        if not isinstance(columns, list) or not columns or not all(isinstance(c, str) for c in columns):
            raise InputError(f"{columns!r} names no columns", remedy=f'write {{ {modality} = "column" }}')
        if modality == "place" and len(columns) != 2:
            raise InputError("a place is two columns", remedy=f'write {name} = {{ place = ["latitude", "longitude"] }}')
        if modality not in ("place", "vector", "address") and len(columns) > 1:
            raise InputError(f"a {modality} attribute is one column", remedy="give each column a line of its own")
        for option, of in options.items():
            if option in table and not (isinstance(table[option], str) and table[option]):
                raise InputError(f"{option} is {table[option]!r}", remedy="give a string that is not empty")
            if option in table and of not in (None, modality):
                raise InputError(f"{option} goes with {of}, not with {modality}", remedy="leave it out")
        return AttributeSchema(
            modality=modality,
            columns=tuple(columns),
            separator=table.get("separator", SEPARATOR),
            format=table.get("format"),
            before=table.get("before"),
        )
