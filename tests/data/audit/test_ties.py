"""Ties: steps between nodes, by brute force over small multigraphs."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from relwise.data.audit import ties as module
from relwise.data.audit.ties import Ties, distinct
from relwise.data.edges import Edges
from relwise.data.graph import Graph, Relation
from tests.data.audit.graphs import make

NODES = 7
RELATIONS = (Relation("r", "n", "n"), Relation("s", "n", "n"), Relation("u", "n", "n", directed=False))
TRIPLES = st.lists(st.tuples(*(st.integers(0, n - 1) for n in (NODES, 3, NODES))), max_size=40)


def some_graph(triples: list[tuple[int, int, int]]) -> tuple[Graph, Edges]:
    none = np.empty((0, 2), np.int64)
    graph = make({"n": NODES}, RELATIONS, [none, none, none])
    columns = np.array(triples, dtype=np.int64).reshape(-1, 3)
    return graph, Edges(*columns.T)


def walks(triples: list[tuple[int, int, int]]) -> set[tuple[int, int, int]]:
    """Every (from, step, to)."""
    forward = {(h, r, t) for h, r, t in triples}
    return forward | {(t, r if r == 2 else r + 3, h) for h, r, t in triples}


ALL = np.array(list(product(range(NODES), range(NODES)))).T


@given(TRIPLES)
def test_one_step(triples: list[tuple[int, int, int]]) -> None:
    ties = Ties.of(*some_graph(triples))
    rows, steps = ties.between(*ALL)
    got = {(int(ALL[0, i]), int(s), int(ALL[1, i])) for i, s in zip(rows, steps, strict=True)}
    assert got == walks(triples)
    assert len(rows) == len(got), "each once"


@pytest.mark.parametrize("chunk", [3, 10**6])
@given(triples=TRIPLES)
def test_two_steps(chunk: int, triples: list[tuple[int, int, int]]) -> None:
    ties = Ties.of(*some_graph(triples))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "CHUNK", chunk)
        rows, first, second = ties.two_steps(*ALL)
    one = walks(triples)
    wanted = {
        (h, v, w, t) for h, v, x in one for y, w, t in one if x == y and x not in (h, t)
    }  # the middle is a third node
    got = [(int(ALL[0, i]), int(v), int(w), int(ALL[1, i])) for i, v, w in zip(rows, first, second, strict=True)]
    assert set(got) == wanted
    assert len(got) == len(wanted)


@given(TRIPLES)
def test_following_a_step(triples: list[tuple[int, int, int]]) -> None:
    ties = Ties.of(*some_graph(triples))
    one = walks(triples)
    for step in range(6):
        rows, ends = ties.follow(step, np.arange(NODES))
        assert sorted(zip(rows, ends, strict=True)) == sorted((h, t) for h, s, t in one if s == step)
        sources = {h for h, s, _ in one if s == step}
        assert set(ties.sources(step)) == sources
        single = [h for h in sources if sum(s == step and g == h for g, s, _ in one) == 1]
        assert ties.single[step] == (len(single) / len(sources) if sources else 0)


def test_walked_back() -> None:
    ties = Ties.of(*some_graph([]))
    assert ties.turned(np.array([0, 1, 2, 3, 4])).tolist() == [3, 4, 2, 0, 1]


@given(st.lists(st.integers(-5, 5)))
def test_distinct(values: list[int]) -> None:
    assert distinct(np.array(values, dtype=np.int64)).tolist() == sorted(set(values))
