import numpy as np
import pandas as pd
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from relwise.data.edges import Edges
from relwise.data.graph import Graph, NodeType, Relation
from relwise.nn.build import build_model, prepare_inputs
from relwise.nn.messages import MessageGraph, message_graph, num_inverse_relations, stated
from relwise.settings import Settings
from tests.fakes import small_graph

NODES = 6
# Relation 0 directed, 1 undirected, 2 directed: the inverse relations are 3 (of 0) and 4 (of 2).
RELATIONS = (
    Relation("to", "node", "node"),
    Relation("with", "node", "node", False),
    Relation("by", "node", "node"),
)
INVERSE = {0: 3, 1: 1, 2: 4}


def graph_of(table) -> Graph:
    heads, relations, tails = np.array(table, dtype=np.int64).reshape(-1, 3).T
    node_type = NodeType("node", pd.Index([str(i) for i in range(NODES)], dtype=object))
    return Graph((node_type,), RELATIONS, Edges(heads, relations, tails))


def messages_of(messages: MessageGraph, keep: np.ndarray | None = None) -> list[tuple[int, int, int]]:
    """The (source, relation, target) of each message, sorted."""
    a = messages.adjacency
    target = torch.repeat_interleave(torch.arange(a.num_nodes), a.indptr.diff().long()).numpy()
    source, relation = (t[a.row.long()].numpy() for t in (a.row_source, a.row_relation))
    kept = np.ones(len(target), bool) if keep is None else keep[a.fact.numpy()]
    return sorted(zip(source[kept].tolist(), relation[kept].tolist(), target[kept].tolist(), strict=True))


EDGES = st.lists(
    st.tuples(st.integers(0, NODES - 1), st.integers(0, 2), st.integers(0, NODES - 1)),
    min_size=1,
    max_size=25,
)


def test_a_directed_relation_passes_back_under_an_inverse_of_its_own():
    graph = graph_of([(0, 0, 1), (2, 2, 3)])
    assert num_inverse_relations(graph) == 2
    messages = message_graph(graph, graph.edges)
    assert messages.adjacency.num_relations == 5
    assert messages_of(messages) == [(0, 0, 1), (1, 3, 0), (2, 2, 3), (3, 4, 2)]


def test_an_undirected_relation_passes_both_ways_under_its_one_index():
    graph = graph_of([(0, 1, 1)])
    assert messages_of(message_graph(graph, graph.edges)) == [(0, 1, 1), (1, 1, 0)]


def test_a_loop_is_one_message_of_an_undirected_relation_and_two_of_a_directed_one():
    graph = graph_of([(2, 1, 2), (2, 0, 2)])
    assert messages_of(message_graph(graph, graph.edges)) == [(2, 0, 2), (2, 1, 2), (2, 3, 2)]


def test_repeated_edges_carry_one_message():
    graph = graph_of([(0, 0, 1), (0, 0, 1), (3, 1, 2), (2, 1, 3), (3, 1, 2)])
    messages = message_graph(graph, graph.edges)
    assert messages_of(messages) == [(0, 0, 1), (1, 3, 0), (2, 1, 3), (3, 1, 2)]
    assert messages.num_facts == 2
    assert messages.facts.tolist() == [0, 0, 1, 1, 1]


def test_no_edges_make_no_messages():
    graph = graph_of([(0, 0, 1)])
    messages = message_graph(graph, Edges.empty())
    assert messages.adjacency.num_edges == messages.num_facts == len(messages.facts) == 0


@given(EDGES)
@settings(max_examples=60, deadline=None)
def test_the_messages_are_every_edge_and_its_return_once(table):
    graph = graph_of(table)
    there = {(h, r, t) for h, r, t in table}
    back = {(t, INVERSE[r], h) for h, r, t in table}
    assert messages_of(message_graph(graph, graph.edges)) == sorted(there | back)


