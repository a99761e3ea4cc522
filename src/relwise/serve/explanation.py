"""An explanation as it is answered: the parts of `relwise.predict.explain.Explanation`, which says what each means."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel

Number = float | None
"""Null where the network's is no number."""


class NodeShape(BaseModel):
    """A node as people know it."""

    id: str
    name: str


class CarrierShape(BaseModel):
    """A known tie whose messages bore on the logit."""

    head: NodeShape
    relation: str
    tail: NodeShape
    layer: int
    attention: Number
    effect: Number
    side: Literal["head", "tail", "both"]


class AttributeShape(BaseModel):
    """An attribute of an end, and how much lower the logit were without it."""

    side: Literal["head", "tail", "both"]
    name: str
    value: str
    effect: Number


class PathsShape(BaseModel):
    """The paths of one pattern from head to tail, and how much lower the final logit were without them."""

    pattern: str
    length: int
    count: int
    weight: Number
    examples: list[list[NodeShape]]
    effect: Number


class SimilarShape(BaseModel):
    """A known edge of the same relation."""

    head: NodeShape
    tail: NodeShape
    similarity: Number


class ExplanationShape(BaseModel):
    """Why an edge is likely, or not."""

    sentence: str
    head: NodeShape
    relation: str
    tail: NodeShape
    known: bool
    probability: Number
    logit: Number
    carriers: list[CarrierShape]
    against: list[CarrierShape]
    attributes: list[AttributeShape]
    paths: list[PathsShape]
    similar: list[SimilarShape]
    notes: list[str]
