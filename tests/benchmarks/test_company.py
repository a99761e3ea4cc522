"""The Company benchmark's cases and measures, on a small graph of the same shape."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import company_cases
from relwise.data.edges import Edges
from relwise.data.graph import Attribute, Graph, Relation
from relwise.data.split import split_graph
from relwise.evaluate.metrics import roc_auc
from tests.data.audit.graphs import BY_TIME, make, random_pairs

SIZES = {"department": 8, "supplier": 120, "commodity": 25}


@pytest.fixture(scope="module")
def graph() -> Graph:
    """Suppliers from 80 on come late; from 110 on they have no edge at all."""
    rng = np.random.default_rng(0)
    relations = [Relation(name, "department", "supplier") for name in company_cases.AWARDS]
    relations.append(Relation("supplies", "supplier", "commodity"))
    pairs = [random_pairs(rng, 8, 110, 250) for _ in company_cases.AWARDS]
    pairs.append(random_pairs(rng, 110, 25, 500))
    suppliers = np.concatenate([*(p[:, 1] for p in pairs[:3]), pairs[3][:, 0]])
    days = np.where(suppliers < 80, rng.integers(0, 366, len(suppliers)), rng.integers(250, 366, len(suppliers)))
    times = np.datetime64("2020-01-01", "us") + days.astype("timedelta64[D]")
    x = {"supplier": (Attribute("x", "numeric", np.arange(120.0)),)}
    return make(SIZES, relations, pairs, x, times=times, split_rule=BY_TIME)


@pytest.fixture(scope="module", params=["valid", "test"])
def cases(graph: Graph, request: pytest.FixtureRequest) -> company_cases.Cases:
    return company_cases.cases_of(graph, split_graph(graph), request.param, 0)


def keys(graph: Graph, edges: Edges) -> set[int]:
    return set(graph.keys(edges).tolist())


def test_negatives_are_no_known_edges_and_of_the_kind_they_say(cases: company_cases.Cases) -> None:
    graph, known = cases.graph, keys(cases.graph, cases.known)
    assert keys(graph, cases.positives) <= known
    for name, negatives in cases.negatives.items():
        assert len(negatives) > 20
        assert not keys(graph, negatives) & known, name
    awards = company_cases.award_relations(graph)
    assert set(cases.negatives["award.hard"].relations.tolist()) <= set(awards)
    supplies = cases.known[cases.known.relations == graph.relation_index("supplies")]
    goods = {s: set(supplies.tails[supplies.heads == s].tolist()) for s in set(supplies.heads.tolist())}
    asked = set(zip(cases.awards.heads.tolist(), cases.awards.relations.tolist(), strict=True))
    for head, relation, tail in _rows(cases.negatives["award.hard"]):
        assert (head, relation) in asked
        true = cases.awards.tails[(cases.awards.heads == head) & (cases.awards.relations == relation)]
        assert any(goods[tail] & goods.get(int(t), set()) for t in true)


def test_matched_negatives_differ_in_the_supplier_alone(cases: company_cases.Cases) -> None:
    low, high = cases.graph.type_range("supplier")
    matched = cases.negatives["all.matched"]
    buckets = {False: 0, True: 0}
    for head, relation, tail in _rows(matched):
        supplier = head if low <= head < high else tail
        other = tail if supplier == head else head
        same = [
            (h if low <= h < high else t) for h, r, t in _rows(cases.positives) if r == relation and other in (h, t)
        ]
        assert any(cases.unseen[s] == cases.unseen[supplier] for s in same)
        buckets[bool(cases.unseen[supplier])] += 1
    assert min(buckets.values()) > 5


def test_nothing_of_test_is_known_while_tuning(graph: Graph) -> None:
    split = split_graph(graph)
    cases = company_cases.cases_of(graph, split, "valid", 0)
    assert not keys(graph, cases.known) & keys(graph, split.test.positives)
    # Other test edges, the same cases.
    tests = np.isin(graph.keys(graph.edges), graph.keys(split.test.positives))
    without = replace(graph, edges=graph.edges[~tests])
    fewer = replace(split, test=split.valid, filter=without.edges)
    again = company_cases.cases_of(without, fewer, "valid", 0)
    for name, negatives in cases.negatives.items():
        assert _rows(negatives) == _rows(again.negatives[name]), name


def test_ranks_are_those_counted_one_by_one(cases: company_cases.Cases) -> None:
    table = np.random.default_rng(1).integers(0, 40, (cases.graph.num_nodes, cases.graph.num_nodes)).astype(float)
    ranks = company_cases.supplier_ranks(cases, lambda edges: table[edges.heads, edges.tails] + edges.relations)
    known = set(_rows(cases.known))
    low, high = cases.graph.type_range("supplier")
    for rank, (head, relation, tail) in zip(ranks, _rows(cases.awards), strict=True):
        others = [s for s in range(low, high) if (head, relation, s) not in known]
        above = sum(table[head, s] > table[head, tail] for s in others)
        tied = sum(table[head, s] == table[head, tail] for s in others)
        assert rank == 1 + above + tied / 2


def test_measures_are_of_the_buckets(cases: company_cases.Cases) -> None:
    row = company_cases.measured(cases, lambda edges: -edges.tails.astype(float))
    assert row["award.seen.count"] + row["award.unseen.count"] == row["award.count"] == len(cases.awards)
    negatives = cases.negatives["award.hard"]
    edges = Edges.concatenate(*(Edges(e.heads, e.relations, e.tails) for e in (cases.awards, negatives)))
    labels = np.repeat([True, False], [len(cases.awards), len(negatives)])
    seen = ~(cases.unseen[edges.heads] | cases.unseen[edges.tails])
    assert row["award.hard.seen.auc"] == roc_auc(labels[seen], -edges.tails[seen].astype(float))
    assert row["award.hard.auc"] == roc_auc(labels, -edges.tails.astype(float))


def test_shuffled_attributes_are_the_same_in_another_order(graph: Graph) -> None:
    shuffled = company_cases.with_shuffled_attributes(graph, 0).node_types[1].attributes[0].values
    own = graph.node_types[1].attributes[0].values
    assert sorted(shuffled) == sorted(own)
    assert (shuffled != own).mean() > 0.9


def _rows(edges: Edges) -> list[tuple[int, int, int]]:
    return list(zip(edges.heads.tolist(), edges.relations.tolist(), edges.tails.tolist(), strict=True))
