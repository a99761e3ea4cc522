"""Negatives that a person gives as a table: edges that do not hold, for valid and test.

| column | what it holds |
| --- | --- |
| `head`, `tail` | ids of nodes of the relation's types |
| `relation` | the relation's name, or its full name `headtype.name.tailtype` |
| `part` | `valid` or `test` |
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from relwise.data.columns import strings
from relwise.data.edges import Edges, IntArray
from relwise.data.graph import Graph, counted
from relwise.data.numbering import positions
from relwise.data.sources import Source
from relwise.data.tables import check_rows
from relwise.errors import InputError

COLUMNS = ("head", "relation", "tail", "part")
PARTS = ("valid", "test")


def with_negatives(graph: Graph, source: Source, table: str, ids: Sequence[pa.Array]) -> Graph:
    """The graph with the negatives that a table gives; one that is a known edge is left out and noted.

    Args:
        graph: the graph.
        source: where the table is.
        table: its name.
        ids: the ids of each node type, in the graph's order.

    Raises:
        InputError: where a cell names no relation, node or part.
    """
    where = partial(source.where, table)
    frame = source.read(table, COLUMNS)
    check_rows(source, table, len(frame))
    cells = {column: strings(frame, column, where) for column in COLUMNS}
    for column in COLUMNS:
        blank = np.asarray(cells[column].is_null())
        if blank.any():
            what = "the id is blank" if column in ("head", "tail") else f"the {column} is blank"
            raise InputError(what, where=where(int(np.argmax(blank)), column), remedy="fill it in or delete the row")
    part = positions(cells["part"], pa.array(PARTS, pa.large_string()))
    if (part < 0).any():
        row = int(np.argmax(part < 0))
        given = cells["part"][row].as_py()
        raise InputError(f"there is no part {given!r}", where=where(row, "part"), remedy="a part is valid or test")
    relations = _relations(graph, cells["relation"], where)
    ends = {"head": np.zeros(len(frame), np.int64), "tail": np.zeros(len(frame), np.int64)}
    for code in np.unique(relations):
        rows = np.flatnonzero(relations == code)
        for side in ends:
            node_type = getattr(graph.relations[code], side)
            known = ids[graph.type_index[node_type]]
            found = positions(cells[side].take(pa.array(rows)), known)
            if (found < 0).any():
                row = int(rows[np.argmax(found < 0)])
                raise InputError(
                    f"there is no {node_type} {cells[side][row].as_py()!r}",
                    where=where(row, side),
                    remedy="name a node of the graph, or delete the row",
                )
            ends[side][rows] = found + graph.type_range(node_type)[0]
    edges = Edges(ends["head"], relations, ends["tail"])
    holds = np.isin(graph.keys(edges), graph.keys(graph.edges))
    notes = tuple(
        f"{counted(int((holds & (part == i)).sum()), 'negative')} of {name} left out, standing among the known edges"
        for i, name in enumerate(PARTS)
        if (holds & (part == i)).any()
    )
    kept = {name: edges[~holds & (part == i)] for i, name in enumerate(PARTS)}
    negatives = {name: some for name, some in kept.items() if len(some)}
    return replace(graph, negatives=negatives, notes=(*graph.notes, *notes))


def _relations(graph: Graph, named: pa.Array, where: Any) -> IntArray:
    """(n,) each row's relation."""
    encoded = named.dictionary_encode()
    indices: npt.NDArray = encoded.indices.to_numpy(zero_copy_only=False)
    codes = []
    for i, name in enumerate(encoded.dictionary.to_pylist()):
        try:
            codes.append(graph.relation_index(name))
        except InputError as error:
            place = where(int(np.argmax(indices == i)), "relation")
            raise InputError(error.what, where=place, remedy=error.remedy) from None
    return np.array(codes, dtype=np.int64)[indices]
