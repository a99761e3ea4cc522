"""The likeliest edges: of one query, and over all pairs of a relation."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd

from relwise.data.edges import Edges
from relwise.data.graph import Graph
from relwise.predict.scorer import Scorer, sigmoid

BLOCK = 64 * 2**20  # bytes of scores at a time

COLUMNS = ["head", "relation", "tail", "name", "probability", "known"]


def top_k(
    scorer: Scorer, relation: int, anchor: int, missing: Literal["head", "tail"], k: int, known: bool = False
) -> pd.DataFrame:
    """The k likeliest candidates for one end of an edge.

    Args:
        scorer: of the graph.
        relation: relation index.
        anchor: node index of the end that is given.
        missing: the end that is asked for.
        k: how many.
        known: whether known edges are listed too (and marked); else only missing ones are.

    Returns:
        Columns head, relation, tail, name (of the candidate), probability, known; likeliest first.
    """
    graph = scorer.graph
    low, _ = (graph.head_ranges if missing == "head" else graph.tail_ranges)[relation]
    logits = scorer.block(missing, np.array([relation]), np.array([anchor]))[0].astype(np.float64)
    nodes = np.arange(low, low + len(logits))
    edges = _edges(relation, np.full(len(nodes), anchor), nodes, missing)
    is_known = np.isin(graph.keys(edges), graph.keys(graph.edges))
    allowed = nodes != anchor if known else (nodes != anchor) & ~is_known
    order = np.argsort(-logits, kind="stable")
    order = order[allowed[order]][:k]
    return describe(graph, edges[order], sigmoid(logits[order]), is_known[order], nodes[order])


def predict_missing(scorer: Scorer, relation: int, k: int) -> pd.DataFrame:
    """The k likeliest edges of a relation that are not known, over all pairs of its types.

    Scores are computed in blocks of heads; of each block only the k best are kept.
    """
    graph = scorer.graph
    heads = np.arange(*graph.head_ranges[relation])
    low, high = graph.tail_ranges[relation]
    known = np.unique(graph.keys(graph.edges[graph.edges.relations == relation]))
    rows = max(1, BLOCK // (4 * max(1, int(high - low))))
    best_edges, best_logits = Edges.empty(), np.empty(0)
    for start in range(0, len(heads), rows):
        anchors = heads[start : start + rows]
        scores = scorer.block("tail", np.full(len(anchors), relation), anchors)
        flat = scores.ravel()
        # Known edges stand among the best: take enough that k unknown ones are left.
        tails_known = np.isin(np.arange(low, high), anchors).sum() + len(known)
        # An undirected pair stands in the block both ways round, and is listed once.
        twice = 1 if graph.directed[relation] else 2
        count = min(len(flat), twice * (k + int(tails_known)))
        chosen = np.argpartition(-flat, count - 1)[:count] if count < len(flat) else np.arange(len(flat))
        edges = Edges(anchors[chosen // (high - low)], np.full(count, relation), low + chosen % (high - low))
        fresh = (edges.heads != edges.tails) & ~np.isin(graph.keys(edges), known)
        if not graph.directed[relation]:
            fresh &= edges.heads < edges.tails
        best_edges = Edges.concatenate(best_edges, edges[fresh])
        best_logits = np.concatenate([best_logits, flat[chosen][fresh].astype(np.float64)])
        order = np.argsort(-best_logits, kind="stable")[:k]
        best_edges, best_logits = best_edges[order], best_logits[order]
    none = np.zeros(len(best_edges), dtype=bool)
    return describe(graph, best_edges, sigmoid(best_logits), none, best_edges.tails)


def describe(graph: Graph, edges: Edges, probability: np.ndarray, known: np.ndarray, named: np.ndarray) -> pd.DataFrame:
    """Edges as a table of ids with the name of one node each."""
    return pd.DataFrame(
        {
            "head": [graph.node_id(int(node)) for node in edges.heads],
            "relation": [graph.relation_names[int(r)] for r in edges.relations],
            "tail": [graph.node_id(int(node)) for node in edges.tails],
            "name": [graph.node_label(int(node)) for node in named],
            "probability": np.asarray(probability, dtype=np.float64),
            "known": np.asarray(known, dtype=bool),
        },
        columns=COLUMNS,
    )


def _edges(relation: int, anchors: np.ndarray, nodes: np.ndarray, missing: Literal["head", "tail"]) -> Edges:
    relations = np.full(len(nodes), relation)
    return Edges(nodes, relations, anchors) if missing == "head" else Edges(anchors, relations, nodes)
