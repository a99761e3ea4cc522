"""What the graph itself says: of any edge, and of one end with every candidate for the other (`table` has what)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from relwise.data.edges import Edges
from relwise.nn.decoders import End
from relwise.predict.evidence.plan import Pattern, Plan, reversed_pattern
from relwise.predict.evidence.reached import reached_evidence
from relwise.predict.evidence.table import PATHS, SHARED, Floats, Table, merged, merged_without_each, weight
from relwise.predict.evidence.ties import Ties
from relwise.predict.evidence.walk_blocks import block_evidence
from relwise.predict.evidence.walks import CAP, pair_walks

FEW = 0.5  # walks for each candidate, up to which it is quicker to note who is reached than to go over all


@dataclass(frozen=True, eq=False)
class Evidence:
    """The evidence of any edge of a graph.

    Args:
        ties: who is tied to whom, by the message edges.
        patterns: of each relation, those that tell.

    >>> from relwise.data.graph import Graph
    >>> graph = Graph.from_triples([("ann", "likes", "bob"), ("ann", "knows", "bob")])
    >>> evidence = Evidence(Ties.of(graph, graph.edges), [[], [(0,)]])
    >>> evidence.table(graph.edges).shared[:, 0].tolist()  # ann knows bob, and likes him too
    [0.0, 1.0]
    """

    ties: Ties
    patterns: Sequence[Sequence[Pattern]]

    @property
    def width(self) -> int:
        """W, the most patterns that a relation has."""
        return max((len(patterns) for patterns in self.patterns), default=0)

    def turned(self, edges: Edges) -> Edges:
        """The same n edges, an undirected one with the end first that has fewer ties (see `_rank`)."""
        turn = np.zeros(len(edges), dtype=bool)
        for relation in np.unique(edges.relations[~self.ties.directed[edges.relations]]).tolist():
            rows, rank = edges.relations == relation, self._rank(relation)
            turn[rows] = rank[edges.heads[rows]] > rank[edges.tails[rows]]
        heads, tails = np.where(turn, edges.tails, edges.heads), np.where(turn, edges.heads, edges.tails)
        return Edges(heads, edges.relations, tails)

    def table(self, edges: Edges) -> Table:
        """The evidence of n edges; what is asked about, if known, is left out of its own."""
        edges = self.turned(edges)
        shared = np.zeros((len(edges), len(SHARED)))
        own = np.zeros((len(edges), self.width))
        for relation in np.unique(edges.relations):
            rows = np.flatnonzero(edges.relations == relation)
            heads, tails = edges.heads[rows], edges.tails[rows]
            patterns = self.patterns[relation]
            paths = self.paths(patterns, heads, tails)
            own[rows, : len(patterns)] = weight(paths)
            shared[rows, :PATHS] = merged(patterns, paths)
            known = self._is_known(int(relation), heads, tails)
            for column, kind, ends in ((3, 2 * relation, heads), (4, self.ties.reverse(2 * relation), tails)):
                shared[rows, column] = np.log1p(self.ties.degrees(kind)[ends] - known)
            for column, ends in ((5, heads), (6, tails)):
                shared[rows, column] = np.log1p(self._all_ties[ends] - known)
        return Table(edges.relations, shared, own)

    def paths(
        self, patterns: Sequence[Pattern], heads: npt.NDArray[np.integer], tails: npt.NDArray[np.integer]
    ) -> npt.NDArray[np.float32]:
        """(n, P) the weights of each pattern's paths between n heads and tails."""
        out = np.zeros((len(heads), len(patterns)), np.float32)
        if not len(heads) or not patterns:
            return out
        plan = Plan.of(self.ties, patterns)
        order = np.argsort(heads, kind="stable")
        found = np.empty_like(out)
        pair_walks(
            self.ties.indptr, self.ties.neighbours, plan.steps, plan.back, np.asarray(heads, np.int64)[order],
            np.asarray(tails, np.int64)[order], CAP, found,
        )  # fmt: skip
        out[np.ix_(order, plan.columns)] = found
        return out

    def path_effects(self, edges: Edges, shared: Floats, own: Floats) -> list[dict[Pattern, float]]:
        """Of n edges, how much less is said for each without the paths of each pattern that there are.

        Args:
            edges: n edges.
            shared: (R, 7) θ of each relation.
            own: (R, W) φ of each relation.

        Returns:
            Of each edge the patterns from its head to its tail, by their effect.
        """
        out: list[dict[Pattern, float]] = [{} for _ in range(len(edges))]
        as_told = self.turned(edges)
        for relation in np.unique(edges.relations).tolist():
            rows, patterns = np.flatnonzero(edges.relations == relation), self.patterns[relation]
            paths = self.paths(patterns, as_told.heads[rows], as_told.tails[rows]).astype(np.float64)
            number = np.array([len(pattern) - 1 for pattern in patterns], dtype=np.int64)
            less = merged(patterns, paths)[:, number] - merged_without_each(patterns, paths)
            effects = own[relation, : len(patterns)] * weight(paths) + less * shared[relation, number]
            back = as_told.heads[rows] != edges.heads[rows]
            for row, turned, said, there in zip(rows.tolist(), back.tolist(), effects, paths > 0, strict=True):
                of_row = ((patterns[column], float(said[column])) for column in np.flatnonzero(there))
                out[row] = {reversed_pattern(self.ties, p) if turned else p: effect for p, effect in of_row}
        return out

    def block(
        self,
        relation: int,
        from_tail: bool,
        anchors: npt.NDArray[np.integer],
        candidates: tuple[int, int],
        shared: Floats,
        own: Floats,
    ) -> npt.NDArray[np.float32]:
        """(q, n) shared · θ + own · φ of q anchors under a relation with each candidate for the other end.

        Args:
            relation: relation index.
            from_tail: whether the anchors are tails, and heads are asked for.
            anchors: (q,) nodes.
            candidates: the range of the nodes asked for.
            shared: (7,) θ.
            own: (W,) φ.
        """  # fmt: skip
        low, high = candidates
        if not self.ties.directed[relation]:
            ways = (self._block(relation, way, anchors, candidates, shared, own) for way in (False, True))
            rank = self._rank(relation)
            return np.where(rank[low:high] > rank[anchors][:, None], *ways)
        return self._block(relation, from_tail, anchors, candidates, shared, own)

    def _block(
        self, relation: int, from_tail: bool, anchors: npt.NDArray[np.integer], candidates: tuple[int, int],
        shared: Floats, own: Floats,
    ) -> npt.NDArray[np.float32]:  # fmt: skip
        """The same told from one end, whatever the relation."""
        patterns = self.patterns[relation]
        plan, (low, high) = self._plan(relation, from_tail), candidates
        few = self._walks[anchors] <= FEW * (high - low)
        out = np.zeros((len(anchors), high - low), np.float32)
        if not few.all():
            crowded = anchors[~few]
            out[~few] = block_evidence(self.ties, plan, own[: len(patterns)], shared[:PATHS], crowded, candidates)
        for row in np.flatnonzero(few):
            nodes, values = self._reached(relation, from_tail, int(anchors[row]), candidates, shared, own)
            out[row, nodes - low] = values
        given, asked = ("tail", "head") if from_tail else ("head", "tail")
        out += self._of_degrees(relation, asked, slice(low, high), shared).astype(np.float32)
        out += self._of_degrees(relation, given, anchors, shared).astype(np.float32)[:, None]
        return out

    def reached(
        self,
        relation: int,
        from_tail: bool,
        anchor: int,
        candidates: tuple[int, int],
        shared: Floats,
        own: Floats,
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]:
        """What ties and paths say of the candidates that they reach; of all others they say nothing.

        Args:
            anchor: one node.
            relation, from_tail, candidates, shared, own: as of `block`.

        Returns:
            (m,) nodes, ascending; (m,) what `block` adds for them but for the degrees of both ends.
        """
        if self.ties.directed[relation]:
            return self._reached(relation, from_tail, anchor, candidates, shared, own)
        rank, parts = self._rank(relation), []
        for way in (False, True):
            nodes, values = self._reached(relation, way, anchor, candidates, shared, own)
            told = (rank[nodes] > rank[anchor]) != way
            parts.append((nodes[told], values[told]))
        nodes, values = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
        order = np.argsort(nodes)
        return nodes[order], values[order]

    def _reached(
        self, relation: int, from_tail: bool, anchor: int, candidates: tuple[int, int], shared: Floats, own: Floats
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]:
        plan, patterns = self._plan(relation, from_tail), self.patterns[relation]
        return reached_evidence(self.ties, plan, own[: len(patterns)], shared[:PATHS], anchor, candidates)

    def of_ends(
        self, relation: int, from_tail: bool, anchor: int, nodes: npt.NDArray[np.integer], shared: Floats
    ) -> npt.NDArray[np.float32]:
        """(n,) what `block` adds for the degrees of an anchor and of n candidates.

        Args:
            nodes: (n,) candidates.
            relation, from_tail, anchor, shared: as of `block`.
        """

        def told(given: End, asked: End) -> Floats:
            of_anchor = self._of_degrees(relation, given, np.array([anchor]), shared)
            return of_anchor + self._of_degrees(relation, asked, nodes, shared)

        forward, back = told("head", "tail"), told("tail", "head")
        if self.ties.directed[relation]:
            return (back if from_tail else forward).astype(np.float32)
        rank = self._rank(relation)
        return np.where(rank[nodes] > rank[anchor], forward, back).astype(np.float32)

    def degrees(self, relation: int, end: End, nodes: npt.NDArray[np.integer]) -> list[tuple[int, Floats]]:
        """Which of `SHARED` tell of one end alone, and their values: log(1 + ties), under the relation and of all.

        Args:
            relation: relation index.
            end: head or tail.
            nodes: (n,) that stand there.
        """
        kind, first = 2 * relation if end == "head" else self.ties.reverse(2 * relation), PATHS + (end == "tail")
        return [(first, self._log_ties(kind)[nodes]), (first + 2, self._log_ties(None)[nodes])]

    def _of_degrees(self, relation: int, end: End, nodes: npt.NDArray[np.integer] | slice, shared: Floats) -> Floats:
        """(n,) what the degrees of nodes say of them as ends of the relation."""
        kind = 2 * relation if end == "head" else self.ties.reverse(2 * relation)
        column = PATHS + (end == "tail")
        return shared[column] * self._log_ties(kind)[nodes] + shared[column + 2] * self._log_ties(None)[nodes]

    def _log_ties(self, kind: int | None) -> Floats:
        """(N,) log(1 + ties) of each node, of one kind or of all; kept."""
        if kind not in self._logs:
            self._logs[kind] = np.log1p(self._all_ties if kind is None else self.ties.degrees(kind))
        return self._logs[kind]

    def _rank(self, relation: int) -> npt.NDArray[np.int64]:
        """(N,) the place of each node by its ties under a relation, then by those of all kinds; kept."""
        if relation not in self._ranks:
            order = np.lexsort((self._all_ties, self.ties.degrees(2 * relation)))
            rank = np.empty(len(order), np.int64)
            rank[order] = np.arange(len(order))
            self._ranks[relation] = rank
        return self._ranks[relation]

    @cached_property
    def _ranks(self) -> dict[int, npt.NDArray[np.int64]]:
        return {}

    @cached_property
    def _logs(self) -> dict[int | None, Floats]:
        return {}

    def _plan(self, relation: int, from_tail: bool) -> Plan:
        key = (relation, from_tail)
        if key not in self._plans:
            self._plans[key] = Plan.of(self.ties, self.patterns[relation], from_tail)
        return self._plans[key]

    def _is_known(self, relation: int, heads: npt.NDArray, tails: npt.NDArray) -> npt.NDArray[np.float32]:
        """(n,) 1 where the edge asked about is a message edge itself."""
        return self.paths([(2 * relation,)], heads, tails)[:, 0]

    @cached_property
    def _walks(self) -> Floats:
        """(N,) about how many walks of three steps begin at each node, over ties of all kinds."""
        ties, second = self.ties, np.zeros(self.ties.num_nodes)
        for kind in range(ties.num_kinds):
            starts, ends = ties.indptr[kind, 0], ties.indptr[kind, -1]
            nodes = np.repeat(np.arange(ties.num_nodes), ties.degrees(kind))
            second += np.bincount(nodes, self._all_ties[ties.neighbours[starts:ends]], ties.num_nodes)
        return second * self._all_ties.mean()

    @cached_property
    def _plans(self) -> dict[tuple[int, bool], Plan]:
        return {}

    @cached_property
    def _all_ties(self) -> npt.NDArray[np.int64]:
        """(N,) how many ties of all kinds each node has."""
        total = np.zeros(self.ties.num_nodes, np.int64)
        for kind in range(self.ties.num_kinds):
            total += self.ties.degrees(kind)
        return total
