"""Columns that betray the answer: known only after the edge, as a count over the whole window is.

For each column of a node type, and each end of a relation at that type: which nodes have a test edge there? A plain
model answers from the column alone (`relwise.data.audit.codings`), another from the node's number of training edges,
which a model knows anyway. A column is told

- where it answers much better: it may be a cause, or a trace that the edge has left. Only a person can say which;
- where, being a number, it ranks the nodes as their edges of *all* parts do, and not only because training edges do
  (the partial rank correlation): then it counts them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from relwise.data.audit.case import Case
from relwise.data.audit.chance import auc, spearman
from relwise.data.audit.codings import BINS, FOLDS, bin_auc, codings, numbers, quantiles
from relwise.data.audit.finding import Finding, listed
from relwise.data.edges import IntArray
from relwise.data.graph import Attribute, NodeType

AUC, BETTER = 0.8, 0.1
# An AUC of 0.5 by luck: so many of its standard deviations, `sqrt((p + n + 1) / (12 p n))`, are asked for.
DEVIATIONS = 5.0
# A count of all edges has a partial correlation of 1, however few of them are held out; a popularity that is known
# without error (edges being Poisson) has 0.7 at most where half of the edges are held out, and 0.3 with a tenth.
RANKED, PARTIAL = 0.95, 0.85
LEAST = 20
# Of a larger type so many nodes are looked at.
SAMPLED = 50_000


@dataclass(frozen=True, eq=False)
class _End:
    """One end of a relation, at the nodes looked at of one type.

    Args:
        relation: the relation; side: its end.
        labels: (n,) which nodes have a test edge there.
        train, every: (n,) how many edges of training, and of all parts.
        known: the best AUC of training edges.
    """

    relation: int
    side: str
    labels: npt.NDArray[np.bool_]
    train: IntArray
    every: IntArray
    known: float


def attributes(case: Case) -> list[Finding]:
    """Columns that tell too much, one finding each."""
    findings: list[Finding] = []
    columns = [(t, attribute) for t in case.graph.node_types for attribute in t.attributes]
    for kind in case.graph.node_types:
        if not kind.attributes or not len(kind):
            continue
        rng = np.random.default_rng([case.seed, 19])
        nodes = np.arange(len(kind))
        if len(nodes) > SAMPLED:
            nodes = np.sort(rng.permutation(len(nodes))[:SAMPLED])
        folds = rng.integers(0, FOLDS, len(nodes))
        ends = _ends(case, kind, nodes, folds)
        for attribute in kind.attributes:
            if case.left < 0:
                rest = [f"'{a.name}' of '{t.name}'" for t, a in columns]
                case.unexamined.append(f"columns {listed(rest)}; the time ran out")
                return findings
            columns.pop(0)
            case.progress(f"column {attribute.name} of {kind.name}")
            picked = Attribute(attribute.name, attribute.modality, attribute.values[nodes])
            findings += _counts(case, kind, picked, ends) or _tells(case, kind, picked, ends, folds)
    return findings


def _ends(case: Case, kind: NodeType, nodes: IntArray, folds: IntArray) -> list[_End]:
    """The ends at a type that have test edges enough."""
    begin, _ = case.graph.type_range(kind.name)
    at = begin + nodes

    def degrees(ends: IntArray) -> IntArray:
        return np.bincount(ends, minlength=case.graph.num_nodes)[at]

    message, every = case.split.message, case.split.filter
    whole = degrees(np.concatenate([message.heads, message.tails]))
    found = []
    for r, relation in enumerate(case.graph.relations):
        sides = [side for side in ("head", "tail") if getattr(relation, side) == kind.name]
        if not relation.directed:
            sides = ["head"]

        def of(edges, side: str, r: int = r, directed: bool = relation.directed) -> IntArray:
            own = edges.relations == r
            ends = [edges.heads[own], edges.tails[own]]
            return np.concatenate(ends) if not directed else ends[side == "tail"]

        for side in sides if relation.head == kind.name or relation.directed else []:
            labels = degrees(of(case.asked, side)) > 0
            if min(labels.sum(), (~labels).sum()) < LEAST:
                continue
            train = degrees(of(message, side))
            known = max(
                score
                for counts in (train, whole)
                for score in (
                    auc(labels, counts.astype(np.float64)),
                    bin_auc(quantiles(counts.astype(np.float64), BINS), labels, folds),
                )
            )
            found.append(_End(r, side, labels, train, degrees(of(every, side)), known))
    return found


def _counts(case: Case, kind: NodeType, attribute: Attribute, ends: list[_End]) -> list[Finding]:
    """Whether a number counts the edges of all parts."""
    if attribute.modality != "numeric":
        return []
    values = numbers(attribute)
    known = ~np.isnan(values)
    if known.sum() < LEAST:
        return []
    for end in ends:
        total = spearman(values[known], end.every[known].astype(np.float64))
        train = spearman(values[known], end.train[known].astype(np.float64))
        parts = spearman(end.train[known].astype(np.float64), end.every[known].astype(np.float64))
        unexplained = (1 - train**2) * (1 - parts**2)
        partial = (total - train * parts) / np.sqrt(unexplained) if unexplained > 1e-12 else 0.0
        if total >= RANKED and partial >= PARTIAL:
            return [
                _finding(
                    case,
                    kind,
                    attribute.name,
                    "leak",
                    f"ranks the nodes as their edges of all parts of {case.name(end.relation)} do (rank correlation "
                    f"{total:.3f}; {partial:.3f} beyond what training edges explain): it counts them",
                    [end],
                    known & (end.every > end.train),
                )
            ]
    return []


def _tells(case: Case, kind: NodeType, attribute: Attribute, ends: list[_End], folds: IntArray) -> list[Finding]:
    """Whether a column tells better than training edges which nodes have test edges."""
    told = []
    for bins in codings(attribute) if ends else []:
        for end in ends:
            score = bin_auc(bins, end.labels, folds)
            positive = float(end.labels.sum())
            negative = len(end.labels) - positive
            luck = DEVIATIONS * np.sqrt((positive + negative + 1) / (12 * positive * negative))
            if score > AUC and score > end.known + BETTER and score > 0.5 + luck:
                told.append((score, end))
    if not told:
        return []
    told.sort(key=lambda found: -found[0])
    best = {end.relation: (score, end) for score, end in reversed(told)}
    words = listed(
        [
            f"{case.name(r)} (AUC {score:.3f}; its number of training edges: {end.known:.3f})"
            for r, (score, end) in sorted(best.items(), key=lambda item: -item[1][0])
        ]
    )
    sentence = f"tells by itself which nodes have {case.asked_name} edges of {words}: is it known before the edge is?"
    own = [end for _, end in best.values()]
    return [_finding(case, kind, attribute.name, "warn", sentence, own, told[0][1].labels)]


def _finding(
    case: Case,
    kind: NodeType,
    column: str,
    severity: str,
    sentence: str,
    ends: list[_End],
    nodes: npt.NDArray[np.bool_],
) -> Finding:
    """The examples are of nodes in the order looked at; where a type was sampled they are left out."""
    begin, _ = case.graph.type_range(kind.name)
    whole = len(nodes) == len(kind)
    return Finding(
        "attributes",
        "leak" if severity == "leak" else "warn",
        f"column '{column}' of '{kind.name}' {sentence}",
        f"leave {column} out of [nodes.{kind.name}.columns], or, where a date says since when it is known, give it "
        'before = "column of dates"',
        tuple(dict.fromkeys(case.graph.relation_names[end.relation] for end in ends)),
        (kind.name,),
        column,
        count=int(nodes.sum()),
        share=float(nodes.mean()),
        examples=case.nodes_by_id(begin + np.flatnonzero(nodes)[:3]) if whole else (),
    )
