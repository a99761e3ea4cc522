"""What an explanation holds: plain values, as JSON can hold them."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Side = Literal["head", "tail", "both"]


@dataclass(frozen=True)
class Node:
    """A node as people know it.

    Args:
        id: its id.
        name: its label, else its id.
    """

    id: str
    name: str


@dataclass(frozen=True)
class Carrier:
    """A known tie whose messages bore on the logit.

    Args:
        head, relation, tail: the edge as the data state it.
        layer: the last layer in which it has a message; 2 of 2: it touches an end of what was asked, 1: a neighbour.
        attention: α of that message, the mean of the heads; None where the network has none.
        effect: how much lower the logit were had the tie carried no message: negative where it speaks against.
        side: the end whose state it bears on.
    """

    head: Node
    relation: str
    tail: Node
    layer: int
    attention: float | None
    effect: float
    side: Side


@dataclass(frozen=True)
class AttributeEffect:
    """An attribute of an end.

    Args:
        side: which end's.
        name: the attribute's.
        value: its value, shown.
        effect: how much lower the logit were with the value missing.
    """

    side: Side
    name: str
    value: str
    effect: float


@dataclass(frozen=True)
class Paths:
    """The paths of one pattern from head to tail over known ties.

    Args:
        pattern: the relations in order; `~` stands before one followed from its tail to its head.
        length: how many steps.
        count: how many such paths there are; of those looked at, where the explanation notes a cap.
        weight: the sum over them of the product of 1 / d, d the ties that each inner node has of the kind by which the
            path leaves it: many paths through nodes tied to everything weigh little.
        examples: the weightiest: their nodes from head to tail.
        effect: how much lower the final logit were without these paths; 0 of a pattern that the evidence model did not
            choose; None where there is no such model.
    """

    pattern: str
    length: int
    count: int
    weight: float
    examples: tuple[tuple[Node, ...], ...]
    effect: float | None = None


@dataclass(frozen=True)
class Similar:
    """A known edge of the same relation.

    Args:
        head, tail: its ends.
        similarity: the cosine of its and the asked edge's products of their ends' final states.
    """

    head: Node
    tail: Node
    similarity: float


@dataclass(frozen=True)
class Explanation:
    """Why an edge is likely, or not.

    Args:
        sentence: the whole in a sentence or two.
        head, relation, tail: the edge.
        known: whether the data state it.
        probability: as `predict_proba` gives it.
        logit: the network's, had the edge itself carried no message: what carriers and attributes bear on.
        carriers: the ties that speak for it, strongest first.
        against: those that speak against it, strongest first.
        attributes: the two ends', strongest first, either way.
        paths: from head to tail: those first that move the final logit most, then the weightiest.
        similar: known edges of the relation, most similar first.
        notes: what was left out or capped, in sentences.
    """

    sentence: str
    head: Node
    relation: str
    tail: Node
    known: bool
    probability: float
    logit: float
    carriers: tuple[Carrier, ...] = ()
    against: tuple[Carrier, ...] = ()
    attributes: tuple[AttributeEffect, ...] = ()
    paths: tuple[Paths, ...] = ()
    similar: tuple[Similar, ...] = ()
    notes: tuple[str, ...] = field(default=())

    def to_json(self) -> dict[str, Any]:
        """The same as JSON holds it, the sentence first.

        >>> ann, bob = Node("a", "Ann"), Node("b", "Bob")
        >>> list(Explanation("Known: ...", ann, "likes", bob, True, 0.9, 2.2).to_json())[:4]
        ['sentence', 'head', 'relation', 'tail']
        """
        return asdict(self)
