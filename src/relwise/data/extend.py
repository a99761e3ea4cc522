"""A graph with nodes or edges more, which a trained model scores without training anew.

New nodes stand behind the known ones of their type, so that the nodes of later types move up; new edges stand behind
the known edges. The rows are those of `relwise.data.rows`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from relwise.data.edges import Edges, IntArray
from relwise.data.rows import Rows, RowTable, missing_values
from relwise.errors import InputError, nearest

if TYPE_CHECKING:
    from relwise.data.graph import Attribute, Graph, NodeType


def add_nodes(graph: Graph, node_type: str, rows: Rows) -> Graph:
    """See `Graph.add_nodes`."""
    where = f"add_nodes({node_type!r})"
    if node_type not in graph.type_index:
        remedy = nearest(node_type, graph.type_index) or f"the node types are {', '.join(graph.type_index)}"
        raise InputError(f"there is no node type {node_type!r}", where=where, remedy=remedy)
    index = graph.type_index[node_type]
    known = graph.node_types[index]
    table = RowTable.of(rows, where, ["id"], ["label", *(a.name for a in known.attributes)])
    labels = known.labels
    if labels is not None or "label" in table.columns:
        before = missing_values("text", len(known)) if labels is None else labels
        labels = np.concatenate([before, table.values("label", "text")])
    grown = replace(
        known,
        ids=known.ids.append(_new_ids(table, known)),
        labels=labels,
        attributes=_longer(known.attributes, table),
    )
    end, count = int(graph.offsets[index + 1]), table.count

    def moved(edges: Edges) -> Edges:
        heads, tails = (ends + count * (ends >= end) for ends in (edges.heads, edges.tails))
        return Edges(heads, edges.relations, tails, edges.times)

    return replace(
        graph,
        node_types=(*graph.node_types[:index], grown, *graph.node_types[index + 1 :]),
        edges=moved(graph.edges),
        negatives={part: moved(edges) for part, edges in graph.negatives.items()},
    )


def add_edges(graph: Graph, relation: str, rows: Rows) -> Graph:
    """See `Graph.add_edges`."""
    code = graph.relation_index(relation)
    kind, attributes = graph.relations[code], graph.edge_attributes.get(code, ())
    table = RowTable.of(
        rows, f"add_edges({relation!r})", ["head", "tail"], ["time", *(attribute.name for attribute in attributes)]
    )
    heads, tails = _found(graph, kind.head, "head", table), _found(graph, kind.tail, "tail", table)
    times = table.values("time", "timestamp") if "time" in table.columns else None
    edges = Edges(heads, np.full(table.count, code), tails, times)
    keys, notes = graph.keys(edges), graph.notes
    first = np.zeros(table.count, dtype=bool)
    first[np.unique(keys, return_index=True)[1]] = True
    new = np.flatnonzero(first & ~np.isin(keys, graph.keys(graph.edges)))
    if len(new) < table.count:
        left_out = f"{table.count - len(new):,} of {table.count:,}"
        notes += (f"{left_out} edges added to {relation} left out, being known or standing twice",)
    negatives = dict(graph.negatives)
    for part, false in graph.negatives.items():
        holds = np.isin(graph.keys(false), keys[new])
        if holds.any():
            negatives[part] = false[~holds]
            notes += (f"{int(holds.sum()):,} of the negatives of {part} left out, being among the edges added",)
    longer = {code: _longer(attributes, table, new)} if attributes else {}
    return replace(
        graph,
        edges=_joined(graph.edges, edges[new]),
        parts=None if graph.parts is None else np.concatenate([graph.parts, np.zeros(len(new), np.int8)]),
        negatives=negatives,
        notes=notes,
        edge_attributes={**graph.edge_attributes, **longer},
        groups=None if graph.groups is None else np.concatenate([graph.groups, np.full(len(new), -1)]),
    )


def _new_ids(table: RowTable, known: NodeType) -> pd.Index:
    """The ids of new nodes. Raises InputError at the first that is known already or stands twice."""
    ids = pd.Index(table.ids("id"), dtype=object)
    for wrong, what, remedy in (
        (known.ids.get_indexer(ids) >= 0, "is known already", "leave the row out"),
        (ids.duplicated(), "stands twice", "keep one of the rows"),
    ):
        if wrong.any():
            row = int(np.argmax(wrong))
            raise InputError(f"the {known.name} {ids[row]!r} {what}", where=table.place(row, "id"), remedy=remedy)
    return ids


def _longer(attributes: tuple[Attribute, ...], table: RowTable, chosen: IntArray | None = None) -> tuple:
    """Attributes with the values of the (chosen) rows behind their own."""
    longer = []
    for attribute in attributes:
        known = attribute.values
        new = table.values(attribute.name, attribute.modality, known.shape[1] if known.ndim == 2 else None)
        longer.append(replace(attribute, values=np.concatenate([known, new if chosen is None else new[chosen]])))
    return tuple(longer)


def _found(graph: Graph, node_type: str, side: str, table: RowTable) -> npt.NDArray[np.int64]:
    """The nodes at one end. Raises InputError at the first that the graph has not."""
    ids = table.ids(side)
    index = graph.node_types[graph.type_index[node_type]].ids
    found = np.asarray(index.get_indexer(pd.Index(ids, dtype=object)), dtype=np.int64)
    if (found < 0).any():
        row = int(np.argmax(found < 0))
        graph.node_index(node_type, [ids[row]], where=table.place(row, side))  # which raises
    return found + graph.type_range(node_type)[0]


def _joined(known: Edges, new: Edges) -> Edges:
    """Edges one after the other, with times where either has some."""
    if known.times is None and new.times is None:
        return Edges.concatenate(known, new)

    def timed(edges: Edges) -> Edges:
        times = np.full(len(edges), np.datetime64("NaT", "us")) if edges.times is None else edges.times
        return Edges(edges.heads, edges.relations, edges.tails, times)

    return Edges.concatenate(timed(known), timed(new))
