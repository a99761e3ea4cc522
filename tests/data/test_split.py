from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relwise.data.edges import Edges
from relwise.data.graph import Graph, NodeType, Relation, SplitRule
from relwise.data.split import Split, draw_negatives, split_graph
from relwise.errors import InputError
from tests.fakes import small_graph

TIME = SplitRule("time", "2020-09-01", "2020-11-01")
_SEEDS = st.integers(0, 2**32 - 1)


def _check(graph: Graph, split: Split) -> None:
    """What holds of every split of a graph whose edges are all different facts."""
    parts = [split.message, split.valid.positives, split.test.positives]
    keys = [graph.keys(part) for part in parts]
    assert sorted(np.concatenate(keys)) == sorted(graph.keys(graph.edges)), "the parts are all edges, each once"
    assert len(split.filter) == len(graph.edges)
    assert set(graph.keys(split.supervision)) <= set(keys[0])
    for part in (split.valid, split.test):
        negatives = part.edges[~part.labels]
        assert not np.isin(graph.keys(negatives), graph.keys(graph.edges)).any()
        assert len(negatives) == len(part.positives)
        np.testing.assert_array_equal(np.sort(negatives.relations), np.sort(part.positives.relations))
        for ends, ranges in ((negatives.heads, graph.head_ranges), (negatives.tails, graph.tail_ranges)):
            low, high = ranges[negatives.relations].T
            assert ((ends >= low) & (ends < high)).all()


@settings(max_examples=20, deadline=None)
@given(_SEEDS, st.floats(0.05, 0.4), st.floats(0.05, 0.4))
def test_random(seed: int, valid: float, test: float) -> None:
    graph = small_graph(1, SplitRule("random", valid, test))
    split = split_graph(graph, seed)
    _check(graph, split)
    assert split.supervised.all()
    for relation, count in enumerate(np.bincount(graph.edges.relations)):
        assert abs((split.valid.positives.relations == relation).sum() - count * valid) <= 1
        assert abs((split.test.positives.relations == relation).sum() - count * test) <= 1


@settings(max_examples=20, deadline=None)
@given(_SEEDS)
def test_time(seed: int) -> None:
    graph = small_graph(seed % 100, TIME)
    split = split_graph(graph, seed)
    _check(graph, split)
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


@settings(max_examples=20, deadline=None)
@given(_SEEDS)
def test_both_orientations_of_an_undirected_edge_stay_together(seed: int) -> None:
    rng = np.random.default_rng(seed)
    pairs = np.unique(np.sort(rng.integers(0, 15, (40, 2)), axis=1), axis=0)
    triples = [(a, "r", b) for a, b in pairs] + [(b, "r", a) for a, b in pairs if a != b]
    graph = Graph.from_triples(triples, directed=False)
    split = split_graph(graph, seed)
    keys = [set(graph.keys(p)) for p in (split.message, split.valid.positives, split.test.positives)]
    assert not keys[0] & keys[1]
    assert not keys[0] & keys[2]
    assert not keys[1] & keys[2]


def test_the_same_seed_gives_the_same_split() -> None:
    graph = small_graph()
    first, again, other = (split_graph(graph, seed) for seed in (5, 5, 6))
    for part in ("valid", "test"):
        for end in ("heads", "relations", "tails"):
            np.testing.assert_array_equal(getattr(first.part(part).edges, end), getattr(again.part(part).edges, end))
    assert first.test.edges.heads.tolist() != other.test.edges.heads.tolist()


def test_a_given_split_and_given_negatives_stay_as_they_are() -> None:
    base = small_graph()
    parts = (np.arange(300) % 3).astype(np.int8)
    false = Edges(base.edges.heads[:5], base.edges.relations[:5], base.edges.tails[:5] * 0 + 30)
    graph = replace(base, parts=parts, negatives={"test": false}, split_rule=SplitRule("given"))
    split = split_graph(graph)
    assert len(split.message) == 100
    np.testing.assert_array_equal(split.test.edges.tails[~split.test.labels], false.tails)
    assert (~split.valid.labels).sum() == 100


@settings(max_examples=20, deadline=None)
@given(st.integers(2, 6), _SEEDS, st.booleans())
def test_negatives_are_all_unknown_pairs_where_few_are_left(n: int, seed: int, directed: bool) -> None:
    pairs = [(a, b) for a in range(n) for b in range(n) if a != b]
    known = [pair for i, pair in enumerate(pairs) if (i + seed) % 3]
    graph = Graph.from_triples([(a, "r", b) for a, b in known] + [(a, "s", a) for a in range(n)], directed=directed)
    positives = graph.edges[graph.edges.relations == 0]
    drawn = draw_negatives(graph, positives, np.random.default_rng(seed))
    assert not np.isin(graph.keys(drawn), graph.keys(graph.edges)).any()
    assert (drawn.heads != drawn.tails).all()
    facts = known if directed else {tuple(sorted(pair)) for pair in known}
    possible = pairs if directed else {tuple(sorted(pair)) for pair in pairs}
    assert len(drawn) == (len(positives) if len(facts) < len(possible) else 0)


def test_what_cannot_be_split() -> None:
    graph = small_graph()
    timeless = replace(graph, edges=Edges(graph.edges.heads, graph.edges.relations, graph.edges.tails), split_rule=TIME)
    with pytest.raises(InputError, match="no relation names a time column; add time"):
        split_graph(timeless)
    with pytest.raises(InputError, match="the data give no split"):
        split_graph(replace(graph, split_rule=SplitRule("given")))
    works_at = replace(graph, edges=graph.edges[graph.edges.relations == 0])
    with pytest.raises(InputError, match="no edge is left to train on; set later dates"):
        split_graph(replace(works_at, split_rule=SplitRule("time", "1990-01-01", "1991-01-01")))
    with pytest.raises(InputError, match="there is no split 'train'"):
        split_graph(graph).part("train")


def test_two_types_of_one_name_are_refused() -> None:
    city = small_graph().node_types[2]
    with pytest.raises(ValueError, match="one name"):
        Graph((city, NodeType("city", city.ids)), (), Edges.empty())
    with pytest.raises(ValueError, match="one name"):
        Graph((city,), (Relation("near", "city", "city"),) * 2, Edges.empty())
