"""`schema.toml`: which tables hold the nodes and the relations, what each column is, how to split.

    [nodes.plane]
    table = "planes.csv"
    key = "tailnum"                     # unique, never blank
    name = "model"                      # what people are shown; the key where it is left out
    [nodes.plane.columns]
    year = "numeric"                    # numeric | categorical | boolean | timestamp | text | vector
    seats = { numeric = "n_seats" }     # an attribute named otherwise than its column
    uses = { multi_categorical = "uses", separator = "|" }
    built = { timestamp = "built", format = "%m/%d/%Y" }
    [nodes.airport]
    table = "airports.csv"
    key = "faa"
    [nodes.airport.columns]
    position = { place = ["lat", "lon"] }
    profile = { vector = ["v0", "v1"] }
    city = { address = ["city", "state", "country"] }   # to a place, by a geocoder
    [nodes.route]                       # no table: its nodes are the ids that the relations' tables name
    [relations.visits]
    table = "visits.csv"
    head = { type = "plane", column = "tailnum" }
    tail = { type = "airport", column = "dest" }
    time = "first_flown"                # optional; or { column = "first_flown", format = "%m/%d/%Y" }
    directed = true                     # the default
    on_orphan = "error"                 # or "drop": what becomes of a row that names no row of the node's table
    group = "trip"                      # optional: the column of what the edge was made from (split by = "group")
    [relations.visits.columns]          # optional: the edges' own attributes
    flights = { numeric = "n", before = "last_flown" }  # known only where that date lies before the split's valid
    [split]                             # optional; at random where it is left out
    by = "time"                         # or random, unseen, group: with shares for valid and test
    valid = "2013-09-01"
    test = "2013-10-01"
    type = "plane"                      # with unseen: the node type that is held out
    group = ["visits", "serves"]        # with group: relations that tell each other's edges
    through = ["part_of"]               # with group: where a node stands for its one tail
    negatives = "degree"                # or "uniform", the default, or a table: head, relation, tail, part

With `source = "shop.duckdb"` (or a `.sqlite` file) above all, or a PostgreSQL URL, tables are that database's; else
they are files, found relative to the schema's folder.

A relation's key is its name, or `"headtype.name.tailtype"` in quotes where one name serves several type
pairs.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError, field_validator, model_validator

from relwise.data.files import read_text
from relwise.data.graph import SplitRule
from relwise.data.schema_attribute import AttributeSchema, SchemaPart
from relwise.data.schema_errors import schema_error
from relwise.data.schema_split import SplitSchema
from relwise.errors import InputError, nearest


class NodeSchema(SchemaPart):
    """One node type. Without a table its nodes are the ids that the relations' tables name."""

    table: str | None = None
    key: str | list[str] | None = None
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


class EndSchema(SchemaPart):
    """One end of a relation: a node type and the column of its ids."""

    type: str
    column: str | list[str]


class TimeSchema(SchemaPart):
    """The column that says since when an edge holds, and how its dates are written."""

    column: str
    format: str | None = None


class RelationSchema(SchemaPart):
    """One relation: a table with one edge per row."""

    table: str
    head: EndSchema
    tail: EndSchema
    time: TimeSchema | None = None
    directed: bool = True
    on_orphan: Literal["error", "drop"] = "error"
    group: str | None = None
    columns: dict[str, Any] = Field(default_factory=dict)

    @field_validator("time", mode="before")
    @classmethod
    def _column(cls, given: object) -> object:
        return {"column": given} if isinstance(given, str) else given

    @property
    def attributes(self) -> dict[str, AttributeSchema]:
        return {name: AttributeSchema.parse(name, given) for name, given in self.columns.items()}

    def name(self, key: str) -> str:
        """The relation's name: its key, without the types where the key is `headtype.name.tailtype`."""
        before, after = f"{self.head.type}.", f".{self.tail.type}"
        inner = key.removeprefix(before).removesuffix(after)
        return inner if inner and key == f"{before}{inner}{after}" else key


class Schema(SchemaPart):
    """A whole `schema.toml`."""

    source: str | None = None
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
        for kind in ("nodes", "relations"):
            parts = given.get(kind) if isinstance(given, dict) else None
            for part, whole in parts.items() if isinstance(parts, dict) else ():
                columns = whole.get("columns") if isinstance(whole, dict) else None
                for name, attribute in columns.items() if isinstance(columns, dict) else ():
                    _at(f"{kind}.{part}.columns.{name}", AttributeSchema.parse, name, attribute)
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
        if self.split is not None:
            self._check_split(self.split)
        used = {end.type for relation in self.relations.values() for end in (relation.head, relation.tail)}
        for name, node in self.nodes.items():
            if node.table is None and name not in used:
                raise InputError(
                    "it has no table and no relation names it", where=f"nodes.{name}", remedy="leave it out"
                )
        return self

    def _check_split(self, split: SplitSchema) -> None:
        if split.type is not None and split.type not in self.nodes:
            remedy = nearest(split.type, self.nodes) or f"the node types are {', '.join(self.nodes)}"
            raise InputError(f"there is no node type {split.type!r}", where="split.type", remedy=remedy)
        names = {r.name(key) for key, r in self.relations.items()} | set(self.relations)
        for option in ("group", "through"):
            for name in getattr(split, option):
                if name not in names:
                    remedy = nearest(name, names) or f"the relations are {', '.join(self.relations)}"
                    raise InputError(f"there is no relation {name!r}", where=f"split.{option}", remedy=remedy)
        if split.by == "group" and not split.group and not any(r.group for r in self.relations.values()):
            raise InputError(
                "nothing says which edges belong together",
                where="split.by",
                remedy='give relations group = "column", or the split group = ["relation", "relation"]',
            )


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
