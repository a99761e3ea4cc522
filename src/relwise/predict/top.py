"""The likeliest edges: of one query, and over all pairs of a relation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt
import pandas as pd

from relwise.data.edges import Edges
from relwise.data.graph import Graph
from relwise.nn.decoders import End
from relwise.predict.final import FinalScorer

BLOCK = 64 * 2**20  # bytes of scores at a time

COLUMNS = ["head", "relation", "tail", "name", "probability", "known", "evidence"]

Row = dict[str, Any]
"""One edge by the names in `COLUMNS`."""


@dataclass(frozen=True, eq=False)
class KnownPartners:
    """Which nodes a node is tied to by a relation, over all known edges; looked up by halves.

    Args:
        num_nodes: N.
        ahead: (m,) `(r · N + head) · N + tail`, ascending; of an undirected relation both ways round.
        back: (m,) `(r · N + tail) · N + head`, likewise.
    """

    num_nodes: int
    ahead: npt.NDArray[np.int64]
    back: npt.NDArray[np.int64]

    @staticmethod
    def of(graph: Graph) -> KnownPartners:
        """Of a graph's edges; made once for each graph."""
        found = _PARTNERS.get(graph)
        if found is None:
            n, edges = graph.num_nodes, graph.edges
            twice = ~graph.directed[edges.relations]
            h = np.concatenate([edges.heads, edges.tails[twice]])
            t = np.concatenate([edges.tails, edges.heads[twice]])
            r = np.concatenate([edges.relations, edges.relations[twice]])
            found = KnownPartners(n, np.sort((r * n + h) * n + t), np.sort((r * n + t) * n + h))
            _PARTNERS[graph] = found
        return found

    def find(self, relation: int, anchor: int, missing: End) -> npt.NDArray[np.int64]:
        """The known nodes at the missing end, ascending; one that is stated twice stands twice."""
        keys, first = self.ahead if missing == "tail" else self.back, (relation * self.num_nodes + anchor)
        first *= self.num_nodes
        low, high = np.searchsorted(keys, [first, first + self.num_nodes])
        return keys[low:high] - first


_PARTNERS: WeakKeyDictionary[Graph, KnownPartners] = WeakKeyDictionary()


@dataclass(frozen=True)
class Asked:
    """One query: an edge with an end missing.

    Args:
        relation: relation index.
        anchor: node index of the end that is given.
        missing: the end that is asked for.
    """

    relation: int
    anchor: int
    missing: End


def top_k(
    scorer: FinalScorer,
    queries: Sequence[Asked],
    k: int,
    known: bool = False,
    prior: float | None = None,
    allowed: npt.NDArray[np.bool_] | None = None,
) -> list[list[Row]]:
    """The k likeliest candidates for one end of an edge, for each of several queries; every candidate is scored.

    Args:
        scorer: of the graph.
        queries: what is asked.
        k: how many of each.
        known: whether known edges are listed too (and marked); else only missing ones are.
        prior: the share of pairs that probabilities assume to hold; None: the scorer's.
        allowed: (N,) which nodes may be listed; None: all.

    Returns:
        Of each query its rows (`COLUMNS`), likeliest first; `name` is the candidate's.
    """  # fmt: skip
    graph = scorer.graph
    found: list[tuple[npt.NDArray, npt.NDArray, npt.NDArray] | None] = [None] * len(queries)
    for (relation, missing), places in _alike(queries).items():
        low, high = (int(x) for x in (graph.head_ranges if missing == "head" else graph.tail_ranges)[relation])
        size = max(1, BLOCK // (4 * max(1, high - low)))
        for part in (places[i : i + size] for i in range(0, len(places), size)):
            anchors = np.array([queries[place].anchor for place in part])
            scores = scorer.block(missing, np.full(len(part), relation), anchors)
            for place, anchor, row in zip(part, anchors.tolist(), scores, strict=True):
                if allowed is not None:
                    row = np.where(allowed[low:high], row, -np.inf)
                nodes, logits, is_known = best_candidates(graph, row, relation, anchor, missing, k, known)
                kept = np.ones(len(nodes), dtype=bool) if allowed is None else allowed[nodes]
                found[place] = (nodes[kept], logits[kept], is_known[kept])
    edges, logits, is_known, named = [], [], [], []
    for query, best in zip(queries, found, strict=True):
        assert best is not None
        nodes = best[0]
        edges.append(_edges(query.relation, np.full(len(nodes), query.anchor), nodes, query.missing))
        for values, own in zip((logits, is_known, named), (best[1], best[2], nodes), strict=True):
            values.append(own)
    if not edges:
        return []
    rows = describe(
        scorer,
        Edges.concatenate(*edges),
        np.concatenate(logits),
        np.concatenate(is_known),
        np.concatenate(named),
        prior,
    )
    ends = np.cumsum([len(one) for one in edges])
    return [rows[end - len(one) : end] for one, end in zip(edges, ends.tolist(), strict=True)]


def _alike(queries: Sequence[Asked]) -> dict[tuple[int, End], list[int]]:
    """The places of queries of one relation and end."""
    groups: dict[tuple[int, End], list[int]] = {}
    for place, query in enumerate(queries):
        groups.setdefault((query.relation, query.missing), []).append(place)
    return groups


def best_candidates(
    graph: Graph,
    scores: npt.NDArray[np.float32],
    relation: int,
    anchor: int,
    missing: End,
    k: int,
    known: bool = False,
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32], npt.NDArray[np.bool_]]:
    """The k best of all candidates for one end of an edge, best first; of equal ones the first nodes.

    Args:
        graph: whose nodes and known edges.
        scores: (n,) of all candidates, in the order of nodes; not written to.
        relation, anchor, missing, k, known: as of `top_k`.

    Returns:
        (m,) nodes, (m,) their scores, (m,) whether each is known; m is k, or fewer where there are no more.
    """
    low = int((graph.head_ranges if missing == "head" else graph.tail_ranges)[relation, 0])
    partners = KnownPartners.of(graph).find(relation, anchor, missing)
    left_out = np.zeros(len(scores), dtype=bool)
    if 0 <= anchor - low < len(scores):
        left_out[anchor - low] = True
    if not known:
        left_out[partners - low] = True
    # No number is worse than any: it is never among the best of what is left.
    scores = np.where(left_out | np.isnan(scores), -np.inf, scores)
    k = min(k, len(scores) - int(left_out.sum()))
    if k < 1:
        return np.empty(0, np.int64), np.empty(0, np.float32), np.empty(0, bool)
    # Ties at the border are told apart by the nodes' order: all that reach the k-th score are looked at.
    border = np.partition(scores, len(scores) - k)[len(scores) - k]
    reach = np.flatnonzero((scores >= border) & ~left_out)
    chosen = reach[np.argsort(-scores[reach], kind="stable")[:k]]
    # Where known ones are left out none of these is one.
    is_known = np.isin(chosen + low, partners) if known else np.zeros(len(chosen), dtype=bool)
    return chosen + low, scores[chosen], is_known


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


