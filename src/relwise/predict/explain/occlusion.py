"""What the logit of an edge were if some ties were not there, or a node's start another: exact, many cases at once.

Only what changes is computed again. A tie between u and v that falls silent changes u and v after the first layer,
their neighbours after the second, and so on, as far as these matter to the two ends (`Cone`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import torch

from relwise.predict.explain.cone import Cone, Level, expand, places_of
from relwise.predict.explain.layers import Floats, Ints, LayerWeights, Messages, pass_on
from relwise.predict.explain.states import LayerStates

CHUNK = 60_000  # messages that are computed anew at a time


@dataclass(frozen=True, eq=False)
class Case:
    """One thing to suppose.

    Args:
        silent: the cone's facts that carry no message.
        start: nodes of the cone with another h^(0): (d,) each.
    """

    silent: tuple[int, ...] = ()
    start: dict[int, Floats] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Changed:
    """States that differ from the cone's.

    Args:
        keys: (m,) case · n + node, ascending.
        states: (m, d).
    """

    keys: Ints
    states: Floats


@dataclass(frozen=True, eq=False)
class Occlusion:
    """The logit of one edge under one supposition or another.

    Args:
        states: of the network.
        cone: of the edge's ends.
        relation: the edge's relation index.
    """

    states: LayerStates
    cone: Cone
    relation: int

    def logits(self, cases: Sequence[Case]) -> Floats:
        """(B,) the logit in each case."""
        cone, ends = self.cone, self.cone.ends
        starts = np.repeat(cone.states[0][None, list(ends)], len(cases), axis=0)
        lasts = np.repeat(cone.last[None], len(cases), axis=0)
        changes = self.changes(cases)
        for table, changed in ((starts, changes[0]), (lasts, changes[-1])):
            for side, end in enumerate(ends):
                place, there = places_of(np.arange(len(cases)) * len(cone.nodes) + end, changed.keys)
                table[there, side] = changed.states[place[there]]
        with torch.no_grad():
            return self.states.logits(torch.from_numpy(starts), torch.from_numpy(lasts), self.relation).numpy()

    def changes(self, cases: Sequence[Case]) -> list[Changed]:
        """What each case changes of the states after 0 .. T layers."""
        n, facts = len(self.cone.nodes), len(self.cone.facts)
        silent = np.unique([b * facts + fact for b, case in enumerate(cases) for fact in case.silent]).astype(np.int64)
        changed = [self._starts(cases)]
        for level, table, weights in zip(self.cone.levels, self.cone.states, self.states.weights, strict=True):
            changed.append(_changes(level, table, weights, changed[-1], silent, n, facts))
        return changed

    def _starts(self, cases: Sequence[Case]) -> Changed:
        n, table = len(self.cone.nodes), self.cone.states[0]
        rows: dict[int, Floats] = {}
        for b, case in enumerate(cases):
            rows |= {b * n + node: state for node, state in case.start.items()}
            for node, less in self._fewer(case.silent).items():
                key = b * n + node
                rows[key] = (rows[key] if key in rows else table[node]) + less
        keys = np.array(sorted(rows), dtype=np.int64)
        return Changed(keys, np.stack([rows[int(k)] for k in keys]) if rows else np.empty((0, table.shape[1]), "f4"))

    def _fewer(self, silent: Sequence[int]) -> dict[int, Floats]:
        """What a network that reads numbers of neighbours reads less of, where facts are silent."""
        counts, encoder = self.states.counts, self.states.network.degrees
        if counts is None or encoder is None:
            return {}
        arrays, fewer = self.states.messages, dict[int, Floats]()
        for fact in silent:
            for node in self._between(fact):
                into = arrays.into(int(self.cone.nodes[node]))
                gone = arrays.relation[into][arrays.fact[into] == self.cone.facts[fact]]
                less = np.bincount(gone, minlength=counts.shape[1]).astype(np.float32)
                fewer[node] = fewer[node] + less if node in fewer else less
        weight = encoder.weight.weight.detach().numpy()
        before = {node: counts[self.cone.nodes[node]] for node in fewer}
        return {
            node: (weight @ (np.log1p(before[node] - less) - np.log1p(before[node]))).astype(np.float32)
            for node, less in fewer.items()
        }

    def _between(self, fact: int) -> Ints:
        """The two nodes that a fact ties."""
        for level in self.cone.levels:
            low, high = np.searchsorted(level.fact, [fact, fact + 1], sorter=level.by_fact)
            if low < high:
                message = level.by_fact[low]
                return np.unique([level.source[message], level.target[message]])
        return np.empty(0, np.int64)

    def without(self, fact: int) -> Occlusion:
        """The same where a fact has never been: what is silenced there is silenced besides."""
        changes = self.changes([Case(silent=(fact,))])
        cone, tables = self.cone, []
        for table, changed in zip(cone.states, changes, strict=False):
            tables.append(table.copy())
            tables[-1][changed.keys] = changed.states
        last = cone.last.copy()
        for side, end in enumerate(cone.ends):
            place, there = places_of(np.array([end]), changes[-1].keys)
            if there[0]:
                last[side] = changes[-1].states[place[0]]
        levels = []
        for level, table, changed, weights in zip(cone.levels, tables, changes, self.states.weights, strict=False):
            kept = level.without(fact)
            touched = np.flatnonzero(np.isin(kept.source, changed.keys))
            kept.row_logit[touched] = weights.row_logits(table[kept.source[touched]], kept.relation[touched])
            levels.append(kept)
        counts = None if self.states.counts is None else self.states.counts.copy()
        if counts is not None:
            arrays = self.states.messages
            for node in self.cone.nodes[self._between(fact)]:
                into = arrays.into(int(node))
                np.subtract.at(counts[node], arrays.relation[into][arrays.fact[into] == cone.facts[fact]], 1)
        cone = replace(cone, levels=tuple(levels), states=tuple(tables), last=last)
        return replace(self, states=replace(self.states, counts=counts), cone=cone)


def _changes(
    level: Level, table: Floats, weights: LayerWeights, before: Changed, silent: Ints, n: int, facts: int
) -> Changed:
    """What a layer's changes are, given those of its input and the silent facts, case · F + fact."""
    hit = [before.keys[np.isin(before.keys % n, level.targets)]]
    for order, values, wanted, size in (
        (level.by_source, level.source, before.keys, n),
        (level.by_fact, level.fact, silent, facts),
    ):
        bounds = [np.searchsorted(values, wanted % size, side=side, sorter=order) for side in ("left", "right")]
        places, which = expand(bounds[0], bounds[1] - bounds[0])
        hit.append(wanted[which] // size * n + level.target[order[places]])
    keys = np.unique(np.concatenate(hit)).astype(np.int64)
    first = np.searchsorted(level.target, keys % n)
    count = np.searchsorted(level.target, keys % n, side="right") - first
    parts, begin = [np.empty((0, table.shape[1]), np.float32)], 0
    ends = np.cumsum(count)
    while begin < len(keys):
        done = ends[begin - 1] if begin else 0
        end = max(begin + 1, int(np.searchsorted(ends, done + CHUNK, side="right")))
        some = slice(begin, end)
        parts.append(_again(level, table, weights, before, silent, keys[some], first[some], count[some], n, facts))
        begin = end
    return Changed(keys, np.concatenate(parts))


def _again(
    level: Level, table: Floats, weights: LayerWeights, before: Changed, silent: Ints, keys: Ints, first: Ints,
    count: Ints, n: int, facts: int,
) -> Floats:  # fmt: skip
    """(m, d) the states of m pairs of case and node, computed anew."""
    message, pair = expand(first, count)
    case = keys[pair] // n
    kept = ~places_of(case * facts + level.fact[message], silent)[1]
    message, pair, case = message[kept], pair[kept], case[kept]
    source, row_logit = level.source[message], level.row_logit[message]
    place, there = places_of(case * n + source, before.keys)
    row_logit[there] = weights.row_logits(before.states[place[there]], level.relation[message[there]])
    # What has changed stands behind the states as they were.
    states = np.concatenate([table, before.states])
    messages = Messages.of(pair, np.where(there, place + n, source), level.relation[message])
    place, there = places_of(keys, before.keys)
    own = table[keys % n]
    own[there] = before.states[place[there]]
    edge_state = None if level.edge_state is None else level.edge_state[message]
    return pass_on(weights, own, states, row_logit, messages, edge_state).state
