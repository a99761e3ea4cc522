"""From a graph's training edges to the message graph: both ways, inverse relations added, facts told apart."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from relwise.data.edges import Edges, edge_keys
from relwise.data.graph import Graph
from relwise.kernels.adjacency import Adjacency, build_adjacency


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
    """

    adjacency: Adjacency
    facts: npt.NDArray[np.int64]
    num_facts: int


def num_inverse_relations(graph: Graph) -> int:
    """How many inverse relations the model makes: one per directed relation."""
    return int(graph.directed.sum())


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
    first, both = stated(graph, edges)
    undirected = np.zeros(graph.num_relations, dtype=bool)
    fact_keys = edge_keys(edges.heads, edges.relations, edges.tails, graph.num_nodes, undirected)
    distinct, facts = np.unique(fact_keys, return_inverse=True)
    unique, fact = edges[first], facts[first]
    inverse = np.cumsum(graph.directed) - 1 + graph.num_relations
    back = np.where(graph.directed, inverse, np.arange(graph.num_relations))[unique.relations]
    arrays = (
        np.concatenate([unique.heads, unique.tails[both]]),
        np.concatenate([unique.tails, unique.heads[both]]),
        np.concatenate([unique.relations, back[both]]),
        np.concatenate([fact, fact[both]]),
    )
    source, target, relation, of_fact = (torch.from_numpy(np.ascontiguousarray(a)) for a in arrays)
    count = graph.num_relations + num_inverse_relations(graph)
    return MessageGraph(
        build_adjacency(source, target, relation, graph.num_nodes, count, of_fact), facts, len(distinct)
    )


def stated(graph: Graph, edges: Edges) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """Which edges pass messages: the first statement of each fact; and which of those pass one back, too.

    A self-loop of an undirected relation is one message, not two.
    """
    _, first = np.unique(graph.keys(edges), return_index=True)
    heads, relations, tails = edges.heads[first], edges.relations[first], edges.tails[first]
    return first, graph.directed[relations] | (heads != tails)
