"""Edges that stand in train as they are, or turned round under the same relation.

Of an undirected relation an edge turned round is the same fact. Of a directed one it tells much where the relation
is mostly mutual, and nothing where edges turn up reversed no more often than chance has it: for the edge (h, r, t) with
probability `out(t) · in(h) / m`, the degrees and the number m of r's training edges.
"""

from __future__ import annotations

import numpy as np

from relwise.data.audit.case import Case
from relwise.data.audit.chance import LUCK, surprise
from relwise.data.audit.finding import Finding, listed, percent
from relwise.data.audit.leakage import Leakage, leakage

# Below this share of its test edges a directed relation's reversed ones change no measure.
SHARE = 0.01
MUTUAL = 0.5


def repeated(case: Case) -> list[Finding]:
    """The test edges (the valid edges where there are none) that stand in train in the one way or the other."""
    found = leakage(case.graph, case.split)
    findings = _same(case, found)
    for directed in (False, True):
        findings += _reversed(case, found, directed)
    return findings


def _same(case: Case, found: Leakage) -> list[Finding]:
    part, edges = found.part(case.asked_name), case.split.part(case.asked_name).edges
    other = found.valid.counts()
    count = int(part.same.sum())
    if not count and not other["same"]:
        return []
    also = "" if case.asked_name == "valid" else f", and {percent(other['same'], other['positives'])} of valid"
    return [
        Finding(
            "repeated",
            "leak",
            f"{percent(count, int(part.labels.sum()))} {case.asked_name} edges stand in train as they are{also}",
            "keep each edge in one part only: drop it from the later files",
            tuple(_names(case, np.unique(edges.relations[part.same]))),
            count=count,
            share=count / max(1, int(part.labels.sum())),
            examples=case.edges_by_id(edges[part.same]),
        )
    ]


def _reversed(case: Case, found: Leakage, directed: bool) -> list[Finding]:
    part, edges = found.part(case.asked_name), case.split.part(case.asked_name).edges
    relations = [
        r
        for r in np.unique(edges.relations[part.reversed]).tolist()
        if bool(case.graph.directed[r]) == directed and (not directed or _beyond_chance(case, found, r))
    ]
    if not relations:
        return []
    of = np.isin(edges.relations, relations)
    count, total = int((part.reversed & of).sum()), int((part.labels & of).sum())
    valid, also = found.valid, ""
    if case.asked_name == "test" and valid.labels.any():
        own = np.isin(case.split.valid.edges.relations, relations)
        also = f"; so do {percent(int((valid.reversed & own).sum()), int((valid.labels & own).sum()))} of valid"
    names = _names(case, relations)
    spoken = listed([case.name(r) for r in relations])
    what = "which is the same fact, the relation being undirected" if not directed else "of a directed relation"
    keys = ", ".join(names)
    return [
        Finding(
            "repeated",
            "leak" if not directed or count > MUTUAL * total else "warn",
            f"{percent(count, total)} {case.asked_name} edges of {spoken} stand in train turned round, {what}{also}",
            "read the measures 'not reversed', which leave these edges out; in a schema, directed = false under "
            f"[relations] keeps both orientations in one part ({keys})",
            tuple(names),
            count=count,
            share=count / max(1, total),
            examples=case.edges_by_id(edges[part.reversed & of]),
        )
    ]


def _beyond_chance(case: Case, found: Leakage, relation: int) -> bool:
    part, edges = found.part(case.asked_name), case.split.part(case.asked_name).edges
    own = part.labels & (edges.relations == relation)
    count, total = int((part.reversed & own).sum()), int(own.sum())
    train = case.split.message[case.split.message.relations == relation]
    n = case.graph.num_nodes
    out, into = np.bincount(train.heads, minlength=n), np.bincount(train.tails, minlength=n)
    chance = np.minimum(1.0, out[edges.tails[own]] * into[edges.heads[own]] / max(1, len(train))).mean()
    return count >= SHARE * total and surprise(count, total, float(chance)) < LUCK


def _names(case: Case, relations: object) -> list[str]:
    return [case.graph.relation_names[int(r)] for r in np.asarray(relations)]
