"""Which end of an undirected edge is written first, where that alone tells true edges from given negatives.

An undirected edge has no first end, but a file has to write one. Files often write the ends by a rule (the later
product first, the smaller number first) and negatives by another (one end kept, the other drawn): then the order of
the ends betrays the answer to every method that tells an edge from its reverse. relwise does not.
"""

from __future__ import annotations

import numpy as np

from relwise.data.audit.case import Case
from relwise.data.audit.chance import LUCK, FloatArray, auc, auc_surprise
from relwise.data.audit.finding import Finding, listed
from relwise.data.edges import Edges

# An order that tells less than this has no visible share in a measure.
AUC = 0.6


def ends(case: Case) -> list[Finding]:
    """One finding of all undirected relations whose given negatives the order of the ends tells; else none."""
    name = case.asked_name
    if not len(case.graph.negatives.get(name, ())):
        return []
    part = case.split.part(name)
    told: dict[int, float] = {}
    for relation in np.unique(part.edges.relations).tolist():
        if case.graph.directed[relation]:
            continue
        of = part.edges.relations == relation
        edges, labels = part.edges[of], part.labels[of]
        found = auc(labels, order_scores(case, relation, edges))
        positives = int(labels.sum())
        # Written so that NaN, of one class only, is not told.
        if found >= AUC and auc_surprise(found, positives, len(labels) - positives) < LUCK:
            told[relation] = found
    if not told:
        return []
    worst = max(told, key=lambda relation: told[relation])
    spoken = listed([f"{case.name(relation)} ({100 * found:.1f} %)" for relation, found in told.items()])
    return [
        Finding(
            "ends",
            "note",
            f"which end of an undirected edge is written first tells true {name} edges from the negatives that the "
            f"data give. The AUC of nothing but how often each node stands first in train, by relation: {spoken}. "
            "relwise scores both orders alike and cannot go by it; a method that tells an edge from its reverse can",
            "exchange the two ends of half of all edges and negatives, drawn at random, before a comparison with such "
            "methods",
            tuple(case.graph.relation_names[relation] for relation in told),
            count=int((part.edges.relations == worst).sum()),
            share=told[worst],
        )
    ]


def order_scores(case: Case, relation: int, edges: Edges) -> FloatArray:
    """(n,) `b(h) - b(t)`, where `b(i) = (first(i) - second(i)) / (first(i) + second(i) + 1)`, counted in train.

    Args:
        case: whose training edges of the relation are counted.
        relation: the relation.
        edges: n edges, their ends in the order in which they are written.
    """
    train = case.split.message
    train, n = train[train.relations == relation], case.graph.num_nodes
    first, second = np.bincount(train.heads, minlength=n), np.bincount(train.tails, minlength=n)
    balance = (first - second) / (first + second + 1)
    return balance[edges.heads] - balance[edges.tails]
