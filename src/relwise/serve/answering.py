"""From requests to the predictor and back: what is not in the graph is refused by the field that names it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import pandas as pd

from relwise.data.graph import Graph
from relwise.errors import InputError
from relwise.predict.answers import Answers
from relwise.serve.explanation import ExplanationShape
from relwise.serve.refusal import Refusal
from relwise.serve.shapes import Found, Query, Triple


def score(predictor: Answers, edges: Sequence[Triple]) -> list[float | None]:
    """The probability of each edge.

    Raises:
        Refusal: 404, at the first id or relation that is not in the graph.
    """
    triples = [edge.parts() for edge in edges]
    try:
        return [number(p) for p in predictor.predict_proba(triples).tolist()]
    except InputError as error:
        raise unknown_part(predictor.graph, triples, error) from None


def top_k(predictor: Answers, queries: Sequence[Query], k: int, known: bool) -> list[list[Found]]:
    """The likeliest answers of each query, likeliest first.

    Raises:
        Refusal: 404, at the first id or relation that is not in the graph.
    """
    return [_answer(predictor, query, k, known, f"queries.{i}") for i, query in enumerate(queries)]


def explain(predictor: Answers, edge: Triple) -> ExplanationShape:
    """Why an edge has its probability.

    Raises:
        Refusal: 404, at an id or a relation that is not in the graph.
    """
    try:
        found = predictor.explain(*edge.parts())
    except InputError as error:
        raise unknown_part(predictor.graph, [edge.parts()], error, "") from None
    return ExplanationShape.model_validate(_finite(found.to_json()))


def unknown_part(
    graph: Graph, triples: Sequence[tuple[str, str, str]], error: InputError, prefix: str = "edges"
) -> Refusal:
    """Which part of which edge is not in the graph; where none is, the error itself.

    Args:
        graph: the predictor's.
        triples: (head, relation, tail) each.
        error: what the predictor said.
        prefix: what the fields of the triples begin with; empty: there is one triple, whose parts are the fields.
    """

    def field(row: int, part: str) -> str:
        return f"{prefix}.{row}.{part}" if prefix else part

    rows_of: dict[str, list[int]] = {}
    for row, (_, relation, _) in enumerate(triples):
        rows_of.setdefault(relation, []).append(row)
    found: list[tuple[int, str, InputError]] = []
    for name, rows in rows_of.items():
        try:
            kind = graph.relations[graph.relation_index(name)]
        except InputError as unknown:
            found.append((rows[0], "relation", unknown))
            continue
        for part, node_type in (("head", kind.head), ("tail", kind.tail)):
            ids = graph.node_types[graph.type_index[node_type]].ids
            asked = [triples[row][0 if part == "head" else 2] for row in rows]
            absent = np.flatnonzero(ids.get_indexer(pd.Index(asked, dtype=object)) < 0)
            if len(absent):
                first = int(absent[0])
                found.append((rows[first], part, _unknown(graph, node_type, asked[first])))
    if not found:
        return Refusal(422, "invalid", error.what, field=error.where, remedy=error.remedy)
    row, part, unknown = min(found, key=lambda place: place[0])
    return Refusal.of(unknown, field(row, part))


def number(value: float) -> float | None:
    """A number as JSON holds it."""
    return float(value) if math.isfinite(value) else None


def _unknown(graph: Graph, node_type: str, node_id: str) -> InputError:
    """What the graph says of an id that it has not."""
    try:
        graph.node_index(node_type, [node_id])
    except InputError as error:
        return error
    raise AssertionError("the id is known")


def _answer(predictor: Answers, query: Query, k: int, known: bool, field: str) -> list[Found]:
    if query.relation is None:
        assert query.head is not None
        assert query.tail is not None
        return _relations(predictor, query.head, query.tail, k, known, field)
    try:
        return rows(predictor.top_k(query.relation, query.head, query.tail, k, known))
    except InputError as error:
        end: Literal["head", "tail"] = "tail" if query.head is None else "head"
        raise _unknown_query(predictor.graph, query, end, error, field) from None


def rows(frame: pd.DataFrame) -> list[Found]:
    """A predictor's table as answers."""
    evidence = frame["evidence"].tolist() if "evidence" in frame else [None] * len(frame)
    columns = (frame[name].tolist() for name in ("head", "relation", "tail", "name", "probability", "known"))
    return [
        Found(head=h, relation=r, tail=t, name=n, probability=number(p), known=bool(k), evidence=e or None)
        for h, r, t, n, p, k, e in zip(*columns, evidence, strict=True)
    ]


def _unknown_query(graph: Graph, query: Query, end: str, error: InputError, field: str) -> Refusal:
    assert query.relation is not None
    try:
        kind = graph.relations[graph.relation_index(query.relation)]
        given = query.head if end == "head" else query.tail
        graph.node_index(kind.head if end == "head" else kind.tail, [given])
    except InputError as unknown:
        part = "relation" if unknown.what.startswith("there is no relation") else end
        return Refusal.of(unknown, f"{field}.{part}")
    return Refusal(422, "invalid", error.what, field=field, remedy=error.remedy)


def _relations(predictor: Answers, head: str, tail: str, k: int, known: bool, field: str) -> list[Found]:
    """The likeliest relations between two nodes, of those whose types have them."""
    graph = predictor.graph
    types = {}
    for part, node_id in (("head", head), ("tail", tail)):
        types[part] = [t.name for t in graph.node_types if node_id in t.ids]
        if not types[part]:
            raise Refusal.of(_nowhere(graph, node_id), f"{field}.{part}")
    fits = [
        (name, kind)
        for name, kind in zip(graph.relation_names, graph.relations, strict=True)
        if kind.head in types["head"] and kind.tail in types["tail"]
    ]
    if not fits:
        return []
    triples = [(head, name, tail) for name, _ in fits]
    probability = predictor.predict_proba(triples)
    is_known = graph.edge_rows(predictor.indexed(triples)) >= 0
    order = [i for i in np.argsort(-probability, kind="stable") if known or not is_known[i]][:k]
    found = []
    for i in order:
        name, kind = fits[i]
        label = graph.node_label(int(graph.node_index(kind.head, [head])[0]))
        found.append(
            Found(
                head=head,
                relation=name,
                tail=tail,
                name=label,
                probability=number(float(probability[i])),
                known=bool(is_known[i]),
            )
        )
    return found


def _nowhere(graph: Graph, node_id: str) -> InputError:
    """What to say of an id that no node type has: what the first type with a near one says."""
    said = [_unknown(graph, node_type.name, node_id) for node_type in graph.node_types]
    near = [error.remedy for error in said if error.remedy and error.remedy.startswith("did you mean")]
    return InputError(f"no node has the id {node_id!r}", remedy=near[0] if near else said[0].remedy)


def _finite(value: Any) -> Any:
    """A JSON value with null for every number that is none."""
    if isinstance(value, dict):
        return {str(key): _finite(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(part) for part in value]
    if isinstance(value, (float, np.floating)):
        return number(float(value))
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    return int(value) if isinstance(value, np.integer) else value
