"""The audit: what of a graph and its split would make measures promise more than the model will keep.

It runs before each training, and by `relwise audit DATA`. Each check is a file:

| check | what it finds |
| --- | --- |
| `repeated` | test edges that stand in train as they are, or turned round |
| `overlaps` | relations that tie the same pairs: near-copies, inverses, one that implies another or one of several |
| `derived` | a relation that follows from two others |
| `times` | evidence later than what it must predict |
| `attributes` | columns that betray the answer |
| `blanks` | columns of edges whose blanks tell what came after the cut |
| `ends` | undirected edges told from given negatives by which end is written first |
| `nodes` | unseen and isolated nodes, types without edges, relations with few |

`leakage` tells of each test edge whether it stands in train in another guise, for measures without those.

>>> from relwise.data.graph import Graph, SplitRule
>>> from relwise.data.split import split_graph
>>> from dataclasses import replace
>>> triples = {"train": [("a", "r", "b"), ("c", "r", "d")], "test": [("b", "r", "a")]}
>>> graph = replace(Graph.from_triples(triples, directed=False), split_rule=SplitRule("given"))
>>> audit(graph, split_graph(graph)).findings[0].sentence.partition(",")[0]
"1 of 1 (100.0 %) test edges of 'r' stand in train turned round"
"""

from __future__ import annotations

from relwise.data.audit.finding import Finding
from relwise.data.audit.leakage import Leakage, PartLeakage, leakage
from relwise.data.audit.report import Audit, audit

__all__ = ["Audit", "Finding", "Leakage", "PartLeakage", "audit", "leakage"]
