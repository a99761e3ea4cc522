"""A split carried over to a graph that has grown."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from relwise.data.edges import Edges, IntArray
from relwise.data.graph import Graph, NodeType, Relation
from relwise.data.split.base import LabelledEdges, Split
from relwise.errors import InputError

REMEDY = "make the graph from that of the model by add_nodes and add_edges"


def carry_over(split: Split, graph: Graph, grown: Graph, *, use_held_out: bool = False) -> Split:
    """The split of a graph, for one of the same types and relations with more nodes or edges.

    Message edges are all edges of the grown graph but the valid and test edges, which stay what they are; what may be
    learnt from stays as it was.

    Args:
        split: the split.
        graph: the graph that was split.
        grown: the other; of each type the nodes of `graph` come first, in their order.
        use_held_out: make message edges of the valid and test edges too: nothing is left to measure on.

    Raises:
        InputError: where types, attributes, relations or the nodes known differ.
    """
    _check_alike(graph, grown)
    shift = np.repeat(grown.offsets[:-1] - graph.offsets[:-1], np.diff(graph.offsets))
    moved = shift + np.arange(graph.num_nodes)

    def carried(edges: Edges) -> Edges:
        return Edges(moved[edges.heads], edges.relations, moved[edges.tails], edges.times)

    def keys(edges: Edges) -> IntArray:
        return grown.keys(carried(edges))

    known = grown.keys(grown.edges)
    supervised = np.isin(known, keys(split.supervision))
    if use_held_out:
        none = LabelledEdges(Edges.empty(), np.empty(0, dtype=bool))
        return Split(grown.edges, supervised, none, none, grown.edges)
    held_out = keys(Edges.concatenate(split.valid.positives, split.test.positives))
    # In a given split a fact may stand in train and in test.
    message = ~np.isin(known, held_out) | np.isin(known, keys(split.message))
    valid, test = (LabelledEdges(carried(part.edges), part.labels) for part in (split.valid, split.test))
    return Split(grown.edges[message], supervised[message], valid, test, grown.edges)


def _check_alike(graph: Graph, grown: Graph) -> None:
    _check_same("node types", [t.name for t in graph.node_types], [t.name for t in grown.node_types])
    _check_same("relations", list(map(_told, graph.relations)), list(map(_told, grown.relations)))
    for before, after in zip(graph.node_types, grown.node_types, strict=True):
        _check_same(f"attributes of {before.name}", _attributes(before), _attributes(after))
        same = len(after) >= len(before) and np.array_equal(before.ids.to_numpy(), after.ids[: len(before)].to_numpy())
        if not same:
            raise InputError(f"the nodes of type {before.name!r} do not begin with those trained on", remedy=REMEDY)
    for i, relation in enumerate(graph.relations):
        before, after = (
            [f"{a.name} ({a.modality})" for a in each.edge_attributes.get(i, ())] for each in (graph, grown)
        )
        _check_same(f"attributes of {relation.name}", before, after)


def _check_same(what: str, before: Sequence[str], after: Sequence[str]) -> None:
    if before != after:
        raise InputError(
            f"the {what} are {', '.join(after) or 'none'}, and were {', '.join(before) or 'none'} in training",
            remedy=REMEDY,
        )


def _attributes(node_type: NodeType) -> list[str]:
    return [f"{a.name} ({a.modality})" for a in node_type.attributes]


def _told(relation: Relation) -> str:
    return relation.full_name + ("" if relation.directed else " (undirected)")
