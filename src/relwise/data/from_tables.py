"""A graph from node and relation tables, as a `schema.toml` describes them.

Tables lie where the schema says, relative to the schema's folder. Where a type has a table, every edge must
end in one of its rows; where it has none, its nodes are the ids that the relations' tables name, by first
appearance. A row of a relation table is an edge. Where that table is also the node table of one of its ends
(a foreign key among a node's columns), a blank says that there is no edge. Rows that state the same fact (for
an undirected relation: either way round) are one edge with the earliest of their times.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from relwise.data.columns import convert, timestamp, words
from relwise.data.edges import Edges, IntArray, edge_keys
from relwise.data.graph import Attribute, Graph, NodeType, Relation, counted
from relwise.data.schema import NodeSchema, RelationSchema, Schema, read_schema
from relwise.data.tables import cell, column_of, read_table
from relwise.errors import InputError, nearest


def read_tables(path: str | Path) -> Graph:
    """The graph that a schema file and its tables describe.

    Args:
        path: the schema file.
    """
    path = Path(path)
    return _Reader(read_schema(path), path.parent).graph()


class _Reader:
    """Reads each table once, and collects notes."""

    def __init__(self, schema: Schema, folder: Path) -> None:
        self.schema, self.folder = schema, folder
        self.tables: dict[Path, pd.DataFrame] = {}
        self.notes: list[str] = []

    def graph(self) -> Graph:
        given = {name: self.nodes(name, node) for name, node in self.schema.nodes.items() if node.table}
        ends = {key: self.ends(key, relation) for key, relation in self.schema.relations.items()}
        types = tuple(given[name] if name in given else self.union(name, ends) for name in self.schema.nodes)
        relations = tuple(
            Relation(schema.name(key), schema.head.type, schema.tail.type, schema.directed)
            for key, schema in self.schema.relations.items()
        )
        offsets = np.concatenate([[0], np.cumsum([len(node_type) for node_type in types])])
        start = {node_type.name: int(offset) for node_type, offset in zip(types, offsets[:-1], strict=True)}
        index = {node_type.name: node_type.ids for node_type in types}
        parts = []
        for code, (key, relation) in enumerate(self.schema.relations.items()):
            table = ends[key]
            head = self.found(relation, "head", table, index[relation.head.type]) + start[relation.head.type]
            tail = self.found(relation, "tail", table, index[relation.tail.type]) + start[relation.tail.type]
            edges = Edges(head, np.full(len(head), code), tail, table["time"].to_numpy(dtype="datetime64[us]"))
            parts.append(self.distinct(key, relation, edges, int(offsets[-1])))
        edges = Edges.concatenate(*parts)
        if not any(relation.time for relation in self.schema.relations.values()):
            edges = Edges(edges.heads, edges.relations, edges.tails)
        return Graph(types, relations, edges, split_rule=self.schema.split_rule, notes=tuple(self.notes))

    def table(self, name: str) -> tuple[pd.DataFrame, Path]:
        path = self.folder / name
        if path not in self.tables:
            self.tables[path] = read_table(path)
        return self.tables[path], path

    def nodes(self, name: str, schema: NodeSchema) -> NodeType:
        """A node type that has a table."""
        assert schema.table is not None
        assert schema.key is not None
        frame, path = self.table(schema.table)
        ids = words(frame, schema.key, path)
        blank = np.asarray(pd.isna(ids))
        if blank.any():
            where = cell(path, int(np.argmax(blank)), schema.key)
            raise InputError("the id is blank", where=where, remedy="fill it in or delete the row")
        repeated = pd.Index(ids).duplicated()
        if repeated.any():
            row = int(np.argmax(repeated))
            first = cell(path, int(np.argmax(ids == ids[row]))).rsplit(" ", 1)[1]
            raise InputError(
                f"the id {ids[row]!r} stands also in row {first}",
                where=cell(path, row, schema.key),
                remedy="keep one of the rows",
            )
        labels = None if schema.name in (None, schema.key) else words(frame, schema.name, path)
        attributes = tuple(
            Attribute(attribute, spec.modality, convert(frame, spec.modality, spec.columns, path))
            for attribute, spec in schema.attributes.items()
        )
        return NodeType(name, pd.Index(ids, dtype=object), labels, attributes)

    def ends(self, key: str, schema: RelationSchema) -> pd.DataFrame:
        """A relation's ids, times and positions in the table: columns `head`, `tail`, `time`, `row`."""
        frame, path = self.table(schema.table)
        column_of(frame, schema.head.column, path)
        table = pd.DataFrame({"row": np.arange(len(frame))})
        table["time"] = (
            np.datetime64("NaT", "us") if schema.time is None else timestamp(frame, schema.time.column, path)
        )
        foreign = schema.table in [self.schema.nodes[end.type].table for end in (schema.head, schema.tail)]
        keep = np.ones(len(frame), dtype=bool)
        for side, end in (("head", schema.head), ("tail", schema.tail)):
            ids = words(frame, end.column, path)
            blank = np.asarray(pd.isna(ids))
            if blank.any() and not foreign:
                where = cell(path, int(np.argmax(blank)), end.column)
                raise InputError("the id is blank", where=where, remedy="fill it in or delete the row")
            table[side] = pd.Series(ids, dtype=object)
            keep &= ~blank
        if not keep.all():
            left_out = counted(int((~keep).sum()), "row")
            self.notes.append(f"{left_out} of {schema.table} left out of {key}, having a blank end")
        return table.take(np.flatnonzero(keep))

    def union(self, name: str, ends: dict[str, pd.DataFrame]) -> NodeType:
        """A node type without a table."""
        found = [
            ends[key][side].to_numpy(dtype=object)
            for key, relation in self.schema.relations.items()
            for side, end in (("head", relation.head), ("tail", relation.tail))
            if end.type == name
        ]
        return NodeType(name, pd.Index(pd.unique(np.concatenate(found)), dtype=object))

    def found(self, schema: RelationSchema, side: str, table: pd.DataFrame, ids: pd.Index) -> IntArray:
        """The position of each id among its type's."""
        named = pd.Index(table[side].to_numpy(dtype=object), dtype=object)
        positions = np.asarray(ids.get_indexer(named), dtype=np.int64)
        if (positions < 0).any():
            first = int(np.argmax(positions < 0))
            end = schema.head if side == "head" else schema.tail
            node_table = self.schema.nodes[end.type].table
            raise InputError(
                f"there is no {end.type} {named[first]!r} in {node_table}",
                where=cell(self.folder / schema.table, int(table["row"].iloc[first]), end.column),
                remedy=nearest(str(named[first]), ids) or f"add it to {node_table}, or delete the row",
            )
        return positions

    def distinct(self, key: str, schema: RelationSchema, edges: Edges, num_nodes: int) -> Edges:
        """A relation's edges, each fact once with the earliest of its times."""
        assert edges.times is not None
        keys = edge_keys(edges.heads, np.zeros(len(edges)), edges.tails, num_nodes, np.array([schema.directed]))
        keep = _earliest(keys, edges.times)
        if len(keep) < len(edges):
            dropped = counted(len(edges) - len(keep), "repeated edge")
            self.notes.append(f"{dropped} of {key} dropped, the earliest of each kept")
        if len(keep) < 2:
            raise InputError(
                f"the relation {key!r} has {'one edge' if len(keep) else 'no edge'}",
                where=str(self.folder / schema.table),
                remedy="a relation needs at least two edges, one to learn from and one to test on: "
                "add some, or leave it out of the schema",
            )
        return edges[keep]


def _earliest(keys: IntArray, times: npt.NDArray[np.datetime64]) -> IntArray:
    """The position of each key's earliest row (a row without time comes last), in the order of the rows.

    >>> _earliest(np.array([7, 8, 7]), np.array(["2013-02", "NaT", "2013-01"], "datetime64[us]")).tolist()
    [1, 2]
    """
    order = np.lexsort((times, keys))  # stable, and NaT sorts last
    first = np.ones(len(keys), dtype=bool)
    first[1:] = keys[order][1:] != keys[order][:-1]
    return np.sort(order[first])
