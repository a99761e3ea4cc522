"""`schema.toml`: which tables hold the nodes and the relations, what each column is, how to split.

    [nodes.plane]
    table = "planes.csv"
    key = "tailnum"                     # unique, never blank
    name = "model"                      # what people are shown; the key where it is left out
    [nodes.plane.columns]
    year = "numeric"                    # numeric | categorical | timestamp | text | vector
    seats = { numeric = "n_seats" }     # an attribute named otherwise than its column
    [nodes.airport]
    table = "airports.csv"
    key = "faa"
    [nodes.airport.columns]
    position = { place = ["lat", "lon"] }
    profile = { vector = ["v0", "v1"] }
    [nodes.route]                       # no table: its nodes are the ids that the relations' tables name
    [relations.visits]
    table = "visits.csv"
    head = { type = "plane", column = "tailnum" }
    tail = { type = "airport", column = "dest" }
    time = "first_flown"                # optional
    directed = true                     # the default
    [split]                             # optional; at random where it is left out
    by = "time"                         # or "random", with shares for valid and test
    valid = "2013-09-01"
    test = "2013-10-01"

A relation's key is its name, or `"headtype.name.tailtype"` in quotes where one name serves several type
pairs.
"""

from __future__ import annotations

import datetime
import re
import tomllib
from pathlib import Path
from typing import Any, Literal, cast, get_args

import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from relwise.data.files import read_text
from relwise.data.graph import Modality, SplitRule
from relwise.data.schema_errors import schema_error
from relwise.errors import InputError, nearest

MODALITIES: tuple[str, ...] = get_args(Modality)


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class AttributeSchema(_Part):
    """One attribute: its modality and the column or columns it is made of."""

    modality: Modality
    columns: tuple[str, ...]

    @staticmethod
    def parse(name: str, given: object) -> AttributeSchema:
        """From `"numeric"`, `{ numeric = "column" }` or `{ place = ["lat", "lon"] }`."""
        if isinstance(given, AttributeSchema):
            return given
        table = {given: name} if isinstance(given, str) else given
        if not isinstance(table, dict) or len(table) != 1:
            raise InputError(
                f"{given!r} is no modality",
                remedy=f'give one of {", ".join(MODALITIES)}, or {{ numeric = "column" }}',
            )
        modality, columns = next(iter(table.items()))
        if modality not in MODALITIES:
            remedy = nearest(str(modality), MODALITIES) or f"it is one of {', '.join(MODALITIES)}"
            raise InputError(f"there is no modality {modality!r}", remedy=remedy)
        columns = [columns] if isinstance(columns, str) else columns
        if not isinstance(columns, list) or not columns or not all(isinstance(c, str) for c in columns):
            raise InputError(f"{columns!r} names no columns", remedy=f'write {{ {modality} = "column" }}')
        if modality == "place" and len(columns) != 2:
            raise InputError("a place is two columns", remedy=f'write {name} = {{ place = ["latitude", "longitude"] }}')
        if modality not in ("place", "vector") and len(columns) > 1:
            raise InputError(f"a {modality} attribute is one column", remedy="give each column a line of its own")
        return AttributeSchema(modality=cast(Modality, modality), columns=tuple(columns))


class NodeSchema(_Part):
    """One node type. Without a table its nodes are the ids that the relations' tables name."""

    table: str | None = None
    key: str | None = None
    name: str | None = None
    columns: dict[str, Any] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _whole(self) -> NodeSchema:
        if self.table is not None and self.key is None:
            raise InputError("the key is missing", remedy='name the column of the ids: key = "..."')
        if self.table is None and (self.key is not None or self.name is not None or self.columns):
            raise InputError("the table is missing", remedy='name the file that holds the columns: table = "..."')
        return self

    @property
    def attributes(self) -> dict[str, AttributeSchema]:
        return {name: AttributeSchema.parse(name, given) for name, given in self.columns.items()}


class EndSchema(_Part):
    """One end of a relation: a node type and the column of its ids."""

    type: str
    column: str


class RelationSchema(_Part):
    """One relation: a table with one edge per row."""

    table: str
    head: EndSchema
    tail: EndSchema
    time: str | None = None
    directed: bool = True

    def name(self, key: str) -> str:
        """The relation's name: its key, without the types where the key is `headtype.name.tailtype`."""
        before, after = f"{self.head.type}.", f".{self.tail.type}"
        inner = key.removeprefix(before).removesuffix(after)
        return inner if inner and key == f"{before}{inner}{after}" else key


