"""A graph from node and relation tables, as a `schema.toml` describes them.

Tables are those of the schema's source, or files relative to the schema's folder. Where a type has a table, every
edge must end in one of its rows; where it has none, its nodes are the ids that the relations' tables name, by first
appearance. A row of a relation table is an edge. Where that table is also the node table of one of its ends (a
foreign key among a node's columns), a blank says that there is no edge. Rows that state the same fact (for an
undirected relation: either way round) are one edge: the earliest row's, with its values.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from relwise.data.attribute_table import attribute_columns, check_before, read_attributes
from relwise.data.columns import words
from relwise.data.edges import Edges, IntArray, edge_keys
from relwise.data.given_negatives import COLUMNS, with_negatives
from relwise.data.graph import Attribute, Graph, NodeType, Relation, counted
from relwise.data.numbering import Numbering
from relwise.data.relation_table import SIDES, RelationTable, read_relation
from relwise.data.schema import NodeSchema, RelationSchema, Schema, read_schema
from relwise.data.sources import Source, open_source
from relwise.data.sources.folder import FolderSource
from relwise.data.tables import check_rows
from relwise.errors import InputError

if TYPE_CHECKING:
    from relwise.data.geocode import Geocoder


def read_tables(path: str | Path, geocoder: Geocoder | None = None, folder: str | Path | None = None) -> Graph:
    """The graph that a schema file and its tables describe.

    Args:
        path: the schema file.
        geocoder: what finds addresses; None: the one that needs no network.
        folder: what the schema's tables, or its source, are relative to; None: the schema's own folder.
    """
    path = Path(path)
    schema, beside = read_schema(path), path.parent if folder is None else Path(folder)
    source = FolderSource(beside) if schema.source is None else open_source(schema.source, beside)
    return _Reader(schema, source, path, geocoder).graph()


class _Reader:
    """Reads nodes first, then relations, and collects notes."""

    def __init__(self, schema: Schema, source: Source, path: Path, geocoder: Geocoder | None) -> None:
        self.schema, self.source, self.path, self.geocoder = schema, source, path, geocoder
        self.rule = schema.split_rule
        self.notes: list[str] = []

    def graph(self) -> Graph:
        self.check()
        given = {name: self.nodes(name, node) for name, node in self.schema.nodes.items() if node.table}
        ids = {name: pa.array(node.ids, pa.large_string()) for name, node in given.items()}
        node_tables = {name: node.table for name, node in self.schema.nodes.items()}
        groups = Numbering()
        tables: dict[str, RelationTable] = {}
        for key, relation in self.schema.relations.items():
            tables[key] = read_relation(self.source, key, relation, ids, node_tables, groups)
            self.notes.extend(tables[key].notes)
        unions = {name: self.union(name, tables) for name in self.schema.nodes if name not in given}
        types = tuple(given[name] if name in given else unions[name][0] for name in self.schema.nodes)
        moves = {end: move for _, _, moved in unions.values() for end, move in moved.items()}
        offsets = np.concatenate([[0], np.cumsum([len(node_type) for node_type in types])])
        start = {node_type.name: int(offset) for node_type, offset in zip(types, offsets[:-1], strict=True)}
        parts, attributes, group_parts = [], {}, []
        for code, (key, relation) in enumerate(self.schema.relations.items()):
            table = tables.pop(key)
            ends = []
            for side in SIDES:
                found = getattr(table, side)
                found = moves[key, side][found] if (key, side) in moves else found.astype(np.int64)
                ends.append(found + start[getattr(relation, side).type])
            edges = Edges(ends[0], np.full(len(table.times), code), ends[1], table.times)
            keep = self.distinct(key, relation, edges, int(offsets[-1]))
            attributes[code] = self.edge_attributes(key, relation, table, keep)
            parts.append(edges if keep is None else edges[keep])
            of_group = np.full(len(edges), -1) if table.groups is None else table.groups
            group_parts.append(of_group if keep is None else of_group[keep])
        edges = Edges.concatenate(*parts)
        if not any(relation.time for relation in self.schema.relations.values()):
            edges = Edges(edges.heads, edges.relations, edges.tails)
        graph = Graph(
            types,
            tuple(
                Relation(relation.name(key), relation.head.type, relation.tail.type, relation.directed)
                for key, relation in self.schema.relations.items()
            ),
            edges,
            split_rule=self.rule,
            notes=tuple(self.notes),
            edge_attributes={code: some for code, some in attributes.items() if some},
            groups=np.concatenate(group_parts) if any(r.group for r in self.schema.relations.values()) else None,
        )
        negatives = None if self.schema.split is None else self.schema.split.negatives_table
        if negatives is None:
            return graph
        every = [ids[name] if name in ids else unions[name][1] for name in self.schema.nodes]
        return with_negatives(graph, self.source, negatives, every)

    def check(self) -> None:
        """Tables, columns and options before any row is read: what is wrong with them shall not come late."""
        for name, node in self.schema.nodes.items():
            check_before(node, f"nodes.{name}", self.path, self.rule)
            if node.table is not None:
                self.source.check_columns(node.table, _node_columns(node))
        for key, relation in self.schema.relations.items():
            check_before(relation, f"relations.{key}", self.path, self.rule)
            columns = [*_listed(relation.head.column), *_listed(relation.tail.column)]
            columns += [] if relation.time is None else [relation.time.column]
            columns += [] if relation.group is None else [relation.group]
            self.source.check_columns(relation.table, [*columns, *attribute_columns(relation.attributes)])
        if self.schema.split is not None and self.schema.split.negatives_table is not None:
            self.source.check_columns(self.schema.split.negatives_table, COLUMNS)

    def nodes(self, name: str, schema: NodeSchema) -> NodeType:
        """A node type that has a table."""
        assert schema.table is not None
        assert schema.key is not None
        where = partial(self.source.where, schema.table)
        frame = self.source.read(schema.table, _node_columns(schema))
        check_rows(self.source, schema.table, len(frame))
        ids, column = words(frame, schema.key, where), ", ".join(_listed(schema.key))
        blank = np.asarray(pd.isna(ids))
        if blank.any():
            place = where(int(np.argmax(blank)), column)
            raise InputError("the id is blank", where=place, remedy="fill it in or delete the row")
        repeated = pd.Index(ids).duplicated()
        if repeated.any():
            row = int(np.argmax(repeated))
            first = where(int(np.argmax(ids == ids[row]))).rsplit(", ", 1)[1]
            raise InputError(
                f"the id {ids[row]!r} stands also in {first}", where=where(row, column), remedy="keep one of the rows"
            )
        labels = None if schema.name in (None, schema.key) else words(frame, schema.name, where)
        attributes, notes = read_attributes(self.source, schema.table, frame, schema, name, self.rule, self.geocoder)
        self.notes.extend(notes)
        return NodeType(name, pd.Index(ids, dtype=object), labels, attributes)

    def union(
        self, name: str, tables: dict[str, RelationTable]
    ) -> tuple[NodeType, pa.Array, dict[tuple[str, str], IntArray]]:
        """A node type without a table, its ids in Arrow, and by relation and side its ends' places among them."""
        numbering = Numbering()
        moves = {
            (key, side): numbering.number(tables[key].named[side])
            for key, relation in self.schema.relations.items()
            for side in SIDES
            if getattr(relation, side).type == name
        }
        return NodeType(name, pd.Index(numbering.values, dtype=object)), numbering.strings, moves

    def edge_attributes(
        self, key: str, schema: RelationSchema, table: RelationTable, keep: IntArray | None
    ) -> tuple[Attribute, ...]:
        """The attributes of a relation's edges, of those kept."""
        if not schema.columns:
            return ()
        frame, rows = table.attributes, table.rows if keep is None else table.rows[keep]
        attributes, notes = read_attributes(
            self.source, schema.table, frame, schema, key, self.rule, self.geocoder, rows
        )
        self.notes.extend(notes)
        return attributes

    def distinct(self, key: str, schema: RelationSchema, edges: Edges, num_nodes: int) -> IntArray | None:
        """The positions of a relation's different edges, of each fact the earliest; None: all are different."""
        assert edges.times is not None
        keys = edge_keys(edges.heads, np.zeros(len(edges)), edges.tails, num_nodes, np.array([schema.directed]))
        keep = _earliest(keys, edges.times)
        count = len(edges) if keep is None else len(keep)
        if keep is not None:
            dropped = counted(len(edges) - len(keep), "repeated edge")
            values = ", with its values" if schema.columns or schema.group else ""
            self.notes.append(f"{dropped} of {key} dropped, the earliest of each kept{values}")
        if count < 2:
            raise InputError(
                f"the relation {key!r} has {'one edge' if count else 'no edge'}",
                where=self.source.place(schema.table),
                remedy="a relation needs at least two edges, one to learn from and one to test on: "
                "add some, or leave it out of the schema",
            )
        return keep


def _earliest(keys: IntArray, times: npt.NDArray[np.datetime64]) -> IntArray | None:
    """The position of each key's earliest row (a row without time comes last), in the order of the rows.

    >>> _earliest(np.array([7, 8, 7]), np.array(["2013-02", "NaT", "2013-01"], "datetime64[us]")).tolist()
    [1, 2]
    """
    ordered = np.sort(keys)
    if not (ordered[1:] == ordered[:-1]).any():
        return None
    repeated = np.flatnonzero(pd.Series(keys).duplicated(keep=False).to_numpy())
    order = repeated[np.lexsort((times[repeated], keys[repeated]))]  # stable, and NaT sorts last
    later = np.zeros(len(keys), dtype=bool)
    later[order[1:]] = keys[order][1:] == keys[order][:-1]
    return np.flatnonzero(~later)


def _listed(columns: str | list[str]) -> list[str]:
    return [columns] if isinstance(columns, str) else columns


def _node_columns(schema: NodeSchema) -> list[str]:
    """The columns of a node table that the schema names, each once."""
    named = [] if schema.key is None else list(_listed(schema.key))
    named += [] if schema.name is None else [schema.name]
    return list(dict.fromkeys([*named, *attribute_columns(schema.attributes)]))
