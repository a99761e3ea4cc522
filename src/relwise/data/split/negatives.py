"""Edges that do not hold, one for each positive of valid and test, where the data give none."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from relwise.data.edges import Edges, IntArray, edge_keys
from relwise.data.graph import Graph

ATTEMPTS = 1000
HEAD, TAIL, NEITHER = 0, 1, 2


def draw_negatives(
    graph: Graph,
    positives: Edges,
    rng: np.random.Generator,
    *,
    by_degree: bool = False,
    held: npt.NDArray[np.bool_] | None = None,
) -> Edges:
    """For each positive one edge of its relation, within the relation's types and not a known edge.

    - Uniform: head and tail both.
    - By degree: one end is the positive's (the head's of half the positives); the other is drawn as often as it has
      that end of the relation's known edges, so that popularity alone does not tell positives. Where the first end
      is known to be tied to all the other could be, the other end is kept instead, else both are drawn.
    - With nodes held out: an end that is held out is the positive's and the other is drawn, else being unseen would
      tell positives.

    Args:
        graph: whose known edges, of every part, are refused.
        positives: n edges, of which only the relations count where both ends are drawn.
        rng: the source of randomness.
        by_degree: draw by degree, not uniformly.
        held: (N,) the nodes that are held out; None: none.

    Returns:
        n edges; fewer only where no unknown pair is left that 1,000 draws could find.

    >>> graph = Graph.from_triples([("ann", "likes", x) for x in "abc"] + [("bob", "likes", "a")])
    >>> drawn = draw_negatives(graph, graph.edges, np.random.default_rng(0), by_degree=True)
    >>> sorted({(graph.node_id(h), graph.node_id(t)) for h, t in zip(drawn.heads, drawn.tails)})
    [('bob', 'b'), ('bob', 'c')]
    """
    relations = positives.relations
    known = np.unique(graph.keys(graph.edges))
    ends = _Popular.of(graph) if by_degree else None
    keep = _kept(positives, rng, by_degree, held)
    heads, tails = np.full(len(relations), -1), np.full(len(relations), -1)
    open_ = np.arange(len(relations))
    for attempt in range(ATTEMPTS):
        if not len(open_):
            break
        r = relations[open_]
        h, t = _uniform(graph, r, rng) if ends is None else ends.draw(r, rng)
        if keep is not None:
            k = keep[open_]
            if held is None and 2 * attempt >= ATTEMPTS:
                # The end kept seems to have all others for neighbours; later the other end does too.
                k = 1 - k if 4 * attempt < 3 * ATTEMPTS else np.full(len(k), NEITHER)
            h = np.where(k == HEAD, positives.heads[open_], h)
            t = np.where(k == TAIL, positives.tails[open_], t)
        keys = edge_keys(h, r, t, graph.num_nodes, graph.directed)
        fresh = (h != t) & ~_among(keys, known)
        heads[open_[fresh]], tails[open_[fresh]] = h[fresh], t[fresh]
        open_ = open_[~fresh]
    found = heads >= 0
    return Edges(heads[found], relations[found], tails[found])


def _kept(
    positives: Edges, rng: np.random.Generator, by_degree: bool, held: npt.NDArray[np.bool_] | None
) -> IntArray | None:
    """(n,) which end of each positive its negative keeps; None: neither of any."""
    if held is None and not by_degree:
        return None
    either = rng.permutation(len(positives)) % 2  # half of them, to one
    if held is None:
        return either
    head, tail = held[positives.heads], held[positives.tails]
    return np.select([head & tail, head, tail], [either, HEAD, TAIL], either if by_degree else NEITHER)


def _uniform(graph: Graph, relations: IntArray, rng: np.random.Generator) -> tuple[IntArray, IntArray]:
    """Heads and tails uniform within the relations' types."""
    heads = rng.integers(graph.head_ranges[relations, 0], graph.head_ranges[relations, 1])
    return heads, rng.integers(graph.tail_ranges[relations, 0], graph.tail_ranges[relations, 1])


@dataclass(frozen=True, eq=False)
class _Popular:
    """Heads and tails as often as they have edges: the ends of a random edge of the relation.

    Args:
        heads, tails: (m,) ends of the known edges, sorted by relation, those of undirected relations both ways round.
        bounds: (R + 1,) where each relation's edges begin.
    """

    heads: IntArray
    tails: IntArray
    bounds: IntArray

    @staticmethod
    def of(graph: Graph) -> _Popular:
        edges = graph.edges
        back = ~graph.directed[edges.relations]
        relations = np.concatenate([edges.relations, edges.relations[back]])
        order = np.argsort(relations, kind="stable")
        return _Popular(
            np.concatenate([edges.heads, edges.tails[back]])[order],
            np.concatenate([edges.tails, edges.heads[back]])[order],
            np.searchsorted(relations[order], np.arange(graph.num_relations + 1)),
        )

    def draw(self, relations: IntArray, rng: np.random.Generator) -> tuple[IntArray, IntArray]:
        low, high = self.bounds[relations], self.bounds[relations + 1]
        return self.heads[rng.integers(low, high)], self.tails[rng.integers(low, high)]


def _among(keys: IntArray, known: IntArray) -> npt.NDArray[np.bool_]:
    """(n,) whether each key is one of the known, which are sorted."""
    if not len(known):
        return np.zeros(len(keys), dtype=bool)
    return known[np.minimum(np.searchsorted(known, keys), len(known) - 1)] == keys
