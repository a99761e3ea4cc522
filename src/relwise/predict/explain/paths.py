"""Paths of one to three steps between two nodes, by pattern, with examples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from relwise.data.graph import Graph, counted
from relwise.predict.evidence.plan import Pattern, describe_pattern
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
    graph: Graph,
    ties: Ties,
    head: int,
    relation: int,
    tail: int,
    effects: Mapping[Pattern, float] | None = None,
    most: int = MOST,
) -> tuple[list[Paths], list[str]]:
    """The patterns that move the final logit most, then the weightiest; and what was capped, in sentences.

    Paths are simple, so none passes over the edge asked about, except that edge itself: it is left out.

    Args:
        graph: for names.
        ties: usually of the message edges.
        head, relation, tail: the edge asked about, as indices.
        effects: how much lower the final logit were without each pattern's paths; None where no evidence is weighed.
        most: ties that are followed from the neighbours of one end.
    """
    found, skipped = enumerate_paths(ties, head, relation, tail, most)
    groups = [group for some in found for group in _grouped(ties, some, effects)]
    groups.sort(key=lambda group: group.rank)
    shown = [_told(graph, head, tail, group) for group in groups[:SHOWN]]
    notes = []
    if skipped:
        whose = f"{counted(skipped, 'neighbour')} with the most ties"
        notes.append(f"paths of three steps: not through {whose}; there may be more than are counted")
    if len(groups) > SHOWN:
        which = "weightiest" if effects is None else "most telling"
        notes.append(f"paths: the {SHOWN} {which} of {len(groups):,} patterns")
    return shown, notes


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


@dataclass(frozen=True, eq=False)
class Group:
    """The paths of one pattern.

    Args:
        pattern: its kinds of tie.
        inner: (m, s - 1) the nodes passed, by m paths, weightiest first.
        weight: the paths' sum.
        effect: as of `Paths`.
    """

    pattern: Pattern
    inner: Ints
    weight: float
    effect: float | None

    @property
    def rank(self) -> tuple[float, float]:
        """By which groups are ordered."""
        return -abs(self.effect or 0.0), -self.weight


def _grouped(ties: Ties, found: Found, effects: Mapping[Pattern, float] | None) -> list[Group]:
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
    order = np.lexsort((-weight, which))
    begins = np.searchsorted(which[order], np.arange(len(first) + 1))
    sums = np.bincount(which, weights=weight)
    groups = []
    for i, kinds in enumerate(found.kinds[first].tolist()):
        pattern = tuple(kinds)
        effect = None if effects is None else effects.get(pattern, 0.0)
        groups.append(Group(pattern, found.inner[order[begins[i] : begins[i + 1]]], float(sums[i]), effect))
    return groups


def _told(graph: Graph, head: int, tail: int, group: Group) -> Paths:
    """A group as people read it, with examples."""
    pattern, count = describe_pattern(graph, group.pattern), len(group.inner)
    examples = tuple(nodes_of(graph, [head, *inner.tolist(), tail]) for inner in group.inner[:EXAMPLES])
    return Paths(pattern, len(group.pattern), count, group.weight, examples, group.effect)


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
