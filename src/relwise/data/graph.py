"""`Graph`: typed nodes with attributes in one index space, and the typed edges known between them.

Nodes of all types share one contiguous range of integers, type after type; a relation is an integer.
A graph is immutable: its arrays are read-only, and what changes it returns another graph.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from relwise.data.edges import Edges, IntArray, edge_keys
from relwise.data.near import near_ids
from relwise.data.node_type import Attribute as Attribute
from relwise.data.node_type import Modality as Modality
from relwise.data.node_type import NodeType as NodeType
from relwise.data.relation import Relation as Relation
from relwise.data.split_rule import SplitRule as SplitRule
from relwise.errors import InputError, nearest

if TYPE_CHECKING:
    from relwise.data.rows import Rows

TRAIN, VALID, TEST = 0, 1, 2
PARTS = ("train", "valid", "test")


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
        edge_attributes: of relation i, its edges' attributes; row n of their values is of the relation's n-th edge
            in `edges`.
        groups: (len(edges),) which group each edge is of, -1 where of none; None: the data name no groups.

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
    edge_attributes: Mapping[int, tuple[Attribute, ...]] = field(default_factory=dict)
    groups: IntArray | None = None

    def __post_init__(self) -> None:
        known = {node_type.name for node_type in self.node_types}
        if len(known) < len(self.node_types) or len({(r.head, r.name, r.tail) for r in self.relations}) < len(
            self.relations
        ):
            raise ValueError("two node types, or two relations between the same types, have one name")
        for relation in self.relations:
            for end in (relation.head, relation.tail):
                if end not in known:
                    raise InputError(
                        f"there is no node type {end!r}",
                        where=f"relation '{relation.name}'",
                        remedy=nearest(end, known),
                    )
            if not relation.directed and relation.head != relation.tail:
                raise InputError(
                    "an undirected relation needs one node type at both ends",
                    where=f"relation '{relation.name}'",
                    remedy="set directed = true",
                )
        for code, attributes in self.edge_attributes.items():
            count = int((self.edges.relations == code).sum())
            for attribute in attributes:
                if len(attribute.values) != count:
                    raise ValueError(
                        f"attribute {attribute.name!r} of relation {self.relations[code].name!r} has "
                        f"{len(attribute.values)} rows for {count} edges"
                    )
        if self.groups is not None and len(self.groups) != len(self.edges):
            raise ValueError(f"{len(self.groups)} groups for {len(self.edges)} edges")

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
        """The name each relation is asked for by: `name`, or `head.name.tail` where that is not unique."""
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
        """(n,) node indices of the ids. Raises InputError, naming the nearest, at the first unknown id."""
        names = [str(i) for i in ids]
        table = self.node_types[self.type_index[node_type]]
        # One by itself is looked up without an index of its own, which would take a hundred times as long.
        if len(names) == 1 and names[0] in table.ids:
            found = np.array([table.ids.get_loc(names[0])], dtype=np.int64)
        else:
            found = np.asarray(table.ids.get_indexer(pd.Index(names, dtype=object)), dtype=np.int64)
        if (found < 0).any():
            unknown = names[int(np.argmax(found < 0))]
            raise InputError(
                f"there is no {node_type} with the id {unknown!r}",
                where=where,
                remedy=near_ids(unknown, table.ids) or f"the ids are like {', '.join(map(repr, table.ids[:3]))}",
            )
        return found + self.type_range(node_type)[0]

    def node_id(self, node: int) -> str:
        """The id of the node at index `node`."""
        node_type, row = self._place(node)
        return str(node_type.ids.values[row])

    def node_label(self, node: int) -> str:
        """The name that people are shown for the node at index `node`: its label, else its id."""
        node_type, row = self._place(node)
        label = None if node_type.labels is None else node_type.labels[row]
        return str(label) if label else str(node_type.ids.values[row])

    def _place(self, node: int) -> tuple[NodeType, int]:
        """A node's type, and its place among that type's nodes."""
        i = bisect_right(self.offsets, node) - 1
        return self.node_types[i], node - int(self.offsets[i])

    def keys(self, edges: Edges) -> IntArray:
        """(n,) one integer per edge, equal for edges that state the same fact (see `edge_keys`)."""
        return edge_keys(edges.heads, edges.relations, edges.tails, self.num_nodes, self.directed)

    def edge_rows(self, edges: Edges) -> IntArray:
        """(n,) of each edge, its position among its relation's edges in the graph; -1 where it is none of them.

        By which its attributes are found: `edge_attributes[relation][i].values[position]`. Of a fact that stands in
        the graph more than once, the first.
        """
        wanted, rows = self.keys(edges), np.full(len(edges), -1, np.int64)
        for relation in np.unique(edges.relations):
            known, first = np.unique(self._relation_keys(int(relation)), return_index=True)
            asked = np.flatnonzero(edges.relations == relation)
            if len(known):
                place = np.minimum(np.searchsorted(known, wanted[asked]), len(known) - 1)
                rows[asked] = np.where(known[place] == wanted[asked], first[place], -1)
        return rows

    def _relation_keys(self, relation: int) -> IntArray:
        return self.keys(self.edges[self.edges.relations == relation])

    # -- growing ------------------------------------------------------------------------------------------

    def add_nodes(self, node_type: str, rows: Rows) -> Graph:
        """The graph with more nodes of a type, behind the known ones (see `relwise.data.rows`).

        Args:
            node_type: the type's name.
            rows: a DataFrame or a list of dicts: `id`, and what is known of `label` and the type's attributes.

        Raises:
            InputError: at an id that is known or stands twice, at an unknown column, at a cell that does not fit.

        >>> graph = Graph.from_triples([("ann", "knows", "bob")]).add_nodes("node", [{"id": "cy"}])
        >>> graph.add_edges("knows", [{"head": "cy", "tail": "ann"}])
        Graph(3 nodes of 1 type, 2 edges in 1 relation)
        """
        from relwise.data.extend import add_nodes

        return add_nodes(self, node_type, rows)

    def add_edges(self, relation: str, rows: Rows) -> Graph:
        """The graph with more edges of a relation, behind the known ones; what is known already is left out and noted.

        In a given split they are training edges.

        Args:
            relation: the relation's name.
            rows: a DataFrame or a list of dicts: the ids `head` and `tail`, and what is known of `time` and the
                relation's edge attributes.

        Raises:
            InputError: at an unknown id or column, at a cell that does not fit.
        """
        from relwise.data.extend import add_edges

        return add_edges(self, relation, rows)

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
        # Here, for `from_frame` makes graphs and so imports this module.
        from relwise.data.from_frame import graph_from_frame

        parts = triples if isinstance(triples, Mapping) else {"train": triples}
        for name in parts:
            if name not in PARTS:
                raise InputError(
                    f"there is no part {name!r}", remedy=nearest(name, PARTS) or "it is train, valid or test"
                )
        counts = [len(parts.get(name, ())) for name in PARTS]
        rows = [(str(h), str(r), str(t)) for name in PARTS for h, r, t in parts.get(name, ())]
        part = np.repeat(np.arange(3, dtype=np.int8), counts)
        frame = pd.DataFrame(rows, columns=["head", "relation", "tail"], dtype=object)
        return graph_from_frame(frame, part if counts[1] or counts[2] else None, node_type=node_type, directed=directed)

    def __repr__(self) -> str:
        return (
            f"Graph({counted(self.num_nodes, 'node')} of {counted(len(self.node_types), 'type')}, "
            f"{counted(len(self.edges), 'edge')} in {counted(self.num_relations, 'relation')})"
        )


def counted(n: int, noun: str) -> str:
    """A number with its noun.

    >>> counted(1, "edge"), counted(2000, "edge")
    ('1 edge', '2,000 edges')
    """
    return f"{n:,} {noun}{'' if n == 1 else 's'}"
