"""`Case`: what every check of the audit looks at, made once, and the time that is left for it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt

from relwise.data.audit.ties import Ties, distinct, is_among
from relwise.data.edges import Edges, IntArray, edge_keys
from relwise.data.graph import Graph
from relwise.data.split import Split

# Non-edges are sought so many times before a relation is taken to have no more of them.
DRAWS = 20


@dataclass(eq=False)
class Case:
    """A graph and its split under audit.

    Args:
        graph, split: what is audited.
        seed: of everything that is sampled.
        seconds: how long the checks may take together.
        say: told what goes on, where that takes longer than a moment.
        unexamined: what was left out, in sentences; the checks add to it.
    """

    graph: Graph
    split: Split
    seed: int
    seconds: float
    say: Callable[[str], None] | None = None
    unexamined: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.began = self.said = time.perf_counter()

    @property
    def left(self) -> float:
        """How many seconds are left."""
        return self.began + self.seconds - time.perf_counter()

    def progress(self, text: str) -> None:
        """Say what is going on, at most every other second."""
        now = time.perf_counter()
        if self.say is not None and now > self.said + 2:
            self.said = now
            self.say(f"audit: {text}")

    # -- the edges ------------------------------------------------------------------------------------------

    @cached_property
    def message(self) -> Ties:
        """The ties that carry messages."""
        return Ties.of(self.graph, self.split.message)

    @cached_property
    def every(self) -> Ties:
        """The ties of all known edges, of every part."""
        return Ties.of(self.graph, self.split.filter)

    @cached_property
    def known(self) -> IntArray:
        """The keys of all known edges, sorted."""
        return distinct(self.graph.keys(self.split.filter))

    @cached_property
    def asked(self) -> Edges:
        """The edges that measures will be taken on: the test positives, or the valid ones where test has none."""
        test = self.split.test.positives
        return test if len(test) else self.split.valid.positives

    @property
    def asked_name(self) -> str:
        """`"test"` or `"valid"`, whichever `asked` is."""
        return "test" if self.split.test.labels.any() else "valid"

    def is_known(self, relation: int, heads: IntArray, tails: IntArray) -> npt.NDArray[np.bool_]:
        """(n,) whether each pair is a known edge of the relation."""
        relations = np.full(len(heads), relation)
        keys = edge_keys(heads, relations, tails, self.graph.num_nodes, self.graph.directed)
        return is_among(keys, self.known)

    def non_edges(self, relation: int, count: int) -> tuple[IntArray, IntArray]:
        """Pairs that are no known edges, their ends drawn as often as they have edges of the relation.

        Popular nodes are tied to each other in many ways without any leak; such pairs say how often that is.

        Args:
            relation: the relation.
            count: how many are wanted; fewer are found where nearly all pairs are edges.

        Returns:
            heads, tails: (n,) nodes.
        """
        rng = np.random.default_rng([self.seed, 11, relation])
        own = np.flatnonzero(self.split.filter.relations == relation)
        heads, tails = np.empty(0, np.int64), np.empty(0, np.int64)
        for _ in range(DRAWS):
            wanted = count - len(heads)
            if wanted <= 0 or not len(own):
                break
            h = self.split.filter.heads[rng.choice(own, 2 * wanted)]
            t = self.split.filter.tails[rng.choice(own, 2 * wanted)]
            fresh = np.flatnonzero((h != t) & ~self.is_known(relation, h, t))[:wanted]
            heads, tails = np.concatenate([heads, h[fresh]]), np.concatenate([tails, t[fresh]])
        return heads, tails

    # -- words ----------------------------------------------------------------------------------------------

    def name(self, relation: int) -> str:
        """A relation as sentences have it: with its types, where there are several."""
        kind = self.graph.relations[relation]
        plain = len(self.graph.node_types) == 1
        return f"'{kind.name}'" if plain else f"'{kind.head} {kind.name} {kind.tail}'"

    def walked(self, step: int) -> str:
        """A step as sentences have it."""
        relation = self.message.relation(step)
        return self.name(relation) + (" turned round" if step >= self.graph.num_relations else "")

    def edges_by_id(self, edges: Edges, most: int = 3) -> tuple[tuple[str, ...], ...]:
        """The first few edges as (head id, relation, tail id)."""
        graph = self.graph
        return tuple(
            (graph.node_id(int(h)), graph.relation_names[r], graph.node_id(int(t)))
            for h, r, t in zip(edges.heads[:most], edges.relations[:most], edges.tails[:most], strict=True)
        )

    def nodes_by_id(self, nodes: IntArray, most: int = 3) -> tuple[tuple[str, ...], ...]:
        """The first few nodes, each as (id,)."""
        return tuple((self.graph.node_id(int(node)),) for node in nodes[:most])

    def has_dates(self, relation: int) -> bool:
        """Whether any edge of the relation is dated."""
        return bool(self.dated[relation])

    @cached_property
    def dated(self) -> IntArray:
        """(R,) how many edges of each relation have a date."""
        edges = self.graph.edges
        known = np.zeros(len(edges), bool) if edges.times is None else ~np.isnat(edges.times)
        return np.bincount(edges.relations, known, self.graph.num_relations).astype(np.int64)
