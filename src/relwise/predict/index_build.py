"""An index built, and measured on queries drawn from the known edges against scoring everything."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from relwise.predict import top
from relwise.predict.final import FinalScorer
from relwise.predict.index import Index, Measured, TypeIndex, load_faiss
from relwise.predict.lengthened import key_table, scales_of
from relwise.predict.top import Asked, Found

SMALL = 2000  # nodes below which a type is not indexed
GOAL = 0.95  # recall@K to reach
K = 10
SAMPLE = 200  # queries of a type that recall is measured on
NEAR = 1e-5  # logits nearer to each other than that are equal: sums in another order


def build_index(scorer: FinalScorer, seed: int = 0, small: int = SMALL) -> Index:
    """Index each node type that is large enough, and measure what that is worth.

    Args:
        scorer: of final logits.
        seed: of the centres and of the queries drawn.
        small: nodes below which a type is not indexed.
    """
    graph, types = scorer.graph, {}
    for node_type in graph.node_types:
        asked = _drawn(scorer, node_type.name, seed)
        if len(node_type) >= small and asked:
            types[node_type.name] = _build(scorer, node_type.name, asked, seed)
    return Index(scorer, types)


def _build(scorer: FinalScorer, name: str, asked: list[Asked], seed: int) -> TypeIndex:
    faiss = load_faiss()
    low, high = scorer.graph.type_range(name)
    scales = scales_of(scorer, name, asked)
    table = key_table(scorer, name, scales)
    centres = max(1, int(np.sqrt(high - low)))
    made = faiss.IndexIVFFlat(faiss.IndexFlatIP(table.shape[1]), table.shape[1], centres, faiss.METRIC_INNER_PRODUCT)
    made.cp.seed, made.cp.min_points_per_centroid = seed + 1, 1
    made.train(table)
    made.add(table)
    expected, exact_ms = _timed(lambda one: top.find(scorer, [one], K)[0], asked)
    probe = 1
    while True:
        measured = Measured(high - low, centres, probe, len(asked), 0.0, exact_ms, 0.0)
        index = Index(scorer, {name: TypeIndex(made, scales, measured)})
        found, took = _timed(lambda one, index=index: index.find([one], K)[0], asked)
        recall = float(np.mean([recall_of(got, best) for got, best in zip(found, expected, strict=True)]))
        if recall >= GOAL or probe == centres:
            done = Measured(high - low, centres, probe, len(asked), recall, exact_ms, took)
            return TypeIndex(made, scales, done)
        probe = min(2 * probe, centres)


def recall_of(found: Found, expected: Found) -> float:
    """The share of the likeliest that were found; of equally likely ones any will do.

    >>> node = np.arange(3)
    >>> round(recall_of((node[:1], np.array([2.0]), node), (node, np.array([2.0, 1.0, 1.0]), node)), 3)
    0.333
    """
    if not len(expected[0]):
        return 1.0
    return min(1.0, float((found[1] >= expected[1][-1] - NEAR).sum()) / len(expected[0]))


def _timed(ask: Any, asked: Sequence[Asked]) -> tuple[list[Found], float]:
    """The answers, and the median time of one in milliseconds."""
    ask(asked[0])  # the first compiles
    out, took = [], []
    for one in asked:
        began = time.perf_counter()
        out.append(ask(one))
        took.append(time.perf_counter() - began)
    return out, 1e3 * float(np.median(took))


def _drawn(scorer: FinalScorer, name: str, seed: int) -> list[Asked]:
    """Queries for nodes of a type, from known edges: so are those that people ask, more of nodes with many."""
    graph, rng = scorer.graph, np.random.default_rng([seed, 17])
    asked = []
    for i in rng.permutation(len(graph.edges))[: 4 * SAMPLE].tolist():
        relation = int(graph.edges.relations[i])
        kind = graph.relations[relation]
        if kind.tail == name:
            asked.append(Asked(relation, int(graph.edges.heads[i]), "tail"))
        if kind.head == name:
            asked.append(Asked(relation, int(graph.edges.tails[i]), "head"))
    return asked[:SAMPLE]
