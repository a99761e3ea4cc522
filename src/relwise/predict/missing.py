"""Missing edges of a relation over all pairs of its types: which they are, and the likeliest."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from relwise.data.edges import Edges
from relwise.data.graph import Graph
from relwise.predict.final import FinalScorer
from relwise.predict.top import KnownPartners, Row, describe

BLOCK = 64 * 2**20  # bytes of scores at a time


def predict_missing(
    scorer: FinalScorer,
    relation: int,
    k: int,
    prior: float | None = None,
    allowed: npt.NDArray[np.bool_] | None = None,
) -> list[Row]:
    """The k likeliest edges of a relation that are not known, over all pairs of its types.

    Scores are computed in blocks of heads; of each block only the k best are kept.

    Args:
        scorer, relation, k, prior: as of `top_k`.
        allowed: see `listed_pairs`.
    """
    graph = scorer.graph
    heads = np.arange(*graph.head_ranges[relation])
    low, high = graph.tail_ranges[relation]
    rows = max(1, BLOCK // (4 * max(1, int(high - low))))
    best_edges, best_logits = Edges.empty(), np.empty(0)
    for start in range(0, len(heads), rows):
        anchors = heads[start : start + rows]
        scores = scorer.block("tail", np.full(len(anchors), relation), anchors)
        listed = listed_pairs(graph, relation, anchors, allowed)
        floor = best_logits[-1] if len(best_logits) == k else -np.inf
        chosen = np.flatnonzero(listed & (scores > floor))
        logits = scores.ravel()[chosen].astype(np.float64)
        if len(chosen) > k:
            reach = logits >= np.partition(logits, len(logits) - k)[len(logits) - k]
            chosen, logits = chosen[reach], logits[reach]
        edges = Edges(anchors[chosen // (high - low)], np.full(len(chosen), relation), low + chosen % (high - low))
        best_edges = Edges.concatenate(best_edges, edges)
        best_logits = np.concatenate([best_logits, logits])
        order = np.argsort(-best_logits, kind="stable")[:k]
        best_edges, best_logits = best_edges[order], best_logits[order]
    none = np.zeros(len(best_edges), dtype=bool)
    return describe(scorer, best_edges, best_logits, none, best_edges.tails, prior)


def listed_pairs(
    graph: Graph, relation: int, heads: npt.NDArray[np.integer], allowed: npt.NDArray[np.bool_] | None = None
) -> npt.NDArray[np.bool_]:
    """(q, n) which pairs of q heads with each tail are missing ones: no known edge, no loop, an undirected one once.

    Args:
        graph: whose pairs.
        relation: relation index.
        heads: (q,) nodes.
        allowed: (N,) which nodes may be tails; None: all. An undirected pair stands with the end first that comes first
            among the nodes, or that may be no tail.
    """
    low, high = (int(bound) for bound in graph.tail_ranges[relation])
    tails, anchors = np.arange(low, high), np.asarray(heads)[:, None]
    listed = tails != anchors if graph.directed[relation] else tails > anchors
    if allowed is not None:
        if not graph.directed[relation]:
            listed |= ~allowed[anchors] & (tails != anchors)
        listed &= allowed[low:high]
    partners = KnownPartners.of(graph)
    for row, head in zip(listed, np.asarray(heads).tolist(), strict=True):
        row[partners.find(relation, head, "tail") - low] = False
    return listed
