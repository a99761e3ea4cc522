"""`Graph`: typed nodes with attributes in one index space, and the typed edges known between them.

Nodes of all types share one contiguous range of integers, type after type; a relation is an integer.
A graph is immutable: its arrays are read-only, and what changes it returns another graph.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from relwise.data.edges import Edges, IntArray, edge_keys
from relwise.errors import InputError, nearest

Modality = Literal["numeric", "categorical", "timestamp", "place", "text", "vector"]
TRAIN, VALID, TEST = 0, 1, 2
PARTS = ("train", "valid", "test")


@dataclass(frozen=True, eq=False)
class Attribute:
    """One attribute of one node type, in the plain form that its modality's encoder takes.

    Args:
        name: the attribute's name in the schema.
        modality: what kind of value it is.
        values: one row per node of the type; what is missing is said by the value itself:
            numeric: float64 (n,), NaN; categorical and text: object (n,) of str or None;
            timestamp: datetime64[us] (n,), NaT; place: float64 (n, 2) degrees latitude and longitude, NaN;
            vector: float32 (n, k), a row of NaN.
    """

    name: str
    modality: Modality
    values: npt.NDArray


@dataclass(frozen=True, eq=False)
class NodeType:
    """The nodes of one type: their ids, the names people are shown, their attributes.

    Args:
        name: the type's name.
        ids: (n,) unique strings.
        labels: (n,) names to show, or None where the ids are the names.
        attributes: the type's attributes, each of n rows.
    """

    name: str
    ids: pd.Index
    labels: npt.NDArray | None = None
    attributes: tuple[Attribute, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "ids", pd.Index(np.asarray(self.ids, dtype=object), dtype=object))
        if not self.ids.is_unique:
            twice = self.ids[self.ids.duplicated()][0]
            raise InputError(
                f"two nodes have the id {twice!r}", where=f"node type '{self.name}'", remedy="keep one of them"
            )
        for attribute in self.attributes:
            if len(attribute.values) != len(self.ids):
                raise ValueError(f"attribute {attribute.name!r} has {len(attribute.values)} rows, not {len(self)}")

    def __len__(self) -> int:
        return len(self.ids)


@dataclass(frozen=True)
class Relation:
    """A relation from nodes of one type to nodes of another (or the same).

    An undirected relation has one type at both ends; each of its edges is stored once.
    """

    name: str
    head: str
    tail: str
    directed: bool = True

    @property
    def full_name(self) -> str:
        return f"{self.head}.{self.name}.{self.tail}"


@dataclass(frozen=True)
class SplitRule:
    """How edges are divided into train, valid and test.

    Args:
        by: `"given"` (the data say it), `"time"` or `"random"`.
        valid, test: with `"time"`, the first moment (ISO date) of each part; with `"random"`, each part's share.
    """

    by: Literal["given", "time", "random"] = "random"
    valid: str | float = 0.05
    test: str | float = 0.10


@dataclass(frozen=True, eq=False)
class Graph:
    """An attributed, heterogeneous, multi-relational graph.

    Args:
        node_types: in the order of the node space.
        relations: relation i is `relations[i]`.
        edges: all known edges, of every part.
        parts: (len(edges),) int8, 0 train, 1 valid, 2 test, where the data give the split; else None.
        negatives: edges that the data say do not hold, per part (`"valid"`, `"test"`).
        split_rule: how the edges are to be split.
        notes: what reading dropped or changed, in sentences for a person.

    >>> graph = Graph.from_triples([("ann", "knows", "bob"), ("bob", "knows", "cy")])
    >>> graph
    Graph(3 nodes of 1 type, 2 edges in 1 relation)
    >>> graph.node_index("node", ["cy"]).tolist(), graph.node_id(0)
    ([2], 'ann')
    """

    node_types: tuple[NodeType, ...]
    relations: tuple[Relation, ...]
    edges: Edges
    parts: npt.NDArray[np.int8] | None = None
    negatives: Mapping[str, Edges] = field(default_factory=dict)
    split_rule: SplitRule = field(default_factory=SplitRule)
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        known = {node_type.name for node_type in self.node_types}
        for relation in self.relations:
            for end in (relation.head, relation.tail):
                if end not in known:
                    raise InputError(
                        f"there is no node type {end!r}", where=f"relation '{relation.name}'", remedy=nearest(end, known)
                    )
            if not relation.directed and relation.head != relation.tail:
                raise InputError(
                    "an undirected relation needs one node type at both ends",
                    where=f"relation '{relation.name}'",
                    remedy="set directed = true",
                )

    # -- sizes and ranges ---------------------------------------------------------------------------------

    @cached_property
    def offsets(self) -> IntArray:
        """(types + 1,) where each type's range of node indices begins; the last is the number of nodes."""
        return np.concatenate([[0], np.cumsum([len(t) for t in self.node_types])]).astype(np.int64)

    @property
    def num_nodes(self) -> int:
        return int(self.offsets[-1])

    @property
    def num_relations(self) -> int:
        return len(self.relations)

    @cached_property
    def type_index(self) -> dict[str, int]:
        return {node_type.name: i for i, node_type in enumerate(self.node_types)}

    def type_range(self, name: str) -> tuple[int, int]:
        """First node index of a type, and one past its last."""
        i = self.type_index[name]
        return int(self.offsets[i]), int(self.offsets[i + 1])

    @cached_property
    def directed(self) -> npt.NDArray[np.bool_]:
        """(R,) whether each relation is directed."""
        return np.array([relation.directed for relation in self.relations], dtype=bool)

    @cached_property
    def head_ranges(self) -> IntArray:
        """(R, 2) the node range of each relation's head type."""
        return np.array([self.type_range(r.head) for r in self.relations], dtype=np.int64).reshape(-1, 2)

    @cached_property
    def tail_ranges(self) -> IntArray:
        """(R, 2) the node range of each relation's tail type."""
        return np.array([self.type_range(r.tail) for r in self.relations], dtype=np.int64).reshape(-1, 2)

    # -- names and ids, both ways -------------------------------------------------------------------------

    @cached_property
    def relation_names(self) -> tuple[str, ...]:
        """The name by which each relation is asked for: `name`, or `head.name.tail` where `name` is not unique."""
        plain = [relation.name for relation in self.relations]
        return tuple(r.full_name if plain.count(r.name) > 1 else r.name for r in self.relations)

    def relation_index(self, name: str) -> int:
        """The relation called `name`. Raises InputError, naming the nearest, where there is none."""
        for names in (self.relation_names, [relation.full_name for relation in self.relations]):
            if name in names:
                return list(names).index(name)
        same = [r.full_name for r in self.relations if r.name == name]
        remedy = f"say which: {', '.join(same)}" if same else nearest(name, self.relation_names)
        raise InputError(
            f"there is no relation {name!r}",
            remedy=remedy or f"the relations are {', '.join(self.relation_names[:12])}",
        )

    def node_index(self, node_type: str, ids: Iterable[object], *, where: str | None = None) -> IntArray:
        """(n,) node indices of the ids given. Raises InputError, naming the nearest, at the first unknown id."""
        names = pd.Index([str(i) for i in ids], dtype=object)
        table = self.node_types[self.type_index[node_type]]
        found = np.asarray(table.ids.get_indexer(names), dtype=np.int64)
        if (found < 0).any():
            unknown = names[int(np.argmax(found < 0))]
            raise InputError(
                f"there is no {node_type} with the id {unknown!r}", where=where, remedy=nearest(unknown, table.ids)
            )
        return found + self.type_range(node_type)[0]

    def type_of(self, node: int) -> NodeType:
        """The type of the node at index `node`."""
        return self.node_types[int(np.searchsorted(self.offsets, node, side="right")) - 1]

    def node_id(self, node: int) -> str:
        """The id of the node at index `node`."""
        i = int(np.searchsorted(self.offsets, node, side="right")) - 1
        return str(self.node_types[i].ids[node - self.offsets[i]])

    def node_label(self, node: int) -> str:
        """The name that people are shown for the node at index `node`: its label, else its id."""
        i = int(np.searchsorted(self.offsets, node, side="right")) - 1
        labels = self.node_types[i].labels
        label = None if labels is None else labels[node - self.offsets[i]]
        return str(label) if label else self.node_id(node)

    def keys(self, edges: Edges) -> IntArray:
        """(n,) one integer per edge, equal for edges that state the same fact (see `edge_keys`)."""
        return edge_keys(edges.heads, edges.relations, edges.tails, self.num_nodes, self.directed)

    # -- making one ---------------------------------------------------------------------------------------

    @staticmethod
    def from_triples(
        triples: Sequence[tuple[object, object, object]] | Mapping[str, Sequence[tuple[object, object, object]]],
        *,
        node_type: str = "node",
        directed: bool = True,
    ) -> Graph:
        """A graph of one node type from (head, relation, tail) triples, or from such lists per part.

        Nodes and relations are numbered in order of first appearance; exact repetitions within a part are
        dropped and noted.

        Args:
            triples: a list of triples, or `{"train": [...], "valid": [...], "test": [...]}`.
            node_type: the name of the one node type.
            directed: whether the relations are directed.
        """
        parts = triples if isinstance(triples, Mapping) else {"train": triples}
        counts = [len(parts.get(name, ())) for name in PARTS]
        rows = [(str(h), str(r), str(t)) for name in PARTS for h, r, t in parts.get(name, ())]
        part = np.repeat(np.arange(3, dtype=np.int8), counts)
        frame = pd.DataFrame(rows, columns=["head", "relation", "tail"], dtype=object)
        return graph_from_frame(
            frame, part if counts[1] or counts[2] else None, node_type=node_type, directed=directed
        )

    def __repr__(self) -> str:
        def count(n: int, word: str) -> str:
            return f"{n:,} {word}{'' if n == 1 else 's'}"

        return (
            f"Graph({count(self.num_nodes, 'node')} of {count(len(self.node_types), 'type')}, "
            f"{count(len(self.edges), 'edge')} in {count(self.num_relations, 'relation')})"
        )


