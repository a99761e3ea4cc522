"""Paths of one to three steps between two nodes, by pattern, with examples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from relwise.data.graph import Graph, counted
from relwise.predict.evidence.plan import describe_pattern
from relwise.predict.evidence.ties import Ties
from relwise.predict.explain.cone import expand
from relwise.predict.explain.explanation import Node, Paths

Ints = npt.NDArray[np.int64]

# Ties that are followed from the neighbours of one end. Those of few ties come first: a path through a node that is
# tied to everything tells little.
MOST = 200_000
SHOWN = 8  # patterns
EXAMPLES = 3  # of each


@dataclass(frozen=True, eq=False)
class Found:
    """m paths of one length.

    Args:
        kinds: (m, s) the kind of tie at each step (`Ties`).
        inner: (m, s - 1) the nodes passed.
    """

    kinds: Ints
    inner: Ints


def paths_between(
    graph: Graph, ties: Ties, head: int, relation: int, tail: int, most: int = MOST
) -> tuple[list[Paths], list[str]]:
    """The weightiest patterns, and what was capped, in sentences.

    Paths are simple, so none passes over the edge asked about, except that edge itself: it is left out.

    Args:
        graph: for names.
        ties: usually of the message edges.
        head, relation, tail: the edge asked about, as indices.
        most: ties that are followed from the neighbours of one end.
    """
    found, skipped = enumerate_paths(ties, head, relation, tail, most)
    groups = [group for some in found for group in _grouped(graph, ties, head, tail, some)]
    groups.sort(key=lambda group: -group.weight)
    notes = []
    if skipped:
        whose = f"{counted(skipped, 'neighbour')} with the most ties"
        notes.append(f"paths of three steps: not through {whose}; there may be more than are counted")
    if len(groups) > SHOWN:
        notes.append(f"paths: the {SHOWN} weightiest of {len(groups):,} patterns")
    return groups[:SHOWN], notes


def enumerate_paths(ties: Ties, head: int, relation: int, tail: int, most: int = MOST) -> tuple[list[Found], int]:
    """All paths of one, two and three steps; and how many neighbours were passed over for having too many ties."""
    kinds, nodes = _ties_of(ties, np.array([head]))[:2]
    asked = (nodes == tail) & (kinds == 2 * relation)
    direct = kinds[(nodes == tail) & ~asked]
    kinds, nodes = _apart(kinds, nodes, head, tail)
    back, ends = _apart(*_ties_of(ties, np.array([tail]))[:2], head, tail)
    back = _reverse(ties, back)
    order = np.argsort(ends, kind="stable")
    back, ends = back[order], ends[order]
    left, right = _joined(nodes, ends)
    two = Found(np.stack([kinds[left], back[right]], axis=1), nodes[left][:, None])
    three, skipped = _three(ties, (kinds, nodes), (back, ends), (head, tail), most)
    return [Found(direct[:, None], np.empty((len(direct), 0), np.int64)), two, three], skipped


def _three(
    ties: Ties, first: tuple[Ints, Ints], last: tuple[Ints, Ints], ends: tuple[int, int], most: int
) -> tuple[Found, int]:
    """The paths of three steps.

    Args:
        ties: of the graph.
        first: kinds of the ties that leave the head, and their other ends.
        last: kinds of those that come to the tail, and where they come from, ascending.
        ends: head and tail.
        most: as of `paths_between`.
    """
    sides = [np.unique(first[1]), np.unique(last[1])]
    counts = [(ties.indptr[:, side + 1] - ties.indptr[:, side]).sum(axis=0).astype(np.int64) for side in sides]
    # From the side whose neighbours have fewer ties.
    from_tail = bool(counts[1].sum() < counts[0].sum())
    order = np.argsort(counts[from_tail], kind="stable")
    kept = np.sort(sides[from_tail][order[np.cumsum(counts[from_tail][order]) <= most]])
    skipped = len(order) - len(kept)
    middle, there, origin = _ties_of(ties, kept)
    here = kept[origin]
    right = np.ones(len(there), dtype=bool)
    for end in ends:
        right &= there != end
    middle, there, here = middle[right], there[right], here[right]
    if from_tail:
        middle, there, here = _reverse(ties, middle), here, there
    # here - middle - there: u and v of h - u - v - t.
    i, j = _joined(there, last[1])
    middle, here, there, behind = middle[i], here[i], there[i], last[0][j]
    order = np.argsort(first[1], kind="stable")
    i, j = _joined(here, first[1][order])
    before = first[0][order][j]
    kinds = np.stack([before, middle[i], behind[i]], axis=1)
    return Found(kinds, np.stack([here[i], there[i]], axis=1)), skipped


def _grouped(graph: Graph, ties: Ties, head: int, tail: int, found: Found) -> list[Paths]:
    if not len(found.kinds):
        return []
    weight = np.ones(len(found.kinds))
    for step in range(found.inner.shape[1]):
        kind, node = found.kinds[:, step + 1], found.inner[:, step]
        weight /= ties.indptr[kind, node + 1] - ties.indptr[kind, node]
    key = np.zeros(len(found.kinds), np.int64)
    for kind in found.kinds.T:
        key = key * ties.num_kinds + kind
    _, first, which = np.unique(key, return_index=True, return_inverse=True)
    patterns = found.kinds[first]
    order = np.lexsort((-weight, which))
    begins = np.searchsorted(which[order], np.arange(len(patterns) + 1))
    sums = np.bincount(which, weights=weight)
    best = np.argsort(-sums, kind="stable")[: SHOWN + 1]  # one more tells that there are more
    groups = []
    for i in range(len(patterns)):
        examples = order[begins[i] : min(begins[i] + EXAMPLES, begins[i + 1])] if i in best else order[:0]
        shown = tuple(nodes_of(graph, [head, *found.inner[j].tolist(), tail]) for j in examples)
        pattern = describe_pattern(graph, tuple(patterns[i].tolist()))
        count = int(begins[i + 1] - begins[i])
        groups.append(Paths(pattern, found.kinds.shape[1], count, float(sums[i]), shown))
    return groups


def nodes_of(graph: Graph, nodes: Sequence[int]) -> tuple[Node, ...]:
    """Nodes as people know them."""
    return tuple(Node(graph.node_id(node), graph.node_label(node)) for node in nodes)


def _ties_of(ties: Ties, nodes: Ints) -> tuple[Ints, Ints, Ints]:
    """The ties of some nodes: their kinds, their other ends, and which of the nodes each is of."""
    first = ties.indptr[:, nodes].astype(np.int64)
    count = ties.indptr[:, nodes + 1] - first
    place, which = expand(first.ravel(), count.ravel())
    return which // len(nodes), ties.neighbours[place].astype(np.int64), which % len(nodes)


def _apart(kinds: Ints, nodes: Ints, head: int, tail: int) -> tuple[Ints, Ints]:
    kept = (nodes != head) & (nodes != tail)
    return kinds[kept], nodes[kept]


def _reverse(ties: Ties, kinds: Ints) -> Ints:
    return np.where(ties.directed[kinds >> 1], kinds ^ 1, kinds)


def _joined(left: Ints, right: Ints) -> tuple[Ints, Ints]:
    """All pairs of places with equal values; `right` ascends."""
    first = np.searchsorted(right, left)
    place, which = expand(first, np.searchsorted(right, left, side="right") - first)
    return which, place
