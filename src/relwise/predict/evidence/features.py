"""What the graph itself says of an edge, as numbers: other ties, typed paths, degrees.

Of an edge (h, r, t), from the message edges alone and never from that edge (nor, under an undirected relation, its
reverse):

| number | what |
| --- | --- |
| `tied` | 1 where h and t are tied under one of r's patterns of one step: another relation, or in reverse |
| `paths2`, `paths3` | f of the weights of r's patterns of two and of three steps, added up |
| `head_degree`, `tail_degree` | log(1 + the end's ties under r) |
| `head_ties`, `tail_ties` | log(1 + the end's ties of all kinds) |
| one for each pattern of r | f of its weight alone |

A weight is that of `walks`: the paths of the pattern, each divided by the ties that its inner nodes have. It spans many
powers of ten, hence f(x) = log(1 + x / ε), ε = 0.001, which is 0 where there is no path.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from relwise.data.edges import Edges
from relwise.nn.decoders import End
from relwise.predict.evidence.plan import Pattern, Plan
from relwise.predict.evidence.reached import reached_evidence
from relwise.predict.evidence.ties import Ties
from relwise.predict.evidence.walk_blocks import block_evidence
from relwise.predict.evidence.walks import CAP, pair_walks

SHARED = ("tied", "paths2", "paths3", "head_degree", "tail_degree", "head_ties", "tail_ties")
FEW = 0.5  # walks for each candidate, up to which it is quicker to note who is reached than to go over all
PATHS = 3  # of them: what stands in pairs, not in ends

Floats = npt.NDArray[np.float64]


def weight(paths: npt.NDArray) -> Floats:
    """f(x) = x^(1/4).

    >>> weight(np.array([0.0, 0.0016])).round(3).tolist()
    [0.0, 0.2]
    """
    return np.sqrt(np.sqrt(np.asarray(paths, dtype=np.float64)))


@dataclass(frozen=True, eq=False)
class Table:
    """The evidence of n edges.

    Args:
        relations: (n,) relation indices.
        shared: (n, 7) the numbers named in `SHARED`.
        own: (n, W) one for each pattern of the edge's relation, in their order; 0 behind the last.
    """

    relations: npt.NDArray[np.int64]
    shared: Floats
    own: Floats

    def __getitem__(self, index: npt.NDArray) -> Table:
        return Table(self.relations[index], self.shared[index], self.own[index])


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

    def table(self, edges: Edges) -> Table:
        """The evidence of n edges; what is asked about, if known, is left out of its own."""
        shared = np.zeros((len(edges), len(SHARED)))
        own = np.zeros((len(edges), self.width))
        for relation in np.unique(edges.relations):
            rows = np.flatnonzero(edges.relations == relation)
            heads, tails = edges.heads[rows], edges.tails[rows]
            patterns = self.patterns[relation]
            paths = self.paths(patterns, heads, tails)
            own[rows, : len(patterns)] = weight(paths)
            shared[rows, :PATHS] = _merged(patterns, paths)
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
        patterns = self.patterns[relation]
        plan, (low, high) = self._plan(relation, from_tail), candidates
        few = self._walks[anchors] <= FEW * (high - low)
        out = np.zeros((len(anchors), high - low), np.float32)
        if not few.all():
            crowded = anchors[~few]
            out[~few] = block_evidence(self.ties, plan, own[: len(patterns)], shared[:PATHS], crowded, candidates)
        for row in np.flatnonzero(few):
            nodes, values = self.reached(relation, from_tail, int(anchors[row]), candidates, shared, own)
            out[row, nodes - low] = values
        kinds = (2 * relation, self.ties.reverse(2 * relation))
        ends = [self._log_ties(kind) for kind in kinds] + [self._log_ties(None)] * 2
        of_anchors, of_candidates = np.zeros(len(anchors)), np.zeros(high - low)
        for end, column in zip(ends, range(PATHS, len(SHARED)), strict=True):
            if (column in (3, 5)) != from_tail:
                of_anchors += shared[column] * end[anchors]
            else:
                of_candidates += shared[column] * end[low:high]
        out += of_candidates.astype(np.float32)
        out += of_anchors.astype(np.float32)[:, None]
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
        plan = self._plan(relation, from_tail)
        return reached_evidence(
            self.ties, plan, own[: len(self.patterns[relation])], shared[:PATHS], anchor, candidates
        )  # fmt: skip

    def degrees(self, relation: int, end: End, nodes: npt.NDArray[np.integer]) -> list[tuple[int, Floats]]:
        """Which of `SHARED` tell of one end alone, and their values: log(1 + ties), under the relation and of all.

        Args:
            relation: relation index.
            end: head or tail.
            nodes: (n,) that stand there.
        """
        indptr = self.ties.indptr[2 * relation if end == "head" else self.ties.reverse(2 * relation)]
        own, first = indptr[np.asarray(nodes) + 1] - indptr[nodes], PATHS + (end == "tail")
        return [(first, np.log1p(own)), (first + 2, np.log1p(self._all_ties[nodes]))]

    def _log_ties(self, kind: int | None) -> Floats:
        """(N,) log(1 + ties) of each node, of one kind or of all; kept."""
        if kind not in self._logs:
            self._logs[kind] = np.log1p(self._all_ties if kind is None else self.ties.degrees(kind))
        return self._logs[kind]

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


def _merged(patterns: Sequence[Pattern], paths: npt.NDArray[np.float32]) -> Floats:
    """(n, 3) `tied`, `paths2`, `paths3` of n pairs."""
    out = np.zeros((len(paths), PATHS))
    for steps in range(1, PATHS + 1):
        columns = [i for i, pattern in enumerate(patterns) if len(pattern) == steps]
        total = paths[:, columns].sum(axis=1, dtype=np.float64)
        out[:, steps - 1] = total > 0 if steps == 1 else weight(total)
    return out
