"""Relations that tie the same pairs: near-copies, inverses, one that implies another, or one of several others.

For relations r and s (s as it is, or turned round) the *share* of r's pairs that are pairs of s is taken over all
known edges. Chance would have it, for a pair (h, t) of r, with probability `out_s(h) · in_s(t) / m_s`: the degrees and
the number of s's edges. What lets a model see the answer is the share of r's test edges that stand in train under s.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from relwise.data.audit.case import Case
from relwise.data.audit.chance import LUCK, ODDS, odds_ratio, surprise
from relwise.data.audit.finding import Finding, listed, percent
from relwise.data.audit.remedy import keep_together
from relwise.data.audit.ties import Ties, distinct
from relwise.data.edges import Edges, IntArray

# From here on one relation is a copy of the other; half of it already changes measures.
COPY, HALF = 0.8, 0.5
# An edge that implies one of several others does so nearly always, or it says little.
UNION = 0.9
# Less of the test edges than this changes measures by little.
LEAKED = 0.1


@dataclass(frozen=True, eq=False)
class _Shared:
    """Of some edges, which steps besides their own relation tie their ends.

    Args:
        edges: n edges.
        rows, steps: (k,) an edge, and a step that leads from its head to its tail.
        ties: where the steps are of.
    """

    edges: Edges
    rows: IntArray
    steps: IntArray
    ties: Ties

    @staticmethod
    def of(edges: Edges, ties: Ties) -> _Shared:
        rows, steps = ties.between(edges.heads, edges.tails)
        count = ties.num_relations
        # An edge of an undirected relation has no direction that another could have turned round.
        steps = np.where(ties.undirected[edges.relations[rows]], steps % count, steps)
        keys = distinct(rows * 2 * count + steps)
        rows, steps = keys // (2 * count), keys % (2 * count)
        other = steps % count != edges.relations[rows]
        return _Shared(edges, rows[other], steps[other], ties)

    @cached_property
    def counts(self) -> IntArray:
        """(R, 2R) how many edges of each relation a step ties too."""
        r = self.ties.num_relations
        keys = self.edges.relations[self.rows] * 2 * r + self.steps
        return np.bincount(keys, minlength=2 * r * r).reshape(r, 2 * r)

    @cached_property
    def sizes(self) -> IntArray:
        """(R,) how many edges each relation has."""
        return np.bincount(self.edges.relations, minlength=self.ties.num_relations)

    @cached_property
    def _by_relation(self) -> tuple[IntArray, IntArray]:
        """The places of `rows` sorted by their edges' relation, and where each relation begins there."""
        relations = self.edges.relations[self.rows]
        order = np.argsort(relations, kind="stable")
        return order, np.searchsorted(relations[order], np.arange(self.ties.num_relations + 1))

    def tied(self, relation: int, steps: list[int] | None = None) -> IntArray:
        """The relation's edges that any of the steps ties, of all steps where none are named; ascending."""
        order, begins = self._by_relation
        own = order[begins[relation] : begins[relation + 1]]
        return distinct(self.rows[own if steps is None else own[np.isin(self.steps[own], steps)]])

    def share(self, relation: int, steps: list[int]) -> float:
        """The share of the relation's edges that any of the steps ties."""
        return len(self.tied(relation, steps)) / max(1, int(self.sizes[relation]))


def overlaps(case: Case) -> list[Finding]:
    """Relations that tie the same pairs, where this lets test edges be seen in train."""
    if case.graph.num_relations < 2:
        return []
    shared = _Shared.of(_distinct(case, case.split.filter), case.every)
    asked = _Shared.of(case.asked, case.message)
    implied = [found for r in range(case.graph.num_relations) for found in _implied(case, shared, asked, r)]
    told = [set(finding.relations) for finding in implied]
    findings, done = [], set()
    for r, step in zip(*(places.tolist() for places in np.nonzero(shared.counts)), strict=True):
        s, back = _back(case, r, step)
        if (s, back) in done:
            continue
        done.add((r, step))
        if max(shared.counts[r, step] / shared.sizes[r], shared.counts[s, back] / shared.sizes[s]) >= HALF:
            findings += _pair(case, shared, asked, r, step)
    # What implies one of several overlaps each of them: that is told already.
    return implied + [f for f in findings if f.severity == "leak" or not any(set(f.relations) <= t for t in told)]


def _distinct(case: Case, edges: Edges) -> Edges:
    """Every fact once."""
    return edges[np.unique(case.graph.keys(edges), return_index=True)[1]]


def _back(case: Case, r: int, step: int) -> tuple[int, int]:
    """The same overlap as seen from the other relation, and the step that is r there."""
    count = case.graph.num_relations
    s, directed = step % count, case.graph.directed
    turned = step >= count and directed[r] and directed[s]
    return s, r + count if turned else r