class SplitSchema(_Part):
    """How the edges are split: by time (the first moment of each part) or at random (shares)."""

    by: Literal["time", "random"]
    valid: float | datetime.date | datetime.datetime | str | None = None
    test: float | datetime.date | datetime.datetime | str | None = None

    @model_validator(mode="after")
    def _fits(self) -> SplitSchema:
        self.rule()
        return self

    def rule(self) -> SplitRule:
        if self.by == "random":
            default = SplitRule()
            valid = _share("valid", default.valid if self.valid is None else self.valid)
            test = _share("test", default.test if self.test is None else self.test)
            if valid + test >= 1:
                raise InputError("valid and test leave nothing to train on", remedy="let them sum to less than 1")
            return SplitRule("random", valid, test)
        valid, test = _moment("valid", self.valid), _moment("test", self.test)
        if not valid < test:
            raise InputError(
                f"valid ({_iso(valid)}) does not begin before test ({_iso(test)})",
                remedy="training ends where valid begins, and valid where test begins",
            )
        return SplitRule("time", _iso(valid), _iso(test))


class Schema(_Part):
    """A whole `schema.toml`."""

    nodes: dict[str, NodeSchema] = Field(min_length=1)
    relations: dict[str, RelationSchema] = Field(min_length=1)
    split: SplitSchema | None = None

    @property
    def split_rule(self) -> SplitRule:
        return SplitRule() if self.split is None else self.split.rule()

    @model_validator(mode="before")
    @classmethod
    def _attributes(cls, given: Any) -> Any:
        # Here, so that an attribute's own error can name its whole path.
        nodes = given.get("nodes") if isinstance(given, dict) else None
        for node_type, node in nodes.items() if isinstance(nodes, dict) else ():
            columns = node.get("columns") if isinstance(node, dict) else None
            for name, attribute in columns.items() if isinstance(columns, dict) else ():
                _at(f"nodes.{node_type}.columns.{name}", AttributeSchema.parse, name, attribute)
        return given

    @model_validator(mode="after")
    def _fits(self) -> Schema:
        seen: dict[tuple[str, str, str], str] = {}
        for key, relation in self.relations.items():
            for side in ("head", "tail"):
                end = getattr(relation, side).type
                if end not in self.nodes:
                    remedy = nearest(end, self.nodes) or f"the node types are {', '.join(self.nodes)}"
                    raise InputError(
                        f"there is no node type {end!r}", where=f"relations.{key}.{side}.type", remedy=remedy
                    )
            if not relation.directed and relation.head.type != relation.tail.type:
                raise InputError(
                    "an undirected relation needs one node type at both ends",
                    where=f"relations.{key}.directed",
                    remedy="set directed = true",
                )
            full = (relation.head.type, relation.name(key), relation.tail.type)
            if full in seen:
                raise InputError(
                    f"it is the same relation as {seen[full]!r}",
                    where=f"relations.{key}",
                    remedy="name one otherwise",
                )
            seen[full] = key
        if self.split is not None and self.split.by == "time" and not any(r.time for r in self.relations.values()):
            raise InputError(
                "the split is by time, and no relation names a time column",
                where="split.by",
                remedy='give a relation time = "column", or split by = "random"',
            )
        used = {end.type for relation in self.relations.values() for end in (relation.head, relation.tail)}
        for name, node in self.nodes.items():
            if node.table is None and name not in used:
                raise InputError(
                    "it has no table and no relation names it", where=f"nodes.{name}", remedy="leave it out"
                )
        return self


def read_schema(path: str | Path) -> Schema:
    """A schema file, validated. Raises one InputError for the first thing that is wrong with it."""
    text = read_text(path)
    try:
        given = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        place = re.search(r" \(at line (\d+), column (\d+)\)$", str(error))
        what = str(error)[: place.start()] if place else str(error)
        where = f"{path}, line {place[1]}, column {place[2]}" if place else str(path)
        raise InputError(f"not TOML: {what}", where=where, remedy="mend the line") from None
    try:
        return Schema.model_validate(given)
    except ValidationError as error:
        raise schema_error(error, Schema, path) from None


def _at(where: str, function: Any, *arguments: object) -> None:
    """Call, and name the key path where it raises InputError."""
    try:
        function(*arguments)
    except InputError as error:
        raise InputError(error.what, where=where, remedy=error.remedy) from None


def _share(name: str, value: object) -> float:
    if not isinstance(value, float | int) or isinstance(value, bool) or not 0 < value < 1:
        raise InputError(f"{name} is {value!r}", remedy='with by = "random" it is a share between 0 and 1')
    return float(value)


def _moment(name: str, value: object) -> pd.Timestamp:
    wrong = InputError(
        f"{name} is missing" if value is None else f"{name} is {str(value)!r}, which is not a date",
        remedy=f'with by = "time" it is a date: {name} = "2013-09-01"',
    )
    if not isinstance(value, str | datetime.date) or not re.match(r"\d{4}-\d{2}", str(value)):
        raise wrong
    try:
        moment = cast(pd.Timestamp, pd.Timestamp(str(value)))
    except ValueError:
        raise wrong from None
    return moment.tz_convert(None) if moment.tzinfo else moment


def _iso(moment: pd.Timestamp) -> str:
    return moment.isoformat() if moment != moment.normalize() else moment.date().isoformat()
