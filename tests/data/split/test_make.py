from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from relwise.data.edges import Edges
from relwise.data.graph import Graph, NodeType, Relation, SplitRule
from relwise.data.split import split_graph
from relwise.errors import InputError
from tests.data.split.cases import same
from tests.fakes import small_graph

RULES = [
    SplitRule("random", 0.1, 0.2),
    SplitRule("random", 0.1, 0.2, negatives="degree"),
    SplitRule("time", "2020-09-01", "2020-11-01", negatives="degree"),
    SplitRule("unseen", 0.1, 0.1, "person"),
    SplitRule("group", 0.1, 0.2, group=("works_at", "owns")),
]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: f"{rule.by}-{rule.negatives}")
def test_the_same_seed_gives_the_same_split(rule: SplitRule) -> None:
    graph = small_graph(split=rule)
    first, again, other = (split_graph(graph, seed) for seed in (5, 5, 6))
    assert same(first, again)
    assert not same(first, other)


def test_a_given_split_and_given_negatives_stay_as_they_are() -> None:
    base = small_graph()
    parts = (np.arange(300) % 3).astype(np.int8)
    false = Edges(base.edges.heads[:5], base.edges.relations[:5], base.edges.tails[:5] * 0 + 30)
    graph = replace(base, parts=parts, negatives={"test": false}, split_rule=SplitRule("given"))
    split = split_graph(graph)
    assert len(split.message) == 100
    np.testing.assert_array_equal(split.test.edges.tails[~split.test.labels], false.tails)
    assert (~split.valid.labels).sum() == 100


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: f"{rule.by}-{rule.negatives}")
def test_negatives_that_the_data_give_go_before(rule: SplitRule) -> None:
    base = small_graph(split=rule)
    false = base.edges[np.arange(7)]
    split = split_graph(replace(base, negatives={"valid": false}))
    np.testing.assert_array_equal(split.valid.edges.heads[~split.valid.labels], false.heads)
    assert (~split.test.labels).sum() == split.test.labels.sum()


def test_what_cannot_be_split() -> None:
    graph = small_graph()
    with pytest.raises(InputError, match="the data give no split"):
        split_graph(replace(graph, split_rule=SplitRule("given")))
    with pytest.raises(InputError, match="there is no split 'train'"):
        split_graph(graph).part("train")


def test_two_types_of_one_name_are_refused() -> None:
    city = small_graph().node_types[2]
    with pytest.raises(ValueError, match="one name"):
        Graph((city, NodeType("city", city.ids)), (), Edges.empty())
    with pytest.raises(ValueError, match="one name"):
        Graph((city,), (Relation("near", "city", "city"),) * 2, Edges.empty())