def graph_from_frame(
    frame: pd.DataFrame,
    parts: npt.NDArray[np.int8] | None,
    *,
    node_type: str = "node",
    directed: bool = True,
    negatives: Mapping[str, pd.DataFrame] | None = None,
) -> Graph:
    """A graph of one node type from a table of string columns `head`, `relation`, `tail`.

    An edge repeated within a part is kept once; one that stands in several parts is kept in the earliest, for what
    training knows is no prediction; a negative that is a known edge is left out. Each is noted.

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
        found = [
            np.asarray(index.get_indexer(pd.Index(column, dtype=object)), dtype=np.int64)
            for index, column in zip((ids, names, ids), columns, strict=True)
        ]
        return Edges(*found)

    edges = indexed(frame)
    order = np.arange(len(edges)) if parts is None else np.argsort(parts, kind="stable")
    repeated = np.zeros(len(edges), dtype=bool)
    exact = edge_keys(edges.heads, edges.relations, edges.tails, len(ids), np.ones(len(names), dtype=bool))
    repeated[order] = pd.Series(exact[order]).duplicated().to_numpy()
    notes = _repetition_notes(exact, repeated, parts)
    if repeated.any():
        edges, parts = edges[~repeated], None if parts is None else parts[~repeated]
    both_ways = np.full(len(names), directed)
    known = edge_keys(edges.heads, edges.relations, edges.tails, len(ids), both_ways)
    refuted = {}
    for part, table in negatives.items():
        false = indexed(table)
        holds = np.isin(edge_keys(false.heads, false.relations, false.tails, len(ids), both_ways), known)
        refuted[part] = false[~holds] if holds.any() else false
        if holds.any():
            notes += (f"{int(holds.sum()):,} negatives of {part} hold elsewhere in the data: they were left out",)
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
    """What was dropped: repetitions within a part, and edges of valid and test that an earlier part has."""
    if parts is None:
        count = int(repeated.sum())
        return (f"{count:,} repeated edges were dropped",) if count else ()
    notes = []
    for code, part in enumerate(PARTS):
        dropped = exact[repeated & (parts == code)]
        earlier = int(np.isin(np.unique(dropped), exact[parts < code]).sum())
        within = len(dropped) - earlier
        if within:
            notes.append(f"{within:,} repeated edges of {part} were dropped")
        if earlier:
            notes.append(f"{earlier:,} edges of {part} stand also in an earlier part: they were left out of {part}")
    return tuple(notes)
