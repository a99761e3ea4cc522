"""The result table: right sums, any mask, and a JSON without NaN."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from relwise.data.audit import leakage
from relwise.data.edges import Edges
from relwise.data.graph import Graph, Relation
from relwise.data.read import read
from relwise.data.split import LabelledEdges, Split, draw_negatives, split_graph
from relwise.evaluate.baselines import plain_baselines
from relwise.evaluate.metrics import best_threshold, binary_measures
from relwise.evaluate.ranks import End, Ranks, joint, rank_edges
from relwise.evaluate.table import Result, evaluate
from tests.fakes import small_graph

METRICS = ["auc", "ap", "f1", "mrr", "hits@1", "hits@10", "hits@30", "mrr_optimistic", "mrr_pessimistic"]
METRICS += ["mrr_joint", "hits@1_joint", "hits@10_joint", "hits@30_joint"]
COLUMNS = ["scorer", "bucket", "relation", "metric", "value", "positives", "negatives"]
BASELINES = ["degree_product", "adamic_adar", "path3"]


class Lookup:
    """A model of random coarse scores, from which probabilities and blocks of scores come."""

    def __init__(self, graph: Graph, seed: int = 0) -> None:
        rng = np.random.default_rng(seed)
        shape = (graph.num_relations, graph.num_nodes, graph.num_nodes)
        self.graph, self.table = graph, rng.integers(0, 12, shape).astype(np.float32) / 12
        self.calls = 0

    def pairs(self, edges: Edges) -> np.ndarray:
        self.calls += 1
        return self.table[edges.relations, edges.heads, edges.tails]

    def block(self, end: End, relations: np.ndarray, anchors: np.ndarray) -> np.ndarray:
        self.calls += 1
        if end == "head":
            return self.table[relations, :, anchors][:, slice(*self.graph.head_ranges[relations[0]])]
        return self.table[relations, anchors][:, slice(*self.graph.tail_ranges[relations[0]])]


@pytest.fixture
def evaluated() -> tuple[Graph, Split, Lookup, Result]:
    graph = small_graph()
    split = split_graph(graph)
    model = Lookup(graph)
    return graph, split, model, evaluate(graph, split.test, split, model.pairs, model.block)


def test_the_table_has_every_scorer_relation_and_metric(evaluated) -> None:
    graph, split, _, result = evaluated
    table = result.table()
    assert table.columns.tolist() == COLUMNS
    assert table["bucket"].unique().tolist() == ["all"]
    assert table["scorer"].unique().tolist() == ["model", *BASELINES]
    assert table["relation"].unique().tolist() == ["micro", *graph.relation_names]
    assert table["metric"].unique().tolist() == METRICS
    assert len(table) == 4 * (1 + graph.num_relations) * len(METRICS)
    micro = table[table["relation"] == "micro"]
    assert (micro["positives"] == split.test.labels.sum()).all()
    assert (micro["negatives"] == (~split.test.labels).sum()).all()


def test_measures_are_those_of_the_parts(evaluated) -> None:
    graph, split, model, result = evaluated
    for relation, index in (("micro", None), *((name, i) for i, name in enumerate(graph.relation_names))):
        chosen = np.ones(len(split.test), bool) if index is None else split.test.edges.relations == index
        edges, labels = split.test.edges[chosen], split.test.labels[chosen]
        heads, tails = rank_edges(edges[labels], split.filter, graph, model.block)
        both, once = Ranks.concatenate(heads, tails), joint(heads, tails)
        measures = result.measures("model", relation)
        assert list(measures) == METRICS
        expected = {
            **binary_measures(labels, model.pairs(edges)),
            "mrr": both.mrr(),
            "hits@10": both.hits(10),
        }
        expected |= {
            "mrr_optimistic": both.mrr("optimistic"),
            "mrr_joint": once.mrr(),
            "hits@1_joint": once.hits(1),
        }
        np.testing.assert_equal({name: measures[name] for name in expected}, expected)


def test_baselines_stand_beside_with_the_threshold_of_validation(evaluated) -> None:
    graph, split, _, result = evaluated
    for baseline in plain_baselines(split.message, graph.num_nodes):
        valid = baseline.pairs(split.valid.edges.heads, split.valid.edges.tails)
        test = baseline.pairs(split.test.edges.heads, split.test.edges.tails)
        expected = binary_measures(split.test.labels, test, best_threshold(split.valid.labels, valid))
        measures = result.measures(baseline.name)
        np.testing.assert_equal({name: measures[name] for name in expected}, expected)
        model = Lookup(graph)  # the same scores as a model's, every pair of nodes in one matrix
        model.table = np.stack([baseline.rows(np.arange(graph.num_nodes))] * graph.num_relations)
        ranks = Ranks.concatenate(*rank_edges(split.test.positives, split.filter, graph, model.block))
        assert (measures["mrr"], measures["hits@10"]) == (ranks.mrr(), ranks.hits(10))


def test_a_mask_gives_what_evaluating_the_rest_gives(evaluated) -> None:
    graph, split, model, result = evaluated
    keep = np.random.default_rng(3).random(len(split.test)) < 0.6
    before = model.calls
    masked = result.to_json(keep)
    assert model.calls == before, "nothing is scored again"
    rest = LabelledEdges(split.test.edges[keep], split.test.labels[keep])
    assert masked == evaluate(graph, rest, split, model.pairs, model.block).to_json()


@pytest.fixture
def partly_unseen() -> tuple[Graph, Split, Lookup, Result]:
    """Every edge of four people, who have no message edge then, and each tenth of the others is a test edge."""
    graph = small_graph()
    held = np.isin(graph.edges.heads, [0, 1, 2, 3]) | np.isin(graph.edges.tails, [0, 1, 2, 3])
    test = held | (np.arange(len(graph.edges)) % 10 == 0)
    positives = graph.edges[test]
    drawn = draw_negatives(graph, positives, np.random.default_rng(0))
    part = LabelledEdges(Edges.concatenate(positives, drawn), np.arange(len(positives) + len(drawn)) < len(positives))
    split = Split(graph.edges[~test], np.ones((~test).sum(), bool), part, part, graph.edges)
    model = Lookup(graph)
    return graph, split, model, evaluate(graph, part, split, model.pairs, model.block)


def test_unseen_edges_are_those_with_an_end_that_no_message_edge_touches(partly_unseen) -> None:
    _, split, _, result = partly_unseen
    touched = {*split.message.heads.tolist(), *split.message.tails.tolist()}
    ends = zip(split.test.edges.heads.tolist(), split.test.edges.tails.tolist(), strict=True)
    assert result.unseen.tolist() == [not {head, tail} <= touched for head, tail in ends]
    positives = result.unseen & result.labels
    assert 0 < positives.sum() < result.labels.sum()
    assert 0 < (result.unseen & ~result.labels).sum() < (~result.labels).sum()


def test_seen_and_unseen_edges_have_rows_of_their_own(partly_unseen) -> None:
    graph, split, model, result = partly_unseen
    answer, table = result.to_json(), result.table()
    assert json.loads(json.dumps(answer, allow_nan=False)) == answer
    assert table["bucket"].unique().tolist() == ["all", "seen", "unseen"]
    assert len(table) == 3 * 4 * (1 + graph.num_relations) * len(METRICS)
    for bucket, mask in (("seen", ~result.unseen), ("unseen", result.unseen)):
        rest = LabelledEdges(split.test.edges[mask], split.test.labels[mask])
        alone = evaluate(graph, rest, split, model.pairs, model.block)
        expected = {key: alone.to_json()[key] for key in ("micro", "relations", "baselines", "counts")}
        assert answer[bucket] == expected
        assert answer[bucket]["counts"]["micro"]["negatives"] == (mask & ~result.labels).sum()
        rows = table[table["bucket"] == bucket].drop(columns="bucket").reset_index(drop=True)
        whole = alone.table()
        whole = whole[whole["bucket"] == "all"].drop(columns="bucket").reset_index(drop=True)
        pd.testing.assert_frame_equal(rows, whole)


def test_a_mask_without_unseen_positives_leaves_the_buckets_out(partly_unseen) -> None:
    *_, result = partly_unseen
    assert result.buckets().keys() == {"seen", "unseen"}
    keep = ~(result.unseen & result.labels)
    assert result.to_json(keep).keys() == {"micro", "relations", "baselines", "counts"}
    assert result.table(keep)["bucket"].unique().tolist() == ["all"]


def test_json_is_json(evaluated) -> None:
    graph, split, _, result = evaluated
    works_at = split.test.edges.relations == 0
    answer = result.to_json(~(works_at & ~split.test.labels))  # works_at keeps its positives only
    assert json.loads(json.dumps(answer, allow_nan=False)) == answer
    assert list(answer["relations"]) == list(graph.relation_names)
    assert list(answer["baselines"]) == BASELINES
    assert answer["relations"]["works_at"]["auc"] is None
    assert answer["relations"]["works_at"]["mrr"] > 0
    assert answer["counts"]["works_at"] == {
        "positives": int((works_at & split.test.labels).sum()),
        "negatives": 0,
    }


def test_a_part_without_edges_has_no_measures() -> None:
    graph = small_graph()
    split = split_graph(graph)
    model = Lookup(graph)
    empty = LabelledEdges(Edges.empty(), np.empty(0, bool))
    result = evaluate(graph, empty, split, model.pairs, model.block, baselines=())
    assert all(math.isnan(value) for value in result.measures().values())
    assert result.to_json()["counts"]["micro"] == {"positives": 0, "negatives": 0}


def test_a_relation_called_micro_is_told_apart() -> None:
    small = small_graph()
    relations = tuple(
        Relation("micro", r.head, r.tail, r.directed) if r.name == "knows" else r for r in small.relations
    )
    graph = Graph(small.node_types, relations, small.edges)
    split = split_graph(graph)
    model = Lookup(graph)
    answer = evaluate(graph, split.test, split, model.pairs, model.block, baselines=()).to_json()
    assert "person.micro.person" in answer["relations"]


def test_scores_of_another_length_are_refused() -> None:
    graph = small_graph()
    split = split_graph(graph)
    with pytest.raises(ValueError, match="score_pairs gave"):
        evaluate(graph, split.test, split, lambda edges: np.zeros(3), Lookup(graph).block)


@pytest.mark.data
def test_amazon_with_and_without_leaked_edges(benchmark_data: Callable[[str], Path]) -> None:
    graph = read(benchmark_data("amazon"))
    split = split_graph(graph)
    path3 = plain_baselines(split.message, graph.num_nodes)[2]

    def block(end: End, relations: np.ndarray, anchors: np.ndarray) -> np.ndarray:
        return path3.rows(anchors)

    result = evaluate(graph, split.test, split, lambda e: path3.pairs(e.heads, e.tails), block, baselines=[path3])
    leak = leakage(graph, split).test
    model, plain = result.measures("model"), result.measures("path3")
    assert {**model, "f1": 0} == {**plain, "f1": 0}
    without = result.measures("path3", keep=~leak.reversed)
    assert without["auc"] < plain["auc"]
    assert result.to_json(~leak.leaked)["counts"]["micro"] == {
        "positives": 14_746 - 2_991 - 144,
        "negatives": 14_746,
    }
