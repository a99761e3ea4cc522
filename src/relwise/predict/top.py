"""The likeliest edges of a query: an edge with one end missing."""

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

Found = tuple[npt.NDArray[np.int64], npt.NDArray[np.float32], npt.NDArray[np.bool_]]
"""What was found for a query, best first: nodes, their final logits, whether each is a known partner."""


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
    return describe_found(scorer, queries, find(scorer, queries, k, known, allowed), prior)


def find(
    scorer: FinalScorer,
    queries: Sequence[Asked],
    k: int,
    known: bool = False,
    allowed: npt.NDArray[np.bool_] | None = None,
) -> list[Found]:
    """Of each query the k best of all its candidates, best first.

    Args:
        scorer, queries, k, known, allowed: as of `top_k`.
    """
    graph, found = scorer.graph, {}
    for (relation, missing), places in alike(queries).items():
        low, high = (int(x) for x in (graph.head_ranges if missing == "head" else graph.tail_ranges)[relation])
        size = max(1, BLOCK // (4 * max(1, high - low)))
        for part in (places[i : i + size] for i in range(0, len(places), size)):
            anchors = np.array([queries[place].anchor for place in part])
            scores = scorer.block(missing, np.full(len(part), relation), anchors)
            for place, anchor, row in zip(part, anchors.tolist(), scores, strict=True):
                if known:
                    row = _without_themselves(scorer, row, relation, anchor, missing)
                if allowed is not None:
                    row = np.where(allowed[low:high], row, -np.inf)
                nodes, logits, is_known = best_candidates(graph, row, relation, anchor, missing, k, known)
                kept = np.ones(len(nodes), dtype=bool) if allowed is None else allowed[nodes]
                found[place] = (nodes[kept], logits[kept], is_known[kept])
    return [found[place] for place in range(len(queries))]


def _without_themselves(
    scorer: FinalScorer, scores: npt.NDArray[np.float32], relation: int, anchor: int, missing: End
) -> npt.NDArray[np.float32]:
    """Scores of all candidates, those of known edges as they are where no edge is its own evidence."""
    nodes = np.unique(KnownPartners.of(scorer.graph).find(relation, anchor, missing))
    if scorer.evidence is None or not len(nodes):
        return scores
    low = (scorer.graph.head_ranges if missing == "head" else scorer.graph.tail_ranges)[relation, 0]
    scores = scores.copy()
    scores[nodes - low] = scorer.logits(edges_of(relation, np.full(len(nodes), anchor), nodes, missing))
    return scores


def describe_found(
    scorer: FinalScorer, queries: Sequence[Asked], found: Sequence[Found], prior: float | None = None
) -> list[list[Row]]:
    """Of each query its rows (see `top_k`), from what was found for it."""
    if not queries:
        return []
    pairs = zip(queries, found, strict=True)
    edges = [edges_of(q.relation, np.full(len(best[0]), q.anchor), best[0], q.missing) for q, best in pairs]
    nodes, logits, is_known = (np.concatenate(parts) for parts in zip(*found, strict=True))
    rows = describe(scorer, Edges.concatenate(*edges), logits, is_known, nodes, prior)
    ends = np.cumsum([len(one) for one in edges])
    return [rows[end - len(one) : end] for one, end in zip(edges, ends.tolist(), strict=True)]


def alike(queries: Sequence[Asked]) -> dict[tuple[int, End], list[int]]:
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
    if 0 <= anchor - low < len(scores) and not (known and anchor in partners):
        left_out[anchor - low] = True  # a node with itself is listed where that is known, and never predicted
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


def edges_of(relation: int, anchors: npt.NDArray, nodes: npt.NDArray, missing: End) -> Edges:
    """Anchors with the nodes found for their missing end."""
    relations = np.full(len(nodes), relation)
    return Edges(nodes, relations, anchors) if missing == "head" else Edges(anchors, relations, nodes)
