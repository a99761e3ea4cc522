"""A graph of one node type from one table of edges: what triples and benchmark folders become."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd

from relwise.data.edges import Edges, IntArray, edge_keys
from relwise.data.graph import PARTS, Graph, NodeType, Relation, SplitRule, counted


def graph_from_frame(
    frame: pd.DataFrame,
    parts: npt.NDArray[np.int8] | None,
    *,
    node_type: str = "node",
    directed: bool = True,
    negatives: Mapping[str, pd.DataFrame] | None = None,
) -> Graph:
    """A graph of one node type from a table of string columns `head`, `relation`, `tail`.

    An edge repeated within a part is kept once; one that stands in several parts stays in each, and
    `relwise.data.audit` tells the measures without it; a negative that is a known edge is left out. All of it
    is noted.

    Args:
        frame: one row per edge. Nodes are numbered by first appearance in it, then in the negatives.
        parts: (rows,) 0 train, 1 valid, 2 test, or None where no split is given.
        node_type: the name of the one node type.
        directed: whether the relations are directed.
        negatives: rows of the same columns that do not hold, for `"valid"` and `"test"`.
    """
    negatives = negatives or {}
    ends = [frame[["head", "tail"]].to_numpy(dtype=object).ravel()]
    ends += [table[["head", "tail"]].to_numpy(dtype=object).ravel() for table in negatives.values()]
    ids = pd.Index(pd.unique(np.concatenate(ends)), dtype=object)
    named = [table["relation"].to_numpy(dtype=object) for table in (frame, *negatives.values())]
    names = pd.Index(pd.unique(np.concatenate(named)), dtype=object)

    def indexed(table: pd.DataFrame) -> Edges:
        columns = (table[c].to_numpy(dtype=object) for c in ("head", "relation", "tail"))
        heads, relations, tails = (
            np.asarray(index.get_indexer(pd.Index(column, dtype=object)), dtype=np.int64)
            for index, column in zip((ids, names, ids), columns, strict=True)
        )
        return Edges(heads, relations, tails)

    edges = indexed(frame)
    exact = edge_keys(edges.heads, edges.relations, edges.tails, len(ids), np.ones(len(names), dtype=bool))
    codes = np.zeros(len(edges), dtype=np.int8) if parts is None else parts
    repeated = pd.DataFrame({"edge": exact, "part": codes}).duplicated().to_numpy()
    notes = _repetition_notes(exact, repeated, None if parts is None else codes)
    if repeated.any():
        edges, parts = edges[~repeated], None if parts is None else parts[~repeated]
    directions = np.full(len(names), directed)
    known = edge_keys(edges.heads, edges.relations, edges.tails, len(ids), directions)
    refuted = {}
    for part, table in negatives.items():
        false = indexed(table)
        holds = np.isin(edge_keys(false.heads, false.relations, false.tails, len(ids), directions), known)
        refuted[part] = false[~holds] if holds.any() else false
        if holds.any():
            notes += (f"{counted(int(holds.sum()), 'negative')} of {part} left out, standing among the known edges",)
    return Graph(
        node_types=(NodeType(node_type, ids),),
        relations=tuple(Relation(str(name), node_type, node_type, directed) for name in names),
        edges=edges,
        parts=parts,
        negatives=refuted,
        split_rule=SplitRule("random" if parts is None else "given"),
        notes=notes,
    )


def _repetition_notes(
    exact: IntArray, repeated: npt.NDArray[np.bool_], parts: npt.NDArray[np.int8] | None
) -> tuple[str, ...]:
    """Repetitions within a part, which are dropped, and across parts, which are not."""
    if parts is None:
        count = int(repeated.sum())
        return (f"{counted(count, 'repeated edge')} dropped",) if count else ()
    notes = []
    for code, part in enumerate(PARTS):
        dropped = int((repeated & (parts == code)).sum())
        if dropped:
            notes.append(f"{counted(dropped, 'repeated edge')} of {part} dropped")
        here = exact[~repeated & (parts == code)]
        earlier = int(np.isin(here, exact[parts < code]).sum())
        if earlier:
            verb = "stands" if earlier == 1 else "stand"
            notes.append(f"{counted(earlier, 'edge')} of {part} {verb} also in an earlier part")
    return tuple(notes)
