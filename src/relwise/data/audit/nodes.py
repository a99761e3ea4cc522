"""Nodes and relations with too few edges: unseen, isolated, never tied, never tested."""

from __future__ import annotations

import numpy as np

from relwise.data.audit.case import Case
from relwise.data.audit.finding import Finding, listed, percent
from relwise.data.split import seen_nodes

# A type without attributes has nothing else to know a node by.
UNKNOWN = 0.01
FEW = 20


def nodes(case: Case) -> list[Finding]:
    """All of them."""
    return [*_unseen(case), *_isolated(case), *_few(case)]


def _unseen(case: Case) -> list[Finding]:
    """Test edges that end in a node without training edges, by the type of that node."""
    message, asked = case.split.message, case.asked
    bare = ~seen_nodes(case.graph, message)
    hit = bare[asked.heads] | bare[asked.tails]
    if not hit.any():
        return []
    types, told, blind = [], [], []
    for node_type in case.graph.node_types:
        begin, end = case.graph.type_range(node_type.name)
        count = int(sum(((side >= begin) & (side < end) & bare[side]).sum() for side in (asked.heads, asked.tails)))
        if count:
            types.append(node_type.name)
            told.append(f"{count:,} in '{node_type.name}'")
        if count >= UNKNOWN * len(asked) and not node_type.attributes:
            blind.append(node_type.name)
    by_time = case.graph.split_rule.by == "time" and message.times is not None
    without = "dated training edges" if by_time else "training edges"
    remedy = "read the measures of seen and unseen nodes apart"
    if blind:
        places = listed([f"[nodes.{name}.columns]" for name in blind])
        remedy = f"give nodes something else to be known by: attributes under {places}; or {remedy}"
    return [
        Finding(
            "nodes",
            "warn" if blind and case.graph.split_rule.by != "unseen" else "note",
            f"{percent(int(hit.sum()), len(asked))} {case.asked_name} edges end in a node without {without}"
            + (f" ({listed(told)})" if len(case.graph.node_types) > 1 else ""),
            remedy,
            tuple(case.graph.relation_names[r] for r in np.unique(asked.relations[hit])),
            tuple(types),
            count=int(hit.sum()),
            share=float(hit.mean()),
            examples=case.edges_by_id(asked[hit]),
        )
    ]


def _isolated(case: Case) -> list[Finding]:
    """Types none of whose nodes has an edge; other nodes without any."""
    bare = np.diff(case.every.starts) == 0
    never: list[str] = []
    alone, told, types = np.empty(0, np.int64), [], []
    for node_type in case.graph.node_types:
        begin, end = case.graph.type_range(node_type.name)
        own = begin + np.flatnonzero(bare[begin:end])
        if len(own) == len(node_type):
            never.append(node_type.name)
        elif len(own):
            told.append(f"{percent(len(own), len(node_type))} of '{node_type.name}'")
            types.append(node_type.name)
            alone = np.concatenate([alone, own])
    findings = [
        Finding(
            "nodes",
            "warn",
            f"no node of type '{name}' has an edge",
            f"name {name} as an end in [relations], or leave [nodes.{name}] out",
            types=(name,),
            count=len(case.graph.node_types[case.graph.type_index[name]]),
            share=1.0,
        )
        for name in never
    ]
    if not len(alone):
        return findings
    return [
        *findings,
        Finding(
            "nodes",
            "note",
            f"nodes without an edge of any part: {listed(told)}",
            "see that ids are written alike in all tables; if so, nothing: such nodes are candidates like others",
            types=tuple(types),
            count=len(alone),
            share=len(alone) / case.graph.num_nodes,
            examples=case.nodes_by_id(alone),
        ),
    ]


def _few(case: Case) -> list[Finding]:
    """Relations with hardly an edge to learn from."""
    train = np.bincount(case.split.supervision.relations, minlength=case.graph.num_relations)
    few = np.flatnonzero(train < FEW)
    if not len(few):
        return []
    names = [f"{case.name(int(r))} ({train[r]:,})" for r in few]
    return [
        Finding(
            "nodes",
            "note",
            f"{percent(len(few), case.graph.num_relations)} relations have fewer than {FEW} edges to learn from: "
            f"{listed(names)}",
            "leave them out of [relations], merge them, or read their own measures as anecdotes",
            tuple(case.graph.relation_names[r] for r in few),
            count=len(few),
            share=len(few) / case.graph.num_relations,
        )
    ]
