"""Blanks in the edges' columns that give away the time after the cut.

In a split by time a value that was not known yet is blank: `before = ...` of the schema sees to that. But then it is
blank *because* something happened later: the sum of a buyer's orders is left out where the last of them lies after the
cut, and so tells that there is one. A model reads that from the training edges, in valid and test alike, and will
find nothing like it when it predicts from today's tables.

For each end of each relation whose edges have attributes: has the node an edge in the valid part (of any relation), and
is the value of its latest training edge of this relation blank? One edge a node: blanks at random, and nodes that
never tell, then make no more of a difference than luck does. Nodes are compared with those alike in their number of
training edges and in the date of that latest edge, for both tell honestly who is active (Mantel and Haenszel 1959,
Statistical aspects of the analysis of data from retrospective studies of disease: the common odds ratio of the 2 × 2
tables of all strata, and its normal deviate). The test part is not looked at.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from relwise.data.audit.case import Case
from relwise.data.audit.finding import Finding, listed, percent
from relwise.data.audit.remedy import key
from relwise.data.edges import IntArray
from relwise.data.graph import Attribute

# Odds so many times those of nodes alike, with a normal deviate that luck gives in one of 10^8 questions.
ODDS, DEVIATE = 2.0, 5.73
LEAST = 20
STRATA = 10  # of the number of edges, and of the date

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class _End:
    """One end of a relation: n nodes, whose latest training edge of it is looked at.

    Args:
        kind: the nodes' type.
        nodes, latest: (n,) the nodes, and the position of that edge among the relation's.
        active: (n,) whether a valid edge touches the node.
        strata: (n,) which nodes are alike.
    """

    kind: str
    nodes: IntArray
    latest: IntArray
    active: Flags
    strata: IntArray


def blanks(case: Case) -> list[Finding]:
    """Columns whose blanks tell too much, one finding for each relation."""
    graph, valid = case.graph, case.split.valid.positives
    if graph.split_rule.by != "time" or not graph.edge_attributes or not len(valid):
        return []
    active = np.zeros(graph.num_nodes, dtype=bool)
    active[valid.heads] = active[valid.tails] = True
    findings = []
    for relation, attributes in graph.edge_attributes.items():
        if case.left < 0:
            case.unexamined.append(f"blanks in columns of {case.name(relation)}; the time ran out")
            continue
        case.progress(f"blanks of {case.name(relation)}")
        ends = _ends(case, relation, active)
        told: dict[bytes, list[str]] = {}  # columns that are blank together are told together
        worst: dict[bytes, tuple[float, float, _End, Flags]] = {}
        for attribute in attributes:
            blank = is_blank(attribute)
            for end in ends:
                odds, deviate = common_odds(blank[end.latest], end.active, end.strata)
                which = blank.tobytes()
                if abs(deviate) < DEVIATE or max(odds, 1 / max(odds, 1e-9)) < ODDS:
                    continue
                told.setdefault(which, [])
                if attribute.name not in told[which]:
                    told[which].append(attribute.name)
                if which not in worst or abs(deviate) > abs(worst[which][1]):
                    worst[which] = (odds, deviate, end, blank)
        for which, columns in told.items():
            odds, _, end, blank = worst[which]
            findings.append(_finding(case, relation, columns, odds, end, blank))
    return findings


def _ends(case: Case, relation: int, active: Flags) -> list[_End]:
    """The ends of a relation with nodes enough; of an undirected one both are one."""
    graph, message = case.graph, case.split.message
    own = graph.edges[graph.edges.relations == relation]
    if own.times is None or message.times is None:
        return []
    training = np.flatnonzero(_before_cut(case, own.times))
    degree = np.bincount(np.concatenate([message.heads, message.tails]), minlength=graph.num_nodes)
    kind = graph.relations[relation]
    sides = [(kind.head, own.heads[training], training), (kind.tail, own.tails[training], training)]
    if not kind.directed:
        both = np.concatenate([own.heads[training], own.tails[training]])
        sides = [(kind.head, both, np.concatenate([training, training]))]
    found = []
    for name, ends, positions in sides:
        moments = own.times[positions].astype(np.int64)
        order = np.lexsort((moments, ends))
        last = np.ones(len(order), dtype=bool)
        last[:-1] = ends[order[1:]] != ends[order[:-1]]
        nodes, latest = ends[order[last]], positions[order[last]]
        if min(active[nodes].sum(), (~active[nodes]).sum()) < LEAST:
            continue
        strata = _bins(degree[nodes]) * STRATA + _bins(own.times[latest].astype(np.int64))
        found.append(_End(name, nodes, latest, active[nodes], strata))
    return found


def _before_cut(case: Case, times: npt.NDArray[np.datetime64]) -> Flags:
    return times < np.datetime64(str(case.graph.split_rule.valid), "us")  # never where there is no date


def _bins(values: IntArray) -> IntArray:
    """(n,) which tenth of the values each is in; equal values are in one.

    >>> _bins(np.arange(20)).tolist() == [i // 2 for i in range(20)]
    True
    """
    bounds = np.unique(np.quantile(values, np.arange(1, STRATA) / STRATA, method="higher"))
    return np.searchsorted(bounds, values, side="right")


def is_blank(attribute: Attribute) -> Flags:
    """(n,) whether each value is missing.

    >>> is_blank(Attribute("x", "numeric", np.array([1.0, np.nan]))).tolist()
    [False, True]
    """
    values = attribute.values
    if values.dtype == object:
        return np.array([value is None for value in values], dtype=bool)
    missing = np.asarray(np.isnat(values) if values.dtype.kind == "M" else np.isnan(values))
    return missing if missing.ndim == 1 else np.asarray(missing.all(axis=1))


def common_odds(exposed: Flags, answer: Flags, strata: IntArray) -> tuple[float, float]:
    """The odds ratio of `answer` that all strata share, and how many deviations from none (Mantel, Haenszel).

        odds = Σ_s a_s d_s / n_s  /  Σ_s b_s c_s / n_s
        deviate = Σ_s (a_s − E a_s) / sqrt(Σ_s Var a_s)

    With `a` exposed and so answered, `b` exposed only, `c` answered only, `d` neither, of n in a stratum.

    >>> exposed, answer = np.array([1, 1, 1, 0, 0, 0], bool), np.array([1, 1, 0, 1, 0, 0], bool)
    >>> odds, deviate = common_odds(exposed, answer, np.zeros(6, int))
    >>> odds, round(deviate, 3)
    (4.0, 0.745)
    """
    _, stratum = np.unique(strata, return_inverse=True)
    n = np.bincount(stratum).astype(np.float64)
    a, b, c = (np.bincount(stratum, mask, len(n)) for mask in (exposed & answer, exposed & ~answer, ~exposed & answer))
    d = n - a - b - c
    over, under = (a * d / n).sum(), (b * c / n).sum()
    large = n > 1
    a, b, c, d, n = (count[large] for count in (a, b, c, d, n))
    spread = np.sqrt(((a + b) * (c + d) * (a + c) * (b + d) / (n * n * (n - 1))).sum())
    odds = float(over / under) if under else float("inf") if over else 1.0
    return odds, float((a - (a + b) * (a + c) / n).sum() / spread) if spread else 0.0


def _finding(case: Case, relation: int, columns: list[str], odds: float, end: _End, blank: Flags) -> Finding:
    name = case.graph.relation_names[relation]
    own = np.flatnonzero(case.graph.edges.relations == relation)
    hit = blank[end.latest]
    training = _before_cut(case, case.graph.edges[own].times)  # type: ignore[arg-type]
    shares = [end.active[mask].mean() if mask.any() else 0.0 for mask in (hit, ~hit)]
    told = "column " + repr(columns[0]) if len(columns) == 1 else "columns " + listed([repr(c) for c in columns])
    ratio = max(odds, 1 / max(odds, 1e-9))
    how = ("more than 100" if ratio > 100 else f"{ratio:.1f}") + f" times {'the' if odds > 1 else 'lower'} odds"
    return Finding(
        "blanks",
        "warn",
        f"{told} of {case.name(relation)}: blank for {percent(int((blank[training]).sum()), int(training.sum()))} "
        f"training edges, and what is blank tells who is active later: {100 * shares[0]:.0f} % of the nodes of type "
        f"'{end.kind}' whose latest edge has a blank have a valid edge, of the others {100 * shares[1]:.0f} % "
        f"({how} among nodes alike in number of edges and date of the latest)",
        f"leave {listed(columns)} out of [relations.{key(name)}.columns], or fill in what was known before "
        f"{case.graph.split_rule.valid}; a blank that before = ... makes tells that something came later",
        (name,),
        (end.kind,),
        columns[0],
        count=int(blank[training].sum()),
        share=float(blank[training].mean()),
        examples=case.edges_by_id(case.graph.edges[own[end.latest[hit]][:3]]),
    )
