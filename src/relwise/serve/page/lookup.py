"""What the page shows of an entity: its attributes, its known relationships, its likeliest missing ones.

Plain functions over a predictor, without a word of HTML; what asks the network is run by the service's worker.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from relwise.data.graph import Attribute, Graph
from relwise.errors import InputError, nearest
from relwise.predict.answers import Answers

SHOWN = 12  # known relationships of one kind that are listed
MOST_KINDS = 40  # kinds of relationships that are asked for at a time: a few milliseconds each
LONGEST = 240  # characters of an attribute
NAME = 120  # characters of a name or an id, where it is shown

Side = Literal["head", "tail"]


@dataclass(frozen=True)
class Entity:
    """A node as people know it; its label can be seen, and is not long."""

    type: str
    id: str
    label: str

    @property
    def other_id(self) -> str | None:
        """The id, shortened, where the label does not tell it already: many may have one name."""
        return None if self.label == shown(self.id) else shown(self.id)


@dataclass(frozen=True)
class Kind:
    """A relation seen from one of its ends.

    Args:
        relation: its name.
        side: which end the entity is.
        other: the type at the other end.
    """

    relation: str
    side: Side
    other: str


@dataclass(frozen=True)
class Known:
    """The known relationships of one kind: how many, and the first few others."""

    kind: Kind
    count: int
    others: tuple[Entity, ...]


@dataclass(frozen=True)
class Prediction:
    """A relationship that is missing from the graph.

    Args:
        head, relation, tail: the edge, as ids.
        other: the end that is not the entity asked about.
        kind: how the entity takes part.
        probability: that it holds.
        evidence: what the graph itself says of the pair, in few words.
    """

    head: str
    relation: str
    tail: str
    other: Entity
    kind: Kind
    probability: float
    evidence: str | None


def shown(*names: str) -> str:
    """The first of some names that can be seen, in the room that a page has: it is what one clicks at.

    >>> shown("Ann\\n Lee", "7"), shown(" ", "7"), shown("", "\u200b"), len(shown("x" * 500))
    ('Ann Lee', '7', '(no name)', 121)
    """
    for name in names:
        if any(letter.isprintable() and not letter.isspace() for letter in name):
            text = " ".join(name.split())
            return text if len(text) <= NAME else f"{text[:NAME]}…"
    return "(no name)"


def entity_at(graph: Graph, node: int) -> Entity:
    """The entity at a node index."""
    i = int(np.searchsorted(graph.offsets, node, side="right")) - 1
    return named(graph.node_types[i].name, graph.node_id(node), graph.node_label(node))


def named(node_type: str, node_id: str, label: str) -> Entity:
    """An entity with a name that can be shown."""
    return Entity(node_type, node_id, shown(label, node_id))


def ends_of(graph: Graph, edge: tuple[str, str, str]) -> tuple[Entity, Entity] | None:
    """Head and tail of an edge by ids; None where the graph has not all of it."""
    try:
        kind = graph.relations[graph.relation_index(edge[1])]
        return (
            entity_at(graph, find_node(graph, kind.head, edge[0])),
            entity_at(graph, find_node(graph, kind.tail, edge[2])),
        )
    except InputError:
        return None


def find_node(graph: Graph, node_type: str, node_id: str) -> int:
    """The index of an entity. Raises InputError, naming near ones, where there is none."""
    if node_type not in graph.type_index:
        remedy = nearest(node_type, graph.type_index) or f"the types are {', '.join(graph.type_index)}"
        raise InputError(f"there is no node type {node_type!r}", remedy=remedy)
    return int(graph.node_index(node_type, [node_id])[0])


def kinds_of(graph: Graph, node_type: str) -> list[Kind]:
    """The kinds of relationships that entities of a type can have; an undirected relation is one kind."""
    found = []
    for name, relation in zip(graph.relation_names, graph.relations, strict=True):
        if relation.head == node_type:
            found.append(Kind(name, "head", relation.tail))
        if relation.tail == node_type and relation.directed:
            found.append(Kind(name, "tail", relation.head))
    return found


def known_of(graph: Graph, node: int) -> list[Known]:
    """The known relationships of a node by kind, the most numerous first."""
    edges, kind = graph.edges, entity_at(graph, node).type
    found = []
    as_head, as_tail = np.flatnonzero(edges.heads == node), np.flatnonzero(edges.tails == node)
    for one in kinds_of(graph, kind):
        index = graph.relation_index(one.relation)
        rows = {
            "head": as_head[edges.relations[as_head] == index],
            "tail": as_tail[edges.relations[as_tail] == index],
        }
        others = edges.tails[rows["head"]] if one.side == "head" else edges.heads[rows["tail"]]
        if not graph.directed[index]:
            others = np.concatenate([others, edges.heads[rows["tail"]]])
        others = pd.unique(others)
        if len(others):
            found.append(Known(one, len(others), tuple(entity_at(graph, int(n)) for n in others[:SHOWN])))
    return sorted(found, key=lambda known: -known.count)


def likeliest(
    predictor: Answers, node: int, k: int, relation: str | None = None, other: str | None = None
) -> tuple[list[Prediction], int]:
    """The k likeliest missing relationships of a node over all its kinds, and how many kinds were not asked for.

    Args:
        predictor: whose answers.
        node: the node's index.
        k: how many to return.
        relation: only of this relation; None: of any.
        other: only with entities of this type; None: of any.
    """
    graph = predictor.graph
    me = entity_at(graph, node)
    kinds = [
        kind for kind in kinds_of(graph, me.type) if relation in (None, kind.relation) and other in (None, kind.other)
    ]
    if len(kinds) > MOST_KINDS:
        tied = {known.kind: known.count for known in known_of(graph, node)}
        kinds = sorted(kinds, key=lambda kind: -tied.get(kind, 0))
    found: list[Prediction] = []
    for kind in kinds[:MOST_KINDS]:
        ends = (me.id, None) if kind.side == "head" else (None, me.id)
        table = predictor.top_k(kind.relation, *ends, k=k)
        found += [_prediction(kind, row) for row in table.to_dict(orient="records")]
    found.sort(key=lambda one: -one.probability)
    return found[:k], max(0, len(kinds) - MOST_KINDS)


def _prediction(kind: Kind, row: dict[Any, Any]) -> Prediction:
    other = named(kind.other, row["tail" if kind.side == "head" else "head"], row["name"])
    evidence = row.get("evidence")
    return Prediction(
        row["head"], row["relation"], row["tail"], other, kind, float(row["probability"]), str(evidence or "") or None
    )


def attributes_of(graph: Graph, node: int) -> list[tuple[str, str]]:
    """What is known of a node, as names and texts; what is missing is left out."""
    kind = graph.node_types[graph.type_index[entity_at(graph, node).type]]
    row = node - graph.type_range(kind.name)[0]
    texts = [(attribute.name, attribute_text(attribute, row)) for attribute in kind.attributes]
    return [(name, text if len(text) <= LONGEST else f"{text[:LONGEST]}...") for name, text in texts if text]


def attribute_text(attribute: Attribute, row: int) -> str:
    """A value as a person reads it; empty where it is missing.

    >>> attribute_text(Attribute("seats", "numeric", np.array([180.0, np.nan])), 0)
    '180'
    """
    value = attribute.values[row]
    if attribute.modality in ("categorical", "text"):
        return "" if value is None else str(value)
    if attribute.modality == "multi_categorical":
        return "" if value is None else ", ".join(map(str, value))
    if attribute.modality == "timestamp":
        return "" if np.isnat(value) else str(value.astype("datetime64[D]"))
    if np.isnan(value).any():
        return ""
    if attribute.modality == "boolean":
        return "yes" if value else "no"
    if attribute.modality == "place":
        return f"{value[0]:.4f}, {value[1]:.4f}"
    if attribute.modality == "vector":
        return f"{len(value)} numbers"
    return f"{value:.10g}"


def busiest(graph: Graph, count: int = 8) -> list[Entity]:
    """The entities with the most known relationships: where somebody who knows no name may begin."""
    edges = graph.edges
    degrees = np.bincount(np.concatenate([edges.heads, edges.tails]), minlength=graph.num_nodes)
    return [entity_at(graph, int(node)) for node in np.argsort(-degrees, kind="stable")[:count] if degrees[node]]
