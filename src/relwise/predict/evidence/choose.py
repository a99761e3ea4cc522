"""Which typed paths tell true edges of a relation from others: chosen on training edges alone.

Of each relation some training edges are asked about as if they were unknown, and as many pairs of its types that are
no known edge. All patterns of one to three steps between the two ends are listed, with the edge asked about left out;
those that tell most by their presence (mutual information), or that most true edges have, are weighed (`walks`), and a
logistic regression with an L1 penalty keeps at most `MOST` of them (Tibshirani 1996, "Regression shrinkage and
selection via the lasso").

Where edges have times and the split is by time, those asked about are the latest, and paths are counted over what lies
before them: what comes with an edge must not speak for it.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import cast

import numpy as np
import numpy.typing as npt
from numba import njit

from relwise.data.edges import Edges
from relwise.data.graph import Graph
from relwise.data.split import Split, draw_negatives
from relwise.kernels.compiling import INNER, OUTER
from relwise.predict.evidence.features import Evidence
from relwise.predict.evidence.plan import Pattern
from relwise.predict.evidence.table import weight
from relwise.predict.evidence.ties import Ties
from relwise.predict.evidence.walks import CAP

MOST = 16  # patterns of a relation: every pattern of two undirected relations but two of three steps
WEIGHED = 32  # of the most telling, and of the commonest, that are weighed
ASKED = 1000  # edges of a relation that are asked about
ALL = 20_000  # edges of all relations that are
LATEST = 0.2  # the share of the training edges, by time, that are asked about
FEWEST = 3  # true edges that must have a pattern
DISTINCT = 1 << 14  # patterns between two nodes that are told apart


def choose_patterns(graph: Graph, split: Split, seed: int = 0) -> list[list[Pattern]]:
    """The patterns of each relation, the most telling first.

    Args:
        graph: whose edges they are.
        split: whose message edges are counted over, and of which the supervised ones are asked about.
        seed: of which edges are asked about.

    >>> from relwise.data.split import split_graph
    >>> triples = [(f"a{i}", name, f"b{(i + k) % 60}") for i in range(60) for k in (1, 2) for name in ("buys", "likes")]
    >>> graph = Graph.from_triples(triples)
    >>> (2,) in choose_patterns(graph, split_graph(graph))[0]  # who buys what they like
    True
    """
    rng = np.random.default_rng([seed, 11])
    asked, known = _asked(graph, split)
    ties = Ties.of(graph, known)
    rows, evidence = _by_node(ties), Evidence(ties, [])
    most = max(20, min(ASKED, ALL // max(1, graph.num_relations)))
    chosen: list[list[Pattern]] = []
    for relation in range(graph.num_relations):
        mine = asked[asked.relations == relation]
        mine = mine[mine.heads != mine.tails]
        if len(mine) > most:
            mine = mine[np.sort(rng.choice(len(mine), most, replace=False))]
        positives = Edges(mine.heads, mine.relations, mine.tails)
        pairs = Edges.concatenate(positives, draw_negatives(graph, positives, rng)) if len(positives) else positives
        truth = np.arange(len(pairs)) < len(positives)
        pairs = evidence.turned(pairs)
        candidates = _candidates(ties, rows, relation, pairs, truth)
        chosen.append(_telling(ties, candidates, pairs, truth) if candidates else [])
    return chosen


def _asked(graph: Graph, split: Split) -> tuple[Edges, Edges]:
    """The edges asked about, and those that paths are counted over."""
    times, known = split.message.times, split.message
    if graph.split_rule.by != "time" or times is None:
        return split.supervision, known
    dated = split.supervised & ~np.isnat(times)
    if not dated.any():
        return split.supervision, known
    since = np.quantile(times[dated].astype("datetime64[us]").astype(np.int64), 1 - LATEST)
    late = ~np.isnat(times) & (times.astype("datetime64[us]").astype(np.int64) >= since)
    return known[late & split.supervised], known[~late]


def _candidates(
    ties: Ties, rows: tuple[npt.NDArray, ...], relation: int, pairs: Edges, truth: npt.NDArray[np.bool_]
) -> list[Pattern]:
    """The patterns that tell most by their presence, and those that most true edges have."""
    if not truth.any() or truth.all():
        return []
    base = ties.num_kinds + 1
    codes, compiled = [], cast(Callable[..., int], _codes)
    scratch = _Scratch(ties.num_nodes, int(np.diff(rows[0]).max(initial=0)))
    back = np.array([ties.reverse(kind) for kind in range(ties.num_kinds)], dtype=np.int64)
    for pair, (head, tail) in enumerate(zip(pairs.heads.tolist(), pairs.tails.tolist(), strict=True)):
        count = compiled(*rows, back, head, tail, base, CAP, pair, *scratch.arrays)
        codes.append(np.sort(scratch.found[:count]))
    sizes = np.array([len(found) for found in codes])
    values, where = np.unique(np.concatenate(codes), return_inverse=True)
    of_true = np.repeat(truth, sizes)
    true, false = (np.bincount(where[mask], minlength=len(values)) for mask in (of_true, ~of_true))
    itself = (2 * relation + 1) * base * base
    allowed = (values != itself) & (true >= FEWEST)
    telling = _information(true, false, int(truth.sum()), int((~truth).sum()))
    best = np.argsort(np.where(allowed, -telling, np.inf), kind="stable")[:WEIGHED]
    common = np.argsort(np.where(allowed, -true, np.inf), kind="stable")[:WEIGHED]
    picked = [i for i in dict.fromkeys([*best.tolist(), *common.tolist()]) if allowed[i]]
    return [_pattern(int(values[i]), base) for i in picked]


def _telling(ties: Ties, candidates: list[Pattern], pairs: Edges, truth: npt.NDArray[np.bool_]) -> list[Pattern]:
    """At most `MOST` of the candidates, those that a sparse logistic regression keeps first."""
    if len(candidates) <= MOST:
        return candidates
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    table = weight(Evidence(ties, []).paths(candidates, pairs.heads, pairs.tails))
    scale = table.std(axis=0)
    table = (table - table.mean(axis=0)) / np.where(scale > 0, scale, 1)
    best: npt.NDArray[np.intp] = np.arange(min(MOST, len(candidates)))
    for strength in (1.0, 0.3, 0.1, 0.03, 0.01, 0.003, 0.001):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            model = LogisticRegression(l1_ratio=1.0, C=strength, solver="liblinear", max_iter=50, random_state=0)
            weights = np.abs(model.fit(table, truth).coef_[0])
        kept = np.count_nonzero(weights)
        if kept == 0:
            break  # many equally weak ones go all at once: the weightiest under the weaker penalty stay
        best = np.argsort(-weights, kind="stable")[:MOST][:kept]
        if kept <= MOST:
            break
    return [candidates[i] for i in best]


def _information(true: npt.NDArray, false: npt.NDArray, positives: int, negatives: int) -> npt.NDArray[np.float64]:
    """Mutual information, in nats, of an edge's truth and a pattern's presence."""
    n = positives + negatives
    total = np.zeros(len(true))
    for has_true, has_false in ((true, false), (positives - true, negatives - false)):
        has = has_true + has_false
        for count, of in ((has_true, positives), (has_false, negatives)):
            with np.errstate(divide="ignore", invalid="ignore"):
                total += np.where(count > 0, count / n * np.log(count * n / (has * of)), 0.0)
    return total


def _pattern(code: int, base: int) -> Pattern:
    steps = (code // base**2, code // base % base, code % base)
    return tuple(step - 1 for step in steps if step)


def _by_node(ties: Ties) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int32], npt.NDArray[np.int32]]:
    """The ties of each node in one row: where rows begin, kinds, neighbours."""
    counts = np.diff(ties.indptr, axis=1)
    kinds = np.repeat(np.arange(ties.num_kinds, dtype=np.int32), counts.sum(axis=1))
    nodes = np.repeat(np.tile(np.arange(ties.num_nodes), ties.num_kinds), counts.ravel())
    order = np.argsort(nodes, kind="stable")
    starts = np.append(0, np.cumsum(np.bincount(nodes, minlength=ties.num_nodes)))
    return starts.astype(np.int64), kinds[order], ties.neighbours[order]


class _Scratch:
    """Arrays that `_codes` works in."""

    def __init__(self, nodes: int, most: int) -> None:
        self.first = np.full(nodes, -1, np.int64)  # the last of a node's ties with the tail, by its place in the row
        self.before = np.empty(most, np.int64)  # the one before it
        self.found = np.empty(DISTINCT, np.int64)
        self.slots = np.empty(4 * DISTINCT, np.int64)  # a hash table of what was found
        self.filled = np.full(4 * DISTINCT, -1, np.int64)  # by which pair; other pairs' entries count as empty

    @property
    def arrays(self) -> tuple[npt.NDArray[np.int64], ...]:
        return self.first, self.before, self.found, self.slots, self.filled


@njit(**OUTER)
def _codes(
    starts, kinds, nodes, back, head, tail, base, cap, pair, first, before, found, slots, filled
):  # pragma: no cover (compiled)
    """Fill `found` with the distinct patterns between two nodes, as codes; returns how many."""
    count = 0
    for e in range(starts[tail], starts[tail + 1]):
        before[e - starts[tail]] = first[nodes[e]]
        first[nodes[e]] = e
    for e in range(starts[head], starts[head + 1]):
        u, a = nodes[e], np.int64(kinds[e]) + 1
        if u == tail:
            count = _add(a * base * base, count, pair, found, slots, filled)
            continue
        g = first[u]
        while g >= 0:
            count = _add((a * base + back[kinds[g]] + 1) * base, count, pair, found, slots, filled)
            g = before[g - starts[tail]]
        if starts[u + 1] - starts[u] > cap:
            continue
        for f in range(starts[u], starts[u + 1]):
            v = nodes[f]
            g = first[v] if v != head and v != tail else -1
            while g >= 0:
                code = (a * base + np.int64(kinds[f]) + 1) * base + back[kinds[g]] + 1
                count = _add(code, count, pair, found, slots, filled)
                g = before[g - starts[tail]]
    for e in range(starts[tail], starts[tail + 1]):
        first[nodes[e]] = -1
    return count


@njit(**INNER)
def _add(code, count, pair, found, slots, filled):  # pragma: no cover (compiled)
    slot = code * 2654435761 % len(slots)
    while filled[slot] == pair:
        if slots[slot] == code:
            return count
        slot = (slot + 1) % len(slots)
    if count == len(found):
        return count
    slots[slot], filled[slot] = code, pair
    found[count] = code
    return count + 1
