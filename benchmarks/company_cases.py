"""The Company benchmark's graphs, cases and measures (see `company.py`).

The cases of a part are its positives with two kinds of negatives. Nothing of test is looked at in the cases of
validation: neither as a known edge that a negative must not be, nor as one that a rank leaves out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from data import ROOT, benchmark_folder
from relwise.data.edges import Edges
from relwise.data.graph import Attribute, Graph
from relwise.data.read import read
from relwise.data.split import Split, draw_negatives, seen_nodes
from relwise.evaluate.metrics import average_precision, roc_auc

SCHEMA: Path = ROOT / "benchmarks" / "schemas" / "canada_procurement.toml"
AWARDS = ("open_bidding_award", "non_competitive_award", "traditional_competitive_award")

Score = Callable[[Edges], npt.NDArray]


def company_graph() -> Graph:
    """The graph of the company level, to be split by time."""
    return read(benchmark_folder("canada_procurement"), schema=SCHEMA)


# -- the same graph with less to go by ------------------------------------------------------------------------


def without_attributes(graph: Graph, seed: int) -> Graph:
    types = tuple(replace(node_type, attributes=()) for node_type in graph.node_types)
    return replace(graph, node_types=types)


def without_edge_attributes(graph: Graph, seed: int) -> Graph:
    return replace(graph, edge_attributes={})


def with_shuffled_attributes(graph: Graph, seed: int) -> Graph:
    """Attributes permuted among the nodes of each type, a node's own together: what is left is no one's."""
    rng, types = np.random.default_rng([seed, 11]), []
    for node_type in graph.node_types:
        order = rng.permutation(len(node_type))
        attributes = tuple(Attribute(a.name, a.modality, a.values[order]) for a in node_type.attributes)
        types.append(replace(node_type, attributes=attributes))
    return replace(graph, node_types=tuple(types))


VARIANTS: dict[str, Callable[[Graph, int], Graph]] = {
    "attributes": without_edge_attributes,
    "neither": lambda graph, seed: without_edge_attributes(without_attributes(graph, seed), seed),
    "shuffled attributes": lambda graph, seed: with_shuffled_attributes(without_edge_attributes(graph, seed), seed),
    "attributes, edge attributes": lambda graph, seed: graph,
    "edge attributes": without_attributes,
}


# -- what is asked --------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Cases:
    """The positives of a part, and the negatives that they are told from.

    Args:
        graph: the whole graph.
        known: the edges that no negative is, and that no rank counts.
        unseen: (N,) the suppliers that no dated training edge touches.
        positives: all relations' positives of the part; awards: those of the award relations.
        negatives: by name, `"all.uniform"`, `"all.matched"`, `"award.uniform"`, `"award.hard"`.
    """

    graph: Graph
    known: Edges
    unseen: npt.NDArray[np.bool_]
    positives: Edges
    awards: Edges
    negatives: dict[str, Edges]


def cases_of(graph: Graph, split: Split, part: str, seed: int) -> Cases:
    """The cases of `"valid"` or `"test"`."""
    positives = split.part(part).positives
    known = split.filter if part == "test" else Edges.concatenate(split.message, positives)
    known_graph = replace(graph, edges=known, edge_attributes={})
    rng = np.random.default_rng([seed, 13])
    awards = positives[np.isin(positives.relations, award_relations(graph))]
    negatives = {
        "all.uniform": draw_negatives(known_graph, positives, rng),
        "award.uniform": draw_negatives(known_graph, awards, rng),
        "award.hard": hard_negatives(graph, awards, known, rng),
    }
    unseen = unseen_suppliers(graph, split)
    negatives["all.matched"] = matched_negatives(graph, positives, known, unseen, rng)
    return Cases(graph, known, unseen, positives, awards, negatives)


def award_relations(graph: Graph) -> list[int]:
    return [graph.relation_index(name) for name in AWARDS]


def unseen_suppliers(graph: Graph, split: Split) -> npt.NDArray[np.bool_]:
    """(N,) the suppliers that no dated training edge touches."""
    low, high = graph.type_range("supplier")
    unseen = np.zeros(graph.num_nodes, dtype=bool)
    unseen[low:high] = ~seen_nodes(graph, split.message)[low:high]
    return unseen


def hard_negatives(graph: Graph, positives: Edges, known: Edges, rng: np.random.Generator) -> Edges:
    """For each positive another supplier that sells a commodity which the true one sells, no known edge.

    Who sells what is taken from all known edges: so that a negative may not be told by its goods.
    """
    supplies = known[known.relations == graph.relation_index("supplies")]
    by_supplier, by_commodity = _listed(supplies.heads, supplies.tails), _listed(supplies.tails, supplies.heads)
    taken = set(graph.keys(known).tolist())
    found: list[tuple[int, int, int]] = []
    for head, relation, tail in zip(positives.heads, positives.relations, positives.tails, strict=True):
        for _ in range(50):
            goods = by_supplier.get(int(tail))
            if goods is None:
                break
            other = rng.choice(by_commodity[int(rng.choice(goods))])
            key = graph.keys(Edges(np.array([head]), np.array([relation]), np.array([other])))
            if int(key[0]) not in taken:
                found.append((int(head), int(relation), int(other)))
                break
    heads, relations, tails = np.array(found, dtype=np.int64).reshape(-1, 3).T
    return Edges(heads, relations, tails)


def matched_negatives(
    graph: Graph, positives: Edges, known: Edges, unseen: npt.NDArray[np.bool_], rng: np.random.Generator
) -> Edges:
    """For each positive another supplier, unseen where the true one is, at the same other end; no known edge.

    Nothing but the supplier tells such an edge from the true one: with an unseen supplier uniform negatives are told by
    the other end, which is a large department where the edge is true.
    """
    low, high = graph.type_range("supplier")
    new = unseen[low:high]
    pools = low + np.flatnonzero(~new), low + np.flatnonzero(new)
    taken = np.sort(graph.keys(known))
    ends = positives.heads.copy(), positives.tails.copy()
    side = np.where((ends[0] >= low) & (ends[0] < high), 0, np.where((ends[1] >= low) & (ends[1] < high), 1, -1))
    open_ = np.flatnonzero(side >= 0)
    done = np.zeros(len(positives), dtype=bool)
    for _ in range(50):
        for s in (0, 1):
            for bucket, pool in enumerate(pools):
                rows = open_[
                    (side[open_] == s) & (unseen[(positives.heads, positives.tails)[s][open_]] == bool(bucket))
                ]
                if len(rows):
                    ends[s][rows] = rng.choice(pool, len(rows))
        keys = graph.keys(Edges(ends[0][open_], positives.relations[open_], ends[1][open_]))
        fresh = taken[np.minimum(np.searchsorted(taken, keys), len(taken) - 1)] != keys
        done[open_[fresh]] = True
        open_ = open_[~fresh]
    return Edges(ends[0][done], positives.relations[done], ends[1][done])


def _listed(keys: npt.NDArray, values: npt.NDArray) -> dict[int, npt.NDArray]:
    order = np.argsort(keys, kind="stable")
    distinct, begins = np.unique(keys[order], return_index=True)
    return dict(zip(distinct.tolist(), np.split(values[order], begins[1:]), strict=True))


# -- how good the answers are ---------------------------------------------------------------------------------


def measured(cases: Cases, score: Score) -> dict[str, float]:
    """AUC and AP against each kind of negatives, filtered ranks of the awards' suppliers; seen and unseen apart."""
    unseen, row = cases.unseen, dict[str, float]()
    for name, negatives in cases.negatives.items():
        positives = cases.awards if name.startswith("award") else cases.positives
        edges = Edges.concatenate(*(Edges(e.heads, e.relations, e.tails) for e in (positives, negatives)))
        labels = np.repeat([True, False], [len(positives), len(negatives)])
        scores = np.asarray(score(edges))
        new = unseen[edges.heads] | unseen[edges.tails]
        for bucket, mask in {"": np.ones(len(new), bool), ".seen": ~new, ".unseen": new}.items():
            row[f"{name}{bucket}.auc"] = roc_auc(labels[mask], scores[mask])
            row[f"{name}{bucket}.ap"] = average_precision(labels[mask], scores[mask])
    awards, ranks = cases.awards, supplier_ranks(cases, score)
    relations = {cases.graph.relation_names[i]: awards.relations == i for i in award_relations(cases.graph)}
    new = unseen[awards.tails]
    for bucket, mask in {
        "award": np.ones(len(new), bool),
        "award.seen": ~new,
        "award.unseen": new,
        **{n: m & ~new for n, m in relations.items()},
    }.items():
        row[f"{bucket}.mrr"], row[f"{bucket}.hits@10"] = (1 / ranks[mask]).mean(), (ranks[mask] <= 10).mean()
        row[f"{bucket}.mrr.se"] = (1 / ranks[mask]).std() / np.sqrt(max(1, mask.sum()))
        row[f"{bucket}.hits@100"] = (ranks[mask] <= 100).mean()
        row[f"{bucket}.count"] = int(mask.sum())
    return row


def supplier_ranks(cases: Cases, score: Score) -> npt.NDArray[np.float64]:
    """(n,) the filtered rank of each award's supplier among all suppliers, ties in the middle."""
    awards, known = cases.awards, cases.known
    low, high = cases.graph.type_range("supplier")
    every, ranks = np.arange(low, high), np.empty(len(awards))
    for head, relation in np.unique(np.stack([awards.heads, awards.relations]), axis=1).T:
        alike = np.full(len(every), head), np.full(len(every), relation)
        scores = np.asarray(score(Edges(*alike, every)))
        of_query = (known.heads == head) & (known.relations == relation)
        others = np.ones(len(every), dtype=bool)
        others[known.tails[of_query] - low] = False
        for i in np.flatnonzero((awards.heads == head) & (awards.relations == relation)):
            own = scores[awards.tails[i] - low]
            ranks[i] = 1 + (scores[others] > own).sum() + (scores[others] == own).sum() / 2
    return ranks
