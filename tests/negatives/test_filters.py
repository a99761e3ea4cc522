import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from relwise.data.edges import Edges
from relwise.data.graph import Graph, NodeType, Relation
from relwise.negatives import KnownEdges
from tests.fakes import small_graph

SIZES = {"a": 4, "b": 3}
RELATIONS = (
    Relation("across", "a", "b"),
    Relation("within", "a", "a"),
    Relation("with", "b", "b", directed=False),
    Relation("also", "a", "a", directed=False),
    Relation("back", "b", "a"),
)
RANGE = {"a": range(0, 4), "b": range(4, 7)}


def graph_of(edges: list[tuple[int, int, int]]) -> Graph:
    types = tuple(NodeType(n, pd.Index([f"{n}{i}" for i in range(size)], dtype=object)) for n, size in SIZES.items())
    return Graph(types, RELATIONS, edges_of(edges))


def edges_of(rows) -> Edges:
    heads, relations, tails = np.array(sorted(rows), dtype=np.int64).reshape(-1, 3).T
    return Edges(heads, relations, tails)


ALL = [(h, r, t) for r, relation in enumerate(RELATIONS) for h in RANGE[relation.head] for t in RANGE[relation.tail]]


@st.composite
def known_edges(draw):
    """Any share of all possible edges, loops and both orientations included."""
    share, random = draw(st.sampled_from([0.1, 0.5, 0.8, 0.95, 1.0])), draw(st.randoms(use_true_random=False))
    return [edge for edge in ALL if random.random() < share]


def stated(known, head, relation, tail):
    return (head, relation, tail) in known or (not RELATIONS[relation].directed and (tail, relation, head) in known)


@given(known_edges())
@settings(max_examples=15, deadline=None)
def test_contains_says_exactly_what_is_known_in_both_orientations_of_an_undirected_relation(known):
    filter_ = KnownEdges(graph_of(known), edges_of(known))
    for edge in ALL:
        assert filter_.contains(*edge) == stated(set(known), *edge)


@given(known_edges())
@settings(max_examples=40, deadline=None)
def test_replaceable_says_whether_some_node_of_the_type_makes_an_unknown_edge(known):
    graph, asked = graph_of(known), edges_of(ALL)
    filter_, known = KnownEdges(graph, edges_of(known)), set(known)
    head, tail = filter_.replaceable(asked, "head"), filter_.replaceable(asked, "tail")
    for i, (h, r, t) in enumerate(zip(asked.heads, asked.relations, asked.tails, strict=True)):
        heads, tails = RANGE[RELATIONS[r].head], RANGE[RELATIONS[r].tail]
        assert head[i] == any(n != t and not stated(known, n, r, t) for n in heads)
        assert tail[i] == any(n != h and not stated(known, h, r, n) for n in tails)


def test_no_known_edges_refuse_nothing():
    graph = small_graph(0)
    known = KnownEdges(graph, Edges.empty())
    assert not known.contains(0, 0, 30)
    assert known.replaceable(graph.edges, "head").all()
    assert known.replaceable(graph.edges, "tail").all()
    assert known.replaceable(Edges.empty(), "tail").shape == (0,)