def _pair(case: Case, shared: _Shared, asked: _Shared, r: int, step: int) -> list[Finding]:
    s, back = _back(case, r, step)
    ways = [(r, step), (s, back)]
    # By time, an edge that has a date came before: that is evidence, not a leak.
    leaks = [way for way in ways if _leaks(case, shared, asked, way[0], [way[1]])]
    if not leaks:
        return []
    ways.sort(key=lambda way: -shared.share(way[0], [way[1]]))
    (small, into), (large, _) = ways
    most, least = (shared.share(relation, [over]) for relation, over in ways)
    turned = " turned round" if into >= case.graph.num_relations else ""
    if least >= COPY:
        what = f"{case.name(small)} is the inverse of {case.name(large)}" if turned else None
        what = what or f"{case.name(small)} and {case.name(large)} are near-copies"
    elif most >= COPY:
        what = f"{case.name(small)} implies {case.name(large)}{turned}"
    else:
        what = f"{case.name(small)} and {case.name(large)}{turned} tie the same pairs"
    by_chance = _chance(case, shared, small, into)
    told = "; ".join(
        f"{percent(len(asked.tied(target, [over])), int(asked.sizes[target]))} {case.asked_name} edges of "
        f"{case.name(target)} stand in train under {case.name(over % case.graph.num_relations)}"
        for target, over in leaks
    )
    sentence = (
        f"{what}: {100 * most:.1f} % of the first's pairs are the second's ({100 * by_chance:.1f} % by chance), "
        f"{100 * least:.1f} % the other way; {told}"
    )
    # Those that the larger leak is about.
    target, over = max(leaks, key=lambda way: asked.share(way[0], [way[1]]))
    return [_finding(case, asked, sentence, "leak" if most >= COPY else "warn", [small, large], target, [over])]


def _implied(case: Case, shared: _Shared, asked: _Shared, r: int) -> list[Finding]:
    """Whether an edge of r implies one of several other relations, where none of them alone will do."""
    size = int(shared.sizes[r])
    if not size or shared.counts[r].max() >= COPY * size or len(shared.tied(r)) < UNION * size:
        return []
    chosen: list[int] = []
    covered = 0
    for step in np.argsort(-shared.counts[r], kind="stable").tolist():
        now = len(shared.tied(r, [*chosen, step]))
        # A relation that adds less than a hundredth is none of those implied.
        if now - covered >= 0.01 * size:
            chosen, covered = [*chosen, step], now
        if covered >= UNION * size or not shared.counts[r, step]:
            break
    if covered < UNION * size or not _beyond_chance(case, shared, r, chosen):
        return []
    others: dict[int, list[int]] = {}
    for step in chosen:
        s, back = _back(case, r, step)
        others.setdefault(s, []).append(back)
    told = [(s, backs) for s, backs in others.items() if _leaks(case, shared, asked, s, backs, beyond=False)]
    own = _leaks(case, shared, asked, r, chosen)
    if not told and not own:
        return []

    def leaked(target: int, steps: list[int]) -> str:
        return percent(len(asked.tied(target, steps)), int(asked.sizes[target]))

    given = [f"{leaked(r, chosen)} {case.asked_name} edges of it stand in train under one"] * own
    given += [f"{leaked(s, backs)} of {case.name(s)} stand in train under it" for s, backs in told]
    sentence = (
        f"{case.name(r)} implies one of {listed([case.name(s) for s in others], most=12)}: "
        f"{100 * covered / size:.1f} % of its pairs have one; {', '.join(given)}"
    )
    target, over = (r, chosen) if own else told[0]
    return [_finding(case, asked, sentence, "leak", [r, *others], target, over)]


def _finding(
    case: Case, asked: _Shared, sentence: str, severity: str, group: list[int], target: int, over: list[int]
) -> Finding:
    leaked = asked.tied(target, over)
    names = case.graph.relation_names
    undated = [r for r in group if not case.has_dates(r)]
    return Finding(
        "overlaps",
        "leak" if severity == "leak" else "warn",
        sentence,
        keep_together(case, group, [], undated),
        tuple(names[r] for r in group),
        count=len(leaked),
        share=len(leaked) / max(1, int(asked.sizes[target])),
        examples=case.edges_by_id(asked.edges[leaked]),
        group=tuple(names[r] for r in group),
    )


def _leaks(case: Case, shared: _Shared, asked: _Shared, r: int, steps: list[int], *, beyond: bool = True) -> bool:
    """Whether the steps' training edges show enough of r's test edges."""
    others = [step % case.graph.num_relations for step in steps]
    if case.graph.split_rule.by == "time" and all(case.has_dates(s) for s in others):
        return False
    enough = asked.share(r, steps) >= LEAKED
    return enough and (not beyond or _beyond_chance(case, shared, r, steps))


def _beyond_chance(case: Case, shared: _Shared, r: int, steps: list[int]) -> bool:
    chance = 1 - float(np.prod([1 - _chance(case, shared, r, step) for step in steps]))
    count, size = len(shared.tied(r, steps)), int(shared.sizes[r])
    return odds_ratio(count / size, chance) >= ODDS and surprise(count, size, chance) < LUCK


def _chance(case: Case, shared: _Shared, r: int, step: int) -> float:
    """The share of r's pairs that the step would tie by chance, given all degrees."""
    edges, count, n = shared.edges, case.graph.num_relations, case.graph.num_nodes
    own, other = edges[edges.relations == r], edges[edges.relations == step % count]
    heads, tails = (other.tails, other.heads) if step >= count else (other.heads, other.tails)
    if not case.graph.directed[step % count]:
        heads, tails = np.concatenate([heads, tails]), np.concatenate([tails, heads])
    out, into = np.bincount(heads, minlength=n), np.bincount(tails, minlength=n)
    if not case.graph.directed[r]:  # either orientation will do
        both = out[own.heads] * into[own.tails] + out[own.tails] * into[own.heads]
        both = both / (2 if not case.graph.directed[step % count] else 1)
    else:
        both = out[own.heads] * into[own.tails]
    return float(np.minimum(1.0, both / max(1, len(heads))).mean())
