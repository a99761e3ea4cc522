"""Evidence later than what it must predict: a split that does not go by the dates, edges and columns without or after.

In a split by time nothing dated at or after `valid` carries a message. What is left to tell: edges of dated relations
that have no date (evidence all the same), and columns of dates that lie after `valid` for nodes that were there
before. Relations without dates that give dated ones away are told where they are found (`overlaps`, `derived`).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from relwise.data.audit.case import Case
from relwise.data.audit.finding import Finding, listed, percent
from relwise.data.edges import Edges

# A few dates after the cut are slips; more of them is how the column is made.
LATE = 0.01
# Below this share of training edges later than the test edge, a split is by time but for slips.
SLIPS = 0.05


def times(case: Case) -> list[Finding]:
    """Findings about dates; none where no edge has one."""
    if not case.dated.any():
        return []
    if case.graph.split_rule.by == "time":
        return _undated(case) + _late_columns(case)
    return _against_time(case)


def _undated(case: Case) -> list[Finding]:
    """Edges without a date, of relations whose others have one."""
    sizes = np.bincount(case.graph.edges.relations, minlength=case.graph.num_relations)
    partly = np.flatnonzero((case.dated > 0) & (case.dated < sizes))
    if not len(partly):
        return []
    edges = case.graph.edges
    assert edges.times is not None
    missing = np.flatnonzero(np.isin(edges.relations, partly) & np.isnat(edges.times))
    names = [case.graph.relation_names[r] for r in partly]
    told = listed([case.name(int(r)) for r in partly])
    return [
        Finding(
            "times",
            "note",
            f"{percent(len(missing), int(sizes[partly].sum()))} edges of {told} have no date: they are evidence, "
            "never learnt from or tested on, and may be later than what they help to predict",
            "fill in the column that time names, or delete the rows",
            tuple(names),
            count=len(missing),
            share=len(missing) / int(sizes[partly].sum()),
            examples=case.edges_by_id(edges[missing[:3]]),
        )
    ]


def _late_columns(case: Case) -> list[Finding]:
    """Columns of dates at or after `valid`, of nodes that have training edges: known only later."""
    cut = np.datetime64(str(case.graph.split_rule.valid), "us")
    seen = np.diff(case.message.starts) > 0
    findings = []
    for node_type in case.graph.node_types:
        begin, end = case.graph.type_range(node_type.name)
        for attribute in node_type.attributes:
            if attribute.modality != "timestamp":
                continue
            known = seen[begin:end] & ~np.isnat(attribute.values)
            late = known & (attribute.values >= cut)
            if late.sum() <= LATE * max(1, known.sum()):
                continue
            findings.append(
                Finding(
                    "times",
                    "warn",
                    f"column '{attribute.name}' of '{node_type.name}': {percent(int(late.sum()), int(known.sum()))} "
                    f"dates of nodes with training edges are at or after {case.graph.split_rule.valid}, where valid "
                    "begins: unless they were planned ahead, nobody knew them then",
                    f'leave {attribute.name} out of [nodes.{node_type.name}.columns], or give it before = "column of '
                    'dates"',
                    types=(node_type.name,),
                    column=attribute.name,
                    count=int(late.sum()),
                    share=float(late.sum() / known.sum()),
                    examples=case.nodes_by_id(begin + np.flatnonzero(late)[:3]),
                )
            )
    return findings


def _against_time(case: Case) -> list[Finding]:
    """How much of the evidence is later than what it predicts, where a split goes by something else."""
    evidence, moments = (np.sort(_dates(case, edges)) for edges in (case.split.message, case.asked))
    if not len(evidence) or not len(moments):
        return []
    later = len(evidence) - np.searchsorted(evidence, moments, side="right")
    share = float(later.mean() / len(evidence))
    if not share:
        return []
    dated = [case.graph.relation_names[r] for r in np.flatnonzero(case.dated)]
    how = {"random": "at random", "given": "given by the data", "unseen": "by unseen nodes", "group": "by groups"}
    slips = share < SLIPS
    what = (
        f"{int((later > 0).sum()):,} of {len(moments):,} dated {case.asked_name} edges have training edges later than "
        f"they are (on average {100 * share:.1f} % of them)"
    )
    if not slips:
        what = (
            f"the edges are dated and the split is {how[case.graph.split_rule.by]}: for the average {case.asked_name} "
            f"edge, {100 * share:.1f} % of the dated training edges are later"
        )
    first, last = evidence[[0, -1]].astype("datetime64[D]")
    return [
        Finding(
            "times",
            "warn" if slips else "note",
            f"{what}; it tells how well gaps are filled, not how well the future is foretold",
            f'[split] by = "time", with valid and test two dates between {first} and {last}',
            tuple(dated),
            count=int((later > 0).sum()),
            share=share,
        )
    ]


def _dates(case: Case, edges: Edges) -> npt.NDArray[np.datetime64]:
    """The dates of edges, of those that have one; looked up, for labelled edges keep none."""
    every = case.graph.edges
    assert every.times is not None
    keys = case.graph.keys(every)
    order = np.argsort(keys, kind="stable")
    places = np.searchsorted(keys[order], case.graph.keys(edges))
    found = every.times[order[np.minimum(places, len(keys) - 1)]]
    return found[~np.isnat(found)]
