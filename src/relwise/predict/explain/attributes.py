"""Which attributes of the two ends mattered: each taken away in turn, as if its value were missing."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from relwise.data.graph import Attribute, Graph
from relwise.nn.attributes import TypeEncoder
from relwise.predict.explain.explanation import AttributeEffect, Side
from relwise.predict.explain.layers import Floats
from relwise.predict.explain.occlusion import Case

LONGEST = 80  # letters of a value that are shown

Ends = tuple[int, int, Floats]


@torch.no_grad()
def changes_without(
    encoder: TypeEncoder, attributes: tuple[Attribute, ...], prepared: dict, row: int
) -> list[tuple[Attribute, Floats]]:
    """What each attribute's absence adds to the attribute embedding of one node; of attributes with a value."""
    index = torch.tensor([row])
    given = {name: table[index] for name, table in prepared.items()}
    whole, found = encoder(given), []
    of_name = dict(zip(encoder.names, encoder.encoders, strict=True))
    for attribute in attributes:
        if attribute.name not in of_name or is_missing(attribute, row):
            continue
        nothing = of_name[attribute.name].prepare(missing(attribute))  # pyright: ignore[reportCallIssue]
        found.append((attribute, (encoder({**given, attribute.name: nothing}) - whole)[0].numpy()))
    return found


def missing(attribute: Attribute) -> npt.NDArray:
    """(1, ...) the attribute's plain form of no value."""
    shape, kind = (1, *attribute.values.shape[1:]), attribute.values.dtype
    if kind.kind == "f":
        return np.full(shape, np.nan, kind)
    return np.full(shape, np.datetime64("NaT"), kind) if kind.kind == "M" else np.full(shape, None, object)


def is_missing(attribute: Attribute, row: int) -> bool:
    """Whether a node has no value.

    >>> is_missing(Attribute("age", "numeric", np.array([3.0, np.nan])), 1)
    True
    """
    value = attribute.values[row]
    if attribute.values.dtype.kind == "f":
        return not np.isfinite(value).all()
    return bool(np.isnat(value)) if attribute.values.dtype.kind == "M" else value is None or value == ""


def shown(attribute: Attribute, row: int) -> str:
    """A value as people read it.

    >>> shown(Attribute("age", "numeric", np.array([3.0])), 0)
    '3'
    """
    value = attribute.values[row]
    if attribute.modality == "numeric":
        return f"{value:.6g}"
    if attribute.modality == "boolean":
        return "yes" if value else "no"
    if attribute.modality == "timestamp":
        return str(value).removesuffix("T00:00:00.000000")
    if attribute.modality == "place":
        return ", ".join(f"{degrees:.4f}" for degrees in value)
    if attribute.modality == "vector":
        return f"{len(value)} numbers"
    text = "; ".join(value) if attribute.modality == "multi_categorical" else str(value)
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def attribute_effects(
    graph: Graph,
    encoders: Sequence[nn.Module],
    inputs: list,
    ends: tuple[Ends, Ends],
    logits: Callable[[Sequence[Case]], Floats],
    base: float,
) -> list[AttributeEffect]:
    """The attributes of both ends by how much they matter.

    Args:
        graph: the graph.
        encoders: one per node type.
        inputs: each node type's prepared attributes.
        ends: head and tail: the node, its place in what is computed again, and its (d,) h^(0).
        logits: the logit in each case.
        base: the logit as it is.
    """
    whose, cases = [], []
    sides: Sequence[Side] = ("head", "tail")
    for side, (node, place, start) in zip(sides, ends[: 1 if ends[0][0] == ends[1][0] else 2], strict=False):
        kind = int(np.searchsorted(graph.offsets, node, side="right")) - 1
        encoder, row = encoders[kind], node - int(graph.offsets[kind])
        assert isinstance(encoder, TypeEncoder)
        for attribute, less in changes_without(encoder, graph.node_types[kind].attributes, inputs[kind], row):
            whose.append((side, attribute, row))
            cases.append(Case(start={place: start + less}))
    effects = base - logits(cases) if cases else []
    found = [
        AttributeEffect(side, attribute.name, shown(attribute, row), float(effect))
        for (side, attribute, row), effect in zip(whose, effects, strict=True)
    ]
    return sorted(found, key=lambda one: -abs(one.effect))
