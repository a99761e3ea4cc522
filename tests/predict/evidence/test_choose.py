"""Patterns are chosen that tell, on training edges alone, and the listing of them is a brute force's."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from relwise.data.edges import Edges
from relwise.data.graph import Graph
from relwise.data.split import LabelledEdges, Split, split_graph
from relwise.data.split_rule import SplitRule
from relwise.predict.evidence import choose
from relwise.predict.evidence.plan import Pattern
from relwise.predict.evidence.ties import Ties
from relwise.predict.evidence.walks import CAP
from tests.predict.evidence.test_features import small_graph


def listed(ties: Ties, head: int, tail: int) -> set[Pattern]:
    """All patterns of simple paths of one to three steps, without the tie asked about as the only step."""
    found: set[Pattern] = set()
    kinds = range(ties.num_kinds)
    for a in kinds:
        for u in ties.of_node(head, a).tolist():
            if u == tail:
                found.add((a,))
                continue
            for b in kinds:
                for v in ties.of_node(u, b).tolist():
                    if v == tail:
                        found.add((a, b))
                    elif v != head:
                        found |= {(a, b, c) for c in kinds if tail in ties.of_node(v, c)}
    return found


@pytest.mark.parametrize("seed", range(3))
def test_all_patterns_between_two_nodes_are_listed(seed: int) -> None:
    graph = small_graph(seed)
    ties = Ties.of(graph, graph.edges)
    rows = choose._by_node(ties)
    scratch = choose._Scratch(ties.num_nodes, int(np.diff(rows[0]).max()))
    back = np.array([ties.reverse(kind) for kind in range(ties.num_kinds)])
    base, pair, several = ties.num_kinds + 1, 0, 0
    for head in range(graph.num_nodes):
        for tail in range(graph.num_nodes):
            if head == tail:
                continue
            count = choose._codes(*rows, back, head, tail, base, CAP, pair, *scratch.arrays)
            pair += 1
            codes = scratch.found[:count].tolist()
            assert len(codes) == len(set(codes))
            assert {choose._pattern(code, base) for code in codes} == listed(ties, head, tail)
            several += count > 20
    assert several > 30


def test_a_pattern_that_tells_is_chosen() -> None:
    """Who buys is who their friends buy from; a third relation is noise."""
    rng = np.random.default_rng(0)
    group = rng.integers(5, size=60)
    triples = [
        (f"a{i}", "friend", f"a{j}") for i in range(60) for j in range(i) if group[i] == group[j] and rng.random() < 0.5
    ]
    triples += [
        (f"a{i}", "buys", f"s{k}") for i in range(60) for k in range(40) if k % 5 == group[i] and rng.random() < 0.5
    ]
    triples += [(f"a{i}", "sees", f"s{rng.integers(40)}") for i in range(60)]
    graph = Graph.from_triples(triples)
    buys, friend = graph.relation_index("buys"), graph.relation_index("friend")
    chosen = choose.choose_patterns(graph, split_graph(graph))[buys]
    by_friend = {(kind, 2 * buys) for kind in (2 * friend, 2 * friend + 1)}
    assert by_friend & set(chosen)
    assert (2 * buys,) not in chosen
    assert all(len(patterns) <= choose.MOST for patterns in choose.choose_patterns(graph, split_graph(graph)))


def test_what_comes_with_an_edge_does_not_speak_for_it_by_time() -> None:
    """`echo` is recorded when `buys` is: before an edge's moment there is none between its ends."""
    rng = np.random.default_rng(0)
    pairs = sorted({(int(rng.integers(40)), int(rng.integers(40, 80))) for _ in range(600)})
    rng.shuffle(pairs)
    heads, tails = (np.array(ends) for ends in zip(*pairs, strict=True))
    times = np.datetime64("2020-01-01") + np.arange(len(pairs)).astype("timedelta64[D]")
    both = [Edges(heads, np.full(len(pairs), r), tails, times) for r in (0, 1)]
    named = Graph.from_triples([(f"n{i}", name, f"n{i + 1}") for i in range(80) for name in ("buys", "echo")])
    graph = replace(named, edges=Edges.concatenate(*both), parts=None)
    message = graph.edges
    none = LabelledEdges(Edges.empty(), np.empty(0, bool))
    split = Split(message, np.ones(len(message), bool), none, none, message)
    at_random = choose.choose_patterns(replace(graph, split_rule=SplitRule(by="random")), split)
    by_time = choose.choose_patterns(replace(graph, split_rule=SplitRule(by="time", valid="2030", test="2031")), split)
    assert (2,) in at_random[0]
    assert (2,) not in by_time[0]


def test_the_choice_does_not_look_at_validation_or_test() -> None:
    graph = small_graph(2, nodes=40)
    split = split_graph(graph)
    none = LabelledEdges(Edges.empty(), np.empty(0, bool))
    bare = replace(graph, edges=split.message)
    # Negatives are drawn off all known edges; here only the message edges are known.
    one = choose.choose_patterns(bare, split)
    other = choose.choose_patterns(bare, replace(split, valid=none, test=none, filter=split.message))
    assert one == other


def test_equally_weak_patterns_are_not_lost_together(monkeypatch: pytest.MonkeyPatch) -> None:
    """Columns that are alike leave the L1 path all at once, from more than `MOST` to none."""
    rng = np.random.default_rng(0)
    truth = rng.random(400) < 0.5
    table = 0.2 * truth[:, None] + rng.normal(size=(400, 36))
    graph = small_graph(0)
    pairs = Edges(np.zeros(400, np.int64), np.zeros(400, np.int64), np.ones(400, np.int64))
    monkeypatch.setattr(choose, "weight", lambda paths: table)
    candidates: list[Pattern] = [(a, b) for a in range(6) for b in range(6)]
    chosen = choose._telling(Ties.of(graph, graph.edges), candidates, pairs, truth)
    assert 0 < len(chosen) <= choose.MOST
