"""Keys and queries lengthened by log-degrees: their product is a final logit, but for what paths say and for constants.

The key of a node c is (k_c, s_1 g_1(c), s_2 g_2(c), ...), where g_j are logarithms of its ties under a relation and of
all kinds; the query of an edge with a missing end is (slope · q, θ_1 / s_1, θ_2 / s_2, ...), θ_j the judge's weights
(`relwise.predict.judge`), nought where g_j is another relation's. Under an undirected relation a candidate may be told
of as the head or as the tail: there the weight is the mean of the two.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from relwise.nn.decoders import End
from relwise.predict.evidence.table import PATHS
from relwise.predict.final import FinalScorer
from relwise.predict.top import Asked

KINDS = 16  # columns of one relation's degrees at most: a type with more ends has that of all ties alone

Float32 = npt.NDArray[np.float32]


def query_vectors(scorer: FinalScorer, relation: int, missing: End, anchors: npt.NDArray[np.int64]) -> Float32:
    """(q, d) vectors whose products with candidates' keys are the network's part of final logits."""
    found = scorer.network.block.queries(missing, np.full(len(anchors), relation), anchors).cpu().numpy()
    return found * np.float32(scorer.judge.slopes[relation])


Column = tuple[int, End] | None
"""Log-degrees by the relation and end that they weigh in; None: of all ties, which weigh in all."""


def columns_of(scorer: FinalScorer, name: str) -> list[Column]:
    """The columns of log-degrees that the keys of a type are lengthened by; none where no evidence is weighed."""
    graph = scorer.graph
    ends: list[Column] = []
    if scorer.evidence is None:
        return ends
    for relation, kind in enumerate(graph.relations):
        if kind.head == name:
            ends.append((relation, "head"))
        if kind.tail == name:
            ends.append((relation, "tail"))
    return [None, *(ends if len(ends) <= KINDS else [])]


def key_table(scorer: FinalScorer, name: str, scales: npt.NDArray[np.float64]) -> Float32:
    """(n, d + columns) the lengthened keys of a type's nodes."""
    low, high = scorer.graph.type_range(name)
    nodes = np.arange(low, high)
    table: list[npt.NDArray] = [scorer.network.block.candidates(low, high).cpu().numpy()]
    for column, scale in zip(columns_of(scorer, name), scales, strict=True):
        assert scorer.evidence is not None
        relation, end = column or (0, "head")
        own, every = scorer.evidence.degrees(relation, end, nodes)
        table.append(scale * (own if column else every)[1])
    return np.ascontiguousarray(np.column_stack(table), dtype=np.float32)


def lengthen_queries(
    scorer: FinalScorer, relation: int, missing: End, plain: Float32, scales: npt.NDArray[np.float64]
) -> Float32:
    """(q, d + columns) queries with the weights of the candidates' log-degrees."""
    kind, shared = scorer.graph.relations[relation], scorer.judge.shared[relation]
    ends: tuple[End, ...] = (missing,) if kind.directed else ("head", "tail")
    columns = [PATHS + (end == "tail") for end in ends]
    own, every = (float(np.mean([shared[column + more] for column in columns])) for more in (0, 2))
    weights: dict[Column, float] = {(relation, missing): own, None: every}
    names = columns_of(scorer, kind.tail if missing == "tail" else kind.head)
    row = np.array([weights.get(name, 0.0) for name in names]) / scales
    return np.ascontiguousarray(np.column_stack([plain, np.tile(row, (len(plain), 1))]), dtype=np.float32)


def scales_of(scorer: FinalScorer, name: str, asked: Sequence[Asked]) -> npt.NDArray[np.float64]:
    """(columns,) what brings log-degrees to bear on distances between keys as they do on logits."""
    vectors = [query_vectors(scorer, one.relation, one.missing, np.array([one.anchor])) for one in asked[:50]]
    size = float(np.sqrt(np.mean(np.square(vectors)))) or 1.0
    ones, none = np.ones(len(columns_of(scorer, name))), np.zeros((1, 0), np.float32)
    weights = np.abs([lengthen_queries(scorer, one.relation, one.missing, none, ones)[0] for one in asked])
    return np.maximum(weights.max(axis=0) / size, 1e-3)
