from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from relwise.data.audit.nodes import nodes
from relwise.data.graph import Relation, SplitRule
from relwise.data.split import seen_nodes, split_graph
from relwise.evaluate.table import evaluate
from tests.data.audit.graphs import BY_TIME, case, make

RULES = [SplitRule(), SplitRule("given"), SplitRule("unseen", node_type="shop"), SplitRule("group"), BY_TIME]


def shops(rule: SplitRule):
    """Shops 0 to 9 buy early, 10 to 19 late; where each shop lies has no date; shop 20 has nothing but its place."""
    rng = np.random.default_rng(0)
    bought = np.stack(
        [np.repeat(np.arange(20), 4), rng.permuted(np.tile(np.arange(9), (20, 1)), axis=1)[:, :4].ravel()]
    )
    place = np.stack([np.arange(21), rng.integers(0, 3, 21)])
    moments = np.where(bought[0] < 10, "2020-02-01", np.where(bought[0] < 15, "2020-10-01", "2020-12-01"))
    times = np.concatenate([moments.astype("datetime64[us]"), np.full(21, "NaT", "datetime64[us]")])
    relations = (Relation("buys", "shop", "good"), Relation("lies_in", "shop", "town"))
    return make({"shop": 21, "good": 9, "town": 3}, relations, [bought.T, place.T], times=times, split_rule=rule)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.by)
def test_an_undated_edge_makes_a_node_seen_but_by_time(rule: SplitRule) -> None:
    graph = shops(rule)
    message = split_graph(shops(BY_TIME)).message
    touched = np.zeros(graph.num_nodes, dtype=bool)
    touched[message.heads] = touched[message.tails] = True
    assert touched[:21].all()
    expected = np.r_[np.arange(21) < 10, np.ones(9, bool), np.zeros(3, bool)] if rule.by == "time" else touched
    np.testing.assert_array_equal(seen_nodes(graph, message), expected)


def test_without_times_every_training_edge_counts() -> None:
    graph = shops(BY_TIME)
    message = replace(graph.edges, times=None)
    assert seen_nodes(graph, message).sum() == graph.num_nodes


def test_measures_and_audit_share_the_definition() -> None:
    graph = shops(BY_TIME)
    split = split_graph(graph)
    unseen = ~seen_nodes(graph, split.message)
    positives = split.test.positives
    expected = int((unseen[positives.heads] | unseen[positives.tails]).sum())
    assert expected == len(positives) == 20
    (found,) = (finding for finding in nodes(case(graph)) if "without dated training edges" in finding.sentence)
    assert found.count == expected
    result = evaluate(
        graph,
        split.test,
        split,
        lambda edges: np.full(len(edges), 0.5),
        lambda end, relations, anchors: np.zeros((len(anchors), 21 if end == "head" else 9)),
        baselines=(),
    )
    assert (result.unseen & result.labels).sum() == expected
