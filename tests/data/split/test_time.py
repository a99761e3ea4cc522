from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings

from relwise.data.edges import Edges
from relwise.data.graph import Graph, SplitRule
from relwise.data.split import split_graph
from relwise.errors import InputError
from tests.data.split.cases import SEEDS, check, parts_of
from tests.fakes import small_graph

TIME = SplitRule("time", "2020-09-01", "2020-11-01")


@settings(max_examples=20, deadline=None)
@given(SEEDS)
def test_time(seed: int) -> None:
    graph = small_graph(seed % 100, TIME)
    split = split_graph(graph, seed)
    check(graph, split)
    valid, test = np.datetime64("2020-09-01"), np.datetime64("2020-11-01")
    assert graph.edges.times is not None
    by_key = dict(zip(graph.keys(graph.edges), graph.edges.times, strict=True))
    supervised, in_valid, in_test = (
        np.array([by_key[key] for key in graph.keys(part)])
        for part in (split.supervision, split.valid.positives, split.test.positives)
    )
    assert (supervised[~np.isnat(supervised)] < valid).all()
    assert ((in_valid >= valid) & (in_valid < test)).all()
    assert (in_test >= test).all()
    undated = np.isnat(np.asarray(split.message.times))
    timeless = split.message.relations == 3
    np.testing.assert_array_equal(split.supervised, ~undated | timeless)


def test_an_edge_at_the_cut_is_in_the_later_part() -> None:
    times = np.array(["2013-01-01", "2013-02-01", "2013-03-01"], "datetime64[us]")
    base = Graph.from_triples([("a", "r", "b"), ("b", "r", "c"), ("c", "r", "d")])
    edges = Edges(base.edges.heads, base.edges.relations, base.edges.tails, times)
    graph = replace(base, edges=edges, split_rule=SplitRule("time", "2013-02-01", "2013-03-01T00:00:00"))
    split = split_graph(graph)
    assert [len(p) for p in (split.message, split.valid.positives, split.test.positives)] == [1, 1, 1]


@settings(max_examples=30, deadline=None)
@given(SEEDS)
def test_both_orientations_of_an_undirected_edge_go_by_the_earlier_of_their_times(seed: int) -> None:
    rng = np.random.default_rng(seed)
    pairs = np.unique(rng.integers(0, 9, (50, 2)), axis=0)
    times = np.datetime64("2020-01-01", "us") + rng.integers(0, 366, len(pairs)).astype("timedelta64[D]")
    times[rng.random(len(pairs)) < 0.2] = np.datetime64("NaT")
    base = Graph.from_triples([(a, "r", b) for a, b in pairs], directed=False)
    edges = Edges(base.edges.heads, base.edges.relations, base.edges.tails, times)
    graph = replace(base, edges=edges, split_rule=TIME)
    earliest: dict[int, np.datetime64] = {}
    for key, time in zip(graph.keys(edges).tolist(), times, strict=True):
        if not np.isnat(time):
            earliest[key] = min(time, earliest.get(key, time))
    valid, test = np.datetime64("2020-09-01"), np.datetime64("2020-11-01")
    message, in_valid, in_test = (set(part.tolist()) for part in parts_of(graph, split_graph(graph, seed)))
    assert in_test == {key for key, time in earliest.items() if time >= test}
    assert in_valid == {key for key, time in earliest.items() if valid <= time < test}
    assert message == set(graph.keys(edges).tolist()) - in_valid - in_test


def test_without_times_or_an_early_edge_there_is_no_split() -> None:
    graph = small_graph()
    timeless = Edges(graph.edges.heads, graph.edges.relations, graph.edges.tails)
    with pytest.raises(InputError, match="no relation names a time column; add time"):
        split_graph(replace(graph, edges=timeless, split_rule=TIME))
    works_at = replace(graph, edges=graph.edges[graph.edges.relations == 0])
    with pytest.raises(InputError, match="no edge is left to train on; set later dates"):
        split_graph(replace(works_at, split_rule=SplitRule("time", "1990-01-01", "1991-01-01")))
