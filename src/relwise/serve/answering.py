"""From requests to the predictor and back: what is not in the graph is refused by the field that names it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from relwise.data.graph import Graph
from relwise.errors import InputError
from relwise.predict import lists
from relwise.predict.answers import Answers
from relwise.serve.explanation import ExplanationShape
from relwise.serve.refusal import Refusal
from relwise.serve.shapes import Found, Query, Triple


def score(predictor: Answers, edges: Sequence[Triple], prior: float | None) -> list[float | None]:
    """The probability of each edge.

    Raises:
        Refusal: 404, at the first id or relation that is not in the graph.
    """
    triples = [edge.parts() for edge in edges]
    try:
        return [number(p) for p in predictor.predict_proba(triples, prior=prior).tolist()]
    except InputError as error:
        raise unknown_part(predictor.graph, triples, error) from None


def top_k(predictor: Answers, queries: Sequence[Query], k: int, known: bool, prior: float | None) -> list[list[Found]]:
    """The likeliest answers of each query, likeliest first.

    Raises:
        Refusal: 404, at the first id or relation that is not in the graph.
    """
    answers: list[list[Found]] = [[] for _ in queries]
    places = [i for i, query in enumerate(queries) if query.relation is not None]
    asked = [lists.Query(str(queries[i].relation), queries[i].head, queries[i].tail) for i in places]
    try:
        found = predictor.top_k_rows(asked, k, known, prior=prior) if asked else []
    except InputError as error:
        raise _unknown_query(predictor.graph, queries, places, error) from None
    for i, rows in zip(places, found, strict=True):
        answers[i] = [_found(row) for row in rows]
    for i, query in enumerate(queries):
        if query.relation is None:
            answers[i] = _relations(predictor, query, k, known, prior, f"queries.{i}")
    return answers


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


def _found(row: Mapping[str, Any]) -> Found:
    """A predictor's row as an answer."""
    return Found(**{**row, "probability": number(row["probability"]), "evidence": row["evidence"] or None})


def _unknown_query(graph: Graph, queries: Sequence[Query], places: Sequence[int], error: InputError) -> Refusal:
    """Which part of which query is not in the graph; where none is, the error itself."""
    for i in places:
        query = queries[i]
        end, node_id = ("head", query.head) if query.tail is None else ("tail", query.tail)
        part = "relation"
        try:
            kind = graph.relations[graph.relation_index(str(query.relation))]
            part = end
            graph.node_index(kind.head if end == "head" else kind.tail, [node_id])
        except InputError as unknown:
            return Refusal.of(unknown, f"queries.{i}.{part}")
    return Refusal(422, "invalid", error.what, field=error.where, remedy=error.remedy)


def _relations(predictor: Answers, query: Query, k: int, known: bool, prior: float | None, field: str) -> list[Found]:
    """The likeliest relations between two nodes; none where no relation ties nodes of their types."""
    graph = predictor.graph
    types: dict[str, set[str]] = {}
    for part, node_id in (("head", str(query.head)), ("tail", str(query.tail))):
        types[part] = {node_type.name for node_type in graph.node_types if node_id in node_type.ids}
        if not types[part]:
            raise Refusal.of(_nowhere(graph, node_id), f"{field}.{part}")
    if not any(kind.head in types["head"] and kind.tail in types["tail"] for kind in graph.relations):
        return []
    found = predictor.top_relations(query.head, query.tail, k, known, prior=prior)
    return [_found(row) for row in found.to_dict(orient="records")]


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
