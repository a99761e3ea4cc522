"""From a graph's training edges to the message graph: both ways, inverse relations added, facts told apart."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from relwise.data.edges import Edges
from relwise.data.graph import Graph
from relwise.kernels.adjacency import Adjacency, build_adjacency
from relwise.kernels.sorting import sort_by_key

Int32Array = npt.NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class MessageGraph:
    """What message passing sees of a graph.

    A directed relation r passes head to tail under r, and tail to head under an inverse relation of its own; an
    undirected one passes both ways under r. An edge, its reverse and both their messages are one *fact*: masking
    the fact silences them all.

    Args:
        adjacency: of N nodes and `num_message_relations` relations.
        facts: (n,) the fact that each edge given states.
        num_facts: F.
        distinct: the positions of the edges given that repeat none before, in the order of their keys (`edge_keys`);
            both orientations of an undirected edge are one.
    """

    adjacency: Adjacency
    facts: Int32Array
    num_facts: int
    distinct: Int32Array


def num_inverse_relations(graph: Graph) -> int:
    """How many inverse relations the model makes: one per directed relation."""
    return int(graph.directed.sum())


def message_ends(graph: Graph) -> list[tuple[int, int]]:
    """The node types, by their index, of each message relation's sources and of its targets; inverse ones behind.

    >>> message_ends(Graph.from_triples([("a", "to", "b")]))
    [(0, 0), (0, 0)]
    """
    ends = [(graph.type_index[relation.head], graph.type_index[relation.tail]) for relation in graph.relations]
    return ends + [(tail, head) for (head, tail), there in zip(ends, graph.directed, strict=True) if there]


def message_graph(graph: Graph, edges: Edges) -> MessageGraph:
    """The message graph of `edges`.

    Args:
        graph: which says the relations.
        edges: the n edges that carry messages; repeated statements of one fact carry one message.

    >>> graph = Graph.from_triples([("a", "to", "b"), ("b", "to", "a"), ("b", "to", "c")])
    >>> messages = message_graph(graph, graph.edges)
    >>> messages.adjacency.num_edges, messages.adjacency.num_relations, messages.facts.tolist()
    (6, 2, [0, 0, 1])
    """
    heads, relations, tails = (a.astype(np.int32) for a in (edges.heads, edges.relations, edges.tails))
    order, begins = _by_key(heads, relations, tails, graph, turned=(heads > tails) & ~graph.directed[relations])
    distinct = order[begins]
    if graph.directed.any():
        order, begins = _by_key(heads, relations, tails, graph, turned=heads > tails)
    facts = np.empty(len(edges), np.int32)
    facts[order] = np.cumsum(begins, dtype=np.int32) - np.int32(1)
    num_facts = int(begins.sum())
    del order, begins
    heads, relations, tails = heads[distinct], relations[distinct], tails[distinct]
    inverse = np.cumsum(graph.directed) - 1 + graph.num_relations
    back = np.where(graph.directed, inverse, np.arange(graph.num_relations)).astype(np.int32)
    both, fact = _there_and_back(graph, heads, relations, tails), facts[distinct]
    arrays = (
        np.concatenate([heads, tails[both]]),
        np.concatenate([tails, heads[both]]),
        np.concatenate([relations, back[relations[both]]]),
        np.concatenate([fact, fact[both]]),
    )
    del heads, relations, tails, fact, both
    source, target, relation, of_fact = map(torch.from_numpy, arrays)
    count = graph.num_relations + num_inverse_relations(graph)
    adjacency = build_adjacency(source, target, relation, graph.num_nodes, count, of_fact)
    return MessageGraph(adjacency, facts, num_facts, distinct)


def stated(graph: Graph, edges: Edges) -> tuple[Int32Array, npt.NDArray[np.bool_]]:
    """Which edges pass messages: the first statement of each fact; and which of those pass one back, too."""
    heads, relations, tails = (a.astype(np.int32) for a in (edges.heads, edges.relations, edges.tails))
    order, begins = _by_key(heads, relations, tails, graph, turned=(heads > tails) & ~graph.directed[relations])
    first = order[begins]
    return first, _there_and_back(graph, heads[first], relations[first], tails[first])


def _there_and_back(graph: Graph, heads: Int32Array, relations: Int32Array, tails: Int32Array) -> npt.NDArray[np.bool_]:
    """(n,) which edges pass messages both ways. A self-loop of an undirected relation is one message, not two."""
    return graph.directed[relations] | (heads != tails)


def _by_key(
    heads: Int32Array, relations: Int32Array, tails: Int32Array, graph: Graph, turned: npt.NDArray[np.bool_]
) -> tuple[Int32Array, npt.NDArray[np.bool_]]:
    """(n,) positions by relation, head and tail, those two exchanged where `turned`, in the given order among equals.

    And (n,) whether each differs from the one before it.
    """
    first, second = np.where(turned, tails, heads), np.where(turned, heads, tails)
    # Counting sorts, each of which keeps the order of the one before among equals.
    order = sort_by_key(second, graph.num_nodes)[1]
    for keys, size in ((first, graph.num_nodes), (relations, graph.num_relations)):
        sorted_keys = keys[order]
        order = order[sort_by_key(sorted_keys, size)[1]]
    begins = np.zeros(len(order), dtype=bool)
    begins[:1] = True
    for keys in (first, second, relations):
        sorted_keys = keys[order]
        begins[1:] |= sorted_keys[1:] != sorted_keys[:-1]
    return order, begins