@given(EDGES)
@settings(max_examples=60, deadline=None)
def test_masking_an_edges_fact_silences_it_its_reverse_and_both_their_messages_and_nothing_else(table):
    graph = graph_of(table)
    messages = message_graph(graph, graph.edges)
    everything = messages_of(messages)
    for (head, relation, tail), fact in zip(table, messages.facts, strict=True):
        keep = np.ones(messages.num_facts, dtype=bool)
        keep[fact] = False
        silent = {
            (a, r, b)
            for r in (relation, INVERSE[relation])
            for a, b in ((head, tail), (tail, head))
        }  # fmt: skip
        assert messages_of(messages, keep) == [message for message in everything if message not in silent]


@given(EDGES)
@settings(max_examples=40, deadline=None)
def test_two_edges_state_one_fact_exactly_if_they_tie_the_same_two_nodes_by_the_same_relation(table):
    graph = graph_of(table)
    messages = message_graph(graph, graph.edges)
    names = [(r, min(h, t), max(h, t)) for h, r, t in table]
    for i, one in enumerate(names):
        for j, other in enumerate(names):
            assert (messages.facts[i] == messages.facts[j]) == (one == other)
    assert set(messages.facts.tolist()) == set(range(messages.num_facts))


# -- no supervised edge in its own evidence --------------------------------------------------------------


def encode(graph, edges, supervised):
    """Node states of a step in which the `supervised` edges are masked from the messages of all `edges`."""
    config = Settings(dim=8)
    model = build_model(graph, config, seed=1).eval().double()
    inputs = [
        {name: t.double() if t.is_floating_point() else t for name, t in given.items()}
        for given in prepare_inputs(model, graph)
    ]
    messages = message_graph(graph, edges)
    keep = np.ones(messages.num_facts, dtype=bool)
    keep[messages.facts[supervised]] = False
    return model.encode(inputs, messages.adjacency, torch.from_numpy(keep)).detach()


@given(EDGES)
@settings(max_examples=40, deadline=None)
def test_the_distinct_edges_are_the_first_of_each_key_in_the_keys_order(table):
    graph = graph_of(table)
    messages = message_graph(graph, graph.edges)
    _, first = np.unique(graph.keys(graph.edges), return_index=True)
    assert messages.distinct.tolist() == first.tolist() == stated(graph, graph.edges)[0].tolist()


@given(EDGES, EDGES)
@settings(max_examples=30, deadline=None)
def test_what_the_supervised_edges_are_changes_no_node_state_of_the_step(supervised, rest):
    def fact(edge):
        return edge[1], min(edge[0], edge[2]), max(edge[0], edge[2])

    facts = {fact(edge) for edge in supervised}
    rest = [edge for edge in rest if fact(edge) not in facts]
    graph = graph_of(rest + supervised)
    with_them = encode(graph, graph.edges, np.arange(len(graph.edges)) >= len(rest))
    without = encode(graph, graph_of(rest).edges, np.zeros(len(rest), dtype=bool))
    reverse = graph_of(rest + [(t, r, h) for h, r, t in supervised])
    turned = encode(graph, reverse.edges, np.arange(len(graph.edges)) >= len(rest))
    torch.testing.assert_close(with_them, without, rtol=1e-9, atol=1e-12)
    torch.testing.assert_close(turned, without, rtol=1e-9, atol=1e-12)


def test_deleting_supervised_edges_changes_no_node_state_of_an_attributed_graph():
    graph = small_graph(0)
    # Both orientations of an undirected edge, and repeated edges, stand in the data.
    knows = graph.edges.relations == 2
    turned = Edges(graph.edges.tails[knows], graph.edges.relations[knows], graph.edges.heads[knows])
    plain = Edges(graph.edges.heads, graph.edges.relations, graph.edges.tails)
    edges = Edges.concatenate(plain, turned, plain[np.arange(30)])
    supervised = np.zeros(len(edges), dtype=bool)
    supervised[np.random.default_rng(0).choice(len(plain), 90, replace=False)] = True
    same = np.isin(graph.keys(edges), graph.keys(edges[supervised]))
    assert same.sum() > supervised.sum()
    masked = encode(graph, edges, supervised)
    deleted = encode(graph, edges[~same], np.zeros(int((~same).sum()), dtype=bool))
    torch.testing.assert_close(masked, deleted, rtol=1e-9, atol=1e-12)
    assert not torch.allclose(masked, encode(graph, edges, np.zeros(len(edges), dtype=bool)))
