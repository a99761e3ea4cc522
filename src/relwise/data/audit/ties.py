"""`Ties`: which relations tie two nodes, and in which direction, asked of many pairs at once.

A *step* is a relation walked from head to tail (step r) or from tail to head (step R + r). An undirected relation is
walked both ways as step r.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from relwise.data.edges import Edges, IntArray
from relwise.data.graph import Graph

# Entries looked up at once: at 8 bytes and some ten arrays, 80 MB.
CHUNK = 1_000_000


@dataclass(frozen=True, eq=False)
class Ties:
    """All steps of some edges, in two orders.

    Args:
        num_nodes, num_relations: of the graph.
        pairs: (m,) sorted, `from · N + to`, of every step.
        steps: (m,) the step of each of `pairs`.
        starts: (N + 1,) where each node's steps begin in `pairs`.
        undirected: (R,) which relations are walked both ways as one step.
    """

    num_nodes: int
    num_relations: int
    pairs: IntArray
    steps: IntArray
    starts: IntArray
    undirected: npt.NDArray[np.bool_]

    @staticmethod
    def of(graph: Graph, edges: Edges) -> Ties:
        """The steps of `edges`."""
        n, count = graph.num_nodes, graph.num_relations
        turned = np.where(graph.directed[edges.relations], edges.relations + count, edges.relations)
        sources = np.concatenate([edges.heads, edges.tails])
        pairs = sources * n + np.concatenate([edges.tails, edges.heads])
        steps = np.concatenate([edges.relations, turned])
        order = np.lexsort((steps, pairs))
        pairs, steps = pairs[order], steps[order]
        # Both orientations of an undirected edge, or an edge given twice, are one tie.
        fresh = np.ones(len(pairs), dtype=bool)
        fresh[1:] = (pairs[1:] != pairs[:-1]) | (steps[1:] != steps[:-1])
        pairs, steps = pairs[fresh], steps[fresh]
        starts = np.searchsorted(pairs, np.arange(n + 1) * n)
        return Ties(n, count, pairs, steps, starts, ~graph.directed)

    def relation(self, step: int) -> int:
        """The relation that a step walks."""
        return step % self.num_relations

    def turned(self, steps: IntArray) -> IntArray:
        """The steps walked back."""
        back = np.where(steps < self.num_relations, steps + self.num_relations, steps - self.num_relations)
        return np.where(self.undirected[steps % self.num_relations], steps, back)

    def between(self, sources: IntArray, targets: IntArray) -> tuple[IntArray, IntArray]:
        """The steps that lead straight from each source to its target.

        Args:
            sources, targets: (n,) nodes.

        Returns:
            rows: (k,) which of the n pairs; steps: (k,) a step between the two.
        """
        asked = sources * self.num_nodes + targets
        first = np.searchsorted(self.pairs, asked)
        counts = np.searchsorted(self.pairs, asked, side="right") - first
        rows, places = _spread(first, counts)
        return rows, self.steps[places]

    def two_steps(self, sources: IntArray, targets: IntArray) -> tuple[IntArray, IntArray, IntArray]:
        """The pairs of steps that lead from each source over a third node to its target, each once a pair.

        Args:
            sources, targets: (n,) nodes.

        Returns:
            rows: (k,) which of the n pairs; first, second: (k,) the two steps.
        """
        degree = np.diff(self.starts)
        # Walk from the end with fewer ties, and look the others up.
        from_target = degree[targets] < degree[sources]
        near, far = np.where(from_target, targets, sources), np.where(from_target, sources, targets)
        work = np.cumsum(degree[near])
        cuts = np.searchsorted(work, np.arange(CHUNK, int(work[-1]) if len(work) else 0, CHUNK))
        found = [
            self._meet(part, near[part], far[part], from_target[part])
            for part in np.split(np.arange(len(near)), np.unique(cuts))
            if len(part)
        ]
        if not found:
            none = np.empty(0, np.int64)
            return none, none, none
        return tuple(np.concatenate(columns) for columns in zip(*found, strict=True))  # type: ignore[return-value]

    def _meet(
        self, rows: IntArray, near: IntArray, far: IntArray, swapped: npt.NDArray[np.bool_]
    ) -> tuple[IntArray, IntArray, IntArray]:
        which, places = _spread(self.starts[near], self.starts[near + 1] - self.starts[near])
        middle, step = self.pairs[places] % self.num_nodes, self.steps[places]
        real = (middle != near[which]) & (middle != far[which])
        which, middle, step = which[real], middle[real], step[real]
        # Steps far -> middle; walked back they lead on to `far`.
        met, other = self.between(far[which], middle)
        which, step = which[met], step[met]
        from_far = swapped[which]
        first = np.where(from_far, other, step)
        second = self.turned(np.where(from_far, step, other))
        base = 2 * self.num_relations
        keys = distinct((which * base + first) * base + second)
        return rows[keys // base**2], keys // base % base, keys % base

    # -- from one node set along one step -------------------------------------------------------------------

    @cached_property
    def _by_step(self) -> tuple[IntArray, IntArray]:
        """`step · N + from`, sorted, and where each leads."""
        keys = self.steps * self.num_nodes + self.pairs // self.num_nodes
        order = np.argsort(keys, kind="stable")
        return keys[order], self.pairs[order] % self.num_nodes

    def follow(self, step: int, nodes: IntArray) -> tuple[IntArray, IntArray]:
        """Where one step leads from each node.

        Args:
            step: the step.
            nodes: (n,) nodes.

        Returns:
            rows: (k,) which of the n nodes; ends: (k,) a node it leads to.
        """
        keys, ends = self._by_step
        asked = step * self.num_nodes + nodes
        first = np.searchsorted(keys, asked)
        rows, places = _spread(first, np.searchsorted(keys, asked, side="right") - first)
        return rows, ends[places]

    def sources(self, step: int) -> IntArray:
        """The nodes from which a step leads anywhere."""
        keys = self._by_step[0]
        first, last = np.searchsorted(keys, [step * self.num_nodes, (step + 1) * self.num_nodes])
        return distinct(keys[first:last] - step * self.num_nodes)

    @cached_property
    def single(self) -> npt.NDArray[np.float64]:
        """(2R,) of the nodes from which a step leads anywhere, the share from which it leads to one node only."""
        keys = self._by_step[0]
        sources = distinct(keys)
        counts = np.diff(np.append(np.searchsorted(keys, sources), len(keys)))
        step = sources // self.num_nodes
        total = np.bincount(step, minlength=2 * self.num_relations)
        return np.bincount(step, counts == 1, 2 * self.num_relations) / np.maximum(1, total)


def distinct(values: IntArray) -> IntArray:
    """The values, each once, ascending. NumPy's `unique` goes by hashes, which was ten times as slow.

    >>> distinct(np.array([3, 1, 3])).tolist()
    [1, 3]
    """
    ordered = np.sort(values)
    fresh = np.ones(len(ordered), dtype=bool)
    fresh[1:] = ordered[1:] != ordered[:-1]
    return ordered[fresh]


def is_among(values: IntArray, ordered: IntArray) -> npt.NDArray[np.bool_]:
    """(n,) whether each value is one of `ordered`, which ascends.

    >>> is_among(np.array([1, 2, 9]), np.array([2, 4])).tolist()
    [False, True, False]
    """
    if not len(ordered):
        return np.zeros(len(values), dtype=bool)
    return ordered[np.minimum(np.searchsorted(ordered, values), len(ordered) - 1)] == values


def _spread(first: IntArray, counts: IntArray) -> tuple[IntArray, IntArray]:
    """Ranges `first[i] .. first[i] + counts[i]` one after the other: whose each entry is, and the entries.

    >>> [part.tolist() for part in _spread(np.array([5, 9]), np.array([2, 1]))]
    [[0, 0, 1], [5, 6, 9]]
    """
    rows = np.repeat(np.arange(len(counts)), counts)
    begins = np.cumsum(counts) - counts
    return rows, np.arange(len(rows)) - begins[rows] + first[rows]