def likeliest(scorer: FinalScorer, edges: Edges, k: int, known: bool = False, prior: float | None = None) -> list[Row]:
    """The k likeliest of some edges, of whatever relations; `name` is the tail's.

    Args:
        scorer: of the graph.
        edges: n edges.
        k, known, prior: as of `top_k`.
    """
    is_known = scorer.graph.edge_rows(edges) >= 0
    order = np.argsort(-scorer.probabilities(edges, prior), kind="stable")
    chosen = order[known | ~is_known[order]][:k]
    edges, is_known = edges[chosen], is_known[chosen]
    return describe(scorer, edges, scorer.logits(edges), is_known, edges.tails, prior)


def describe(
    scorer: FinalScorer,
    edges: Edges,
    logits: npt.NDArray,
    known: npt.NDArray,
    named: npt.NDArray,
    prior: float | None = None,
) -> list[Row]:
    """Edges as rows of ids, with the name of one node each, the probability and what evidence there is.

    Args:
        scorer: whose final logits they are.
        edges: n edges.
        logits: (n,) their final logits.
        known: (n,) whether each is a known edge.
        named: (n,) the node whose name is given.
        prior: see `top_k`.
    """  # fmt: skip
    graph = scorer.graph
    columns = (
        _each(graph.node_id, edges.heads),
        [graph.relation_names[r] for r in edges.relations.tolist()],
        _each(graph.node_id, edges.tails),
        _each(graph.node_label, named),
        scorer.calibrated(logits, edges.relations, prior).tolist(),
        np.asarray(known, dtype=bool).tolist(),
        scorer.told(edges),
    )
    return [dict(zip(COLUMNS, values, strict=True)) for values in zip(*columns, strict=True)]


def _each(name: Callable[[int], str], nodes: npt.NDArray) -> list[str]:
    """The names of nodes, each looked up once: the given end of a query stands in all its rows."""
    distinct, places = np.unique(nodes, return_inverse=True)
    names = [name(node) for node in distinct.tolist()]
    return [names[place] for place in places.tolist()]


def as_frame(rows: Sequence[Row]) -> pd.DataFrame:
    """Rows as a table, typed even where there are none."""
    frame = pd.DataFrame(list(rows), columns=COLUMNS)
    return frame.astype({"probability": np.float64, "known": bool})


def _edges(relation: int, anchors: npt.NDArray, nodes: npt.NDArray, missing: End) -> Edges:
    relations = np.full(len(nodes), relation)
    return Edges(nodes, relations, anchors) if missing == "head" else Edges(anchors, relations, nodes)
