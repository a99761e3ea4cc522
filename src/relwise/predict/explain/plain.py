"""Occlusion in networks other than RelGNN: the network itself, on the part of the graph that two nodes depend on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from relwise.data.graph import Graph
from relwise.kernels.adjacency import Adjacency, build_adjacency
from relwise.nn.encoders import GATNE, HAN, Lookup
from relwise.nn.network import Network
from relwise.predict.explain.cone import expand
from relwise.predict.explain.layers import Floats, Ints
from relwise.predict.explain.occlusion import Case
from relwise.predict.explain.states import MessageArrays

MOST = 40_000  # messages that are passed on in one run; nodes of many neighbours are then left without some
TRIED = 24  # ties of the two ends that are silenced: each is a run


def why_not(network: Network) -> str:
    """Why a network's ties cannot be silenced one by one; empty where they can."""
    if isinstance(network, Lookup):
        return "it passes no messages"
    # A relation's weight is a mean over all nodes of a type: no part of the graph gives the same states.
    return "its relations' weights hang on all nodes at once" if isinstance(network, HAN) else ""


class Tie(NamedTuple):
    """A fact that touches an end of what is asked.

    Args:
        fact: the fact.
        source, relation, target: its message into that end.
        side: 1 where the end is the head, 2 the tail, 3 both.
    """

    fact: int
    source: int
    relation: int
    target: int
    side: int


@dataclass(frozen=True, eq=False)
class Plain:
    """The logit of one edge under one supposition or another, by the network itself on a part of the graph.

    Args:
        network: the network.
        adjacency: the messages that get to the two ends.
        nodes: (n,) the node indices, ascending; elsewhere nodes are their places here.
        ends: head and tail.
        start: (n, d) h^(0).
        sizes: how many of the nodes each type has.
        relation: the edge's relation index.
        own: the fact that the edge itself states; -1 where it is none.
        facts: the message graph's number of each fact here.
        depth: how many layers there are.
        cut: how many nodes' messages are left out for being too many.
    """

    network: Network
    adjacency: Adjacency
    nodes: Ints
    ends: tuple[int, int]
    start: Tensor
    sizes: tuple[int, ...]
    relation: int
    own: int
    facts: Ints
    depth: int
    cut: int

    @torch.no_grad()
    def logits(self, cases: Sequence[Case]) -> Floats:
        """(B,) the logit in each case, the edge itself silent."""
        found = []
        for case in cases:
            keep = torch.ones(max(1, len(self.facts)), dtype=torch.bool)
            keep[list(case.silent)] = False
            if self.own >= 0:
                keep[self.own] = False
            start = self.start.clone()
            for node, state in case.start.items():
                start[node] = torch.from_numpy(state)
            states = self.network.propagate(start, self.adjacency, keep, None, self.sizes)
            index = (torch.tensor([i]) for i in (self.ends[0], self.relation, self.ends[1]))
            found.append(float(self.network.decoder(states, *index)))
        return np.array(found, dtype=np.float32)

    def ties(self) -> list[Tie]:
        """The facts that touch an end, but the edge itself.

        Those whose other end has few ties come first: of many, one more says little.
        """
        arrays, found = MessageArrays.of(self.adjacency), dict[int, Tie]()
        for bit, end in enumerate(self.ends, start=1):
            for e in range(*arrays.indptr[end : end + 2].tolist()):
                fact = int(arrays.fact[e])
                if fact != self.own:
                    side = bit | (found[fact].side if fact in found else 0)
                    found[fact] = Tie(fact, int(arrays.source[e]), int(arrays.relation[e]), end, side)
        degree = np.diff(arrays.indptr)
        return sorted(found.values(), key=lambda tie: degree[tie.source])


def plain_of(
    network: Network, start: Tensor, graph: Graph, arrays: MessageArrays, edge: tuple[int, int, int], own: int | None
) -> Plain:
    """The part of a graph that an edge's two ends depend on.

    Args:
        network: the network.
        start: (N, d) h^(0) of all nodes.
        graph: for the types of nodes.
        arrays: the message graph.
        edge: head, relation, tail.
        own: the fact that the edge states; None where it is no message.
    """
    head, relation, tail = edge
    depth = len(network.levels) if isinstance(network, GATNE) else len(network.layers)  # pyright: ignore[reportArgumentType]
    wanted = ends = np.unique([head, tail])
    position, cut = np.empty(0, np.int64), 0
    for _ in range(depth):
        others = np.setdiff1d(wanted, ends)
        counts = arrays.indptr[others + 1] - arrays.indptr[others]
        order = np.argsort(counts, kind="stable")
        kept = np.union1d(ends, others[order[np.cumsum(counts[order]) <= MOST]])
        cut = len(wanted) - len(kept)
        position = expand(arrays.indptr[kept], arrays.indptr[kept + 1] - arrays.indptr[kept])[0]
        wanted = np.union1d(kept, arrays.source[position])
    target = np.searchsorted(arrays.indptr, position, side="right") - 1
    facts = np.unique(arrays.fact[position]).astype(np.int64)
    nodes = np.union1d(wanted, ends).astype(np.int64)
    tensors = [
        torch.from_numpy(np.ascontiguousarray(array))
        for array in (
            np.searchsorted(nodes, arrays.source[position]),
            np.searchsorted(nodes, target),
            arrays.relation[position],
            np.searchsorted(facts, arrays.fact[position]),
        )
    ]
    source, sink, kind, fact = tensors
    adjacency = build_adjacency(source, sink, kind, len(nodes), network.num_relations, fact)
    places = np.searchsorted(nodes, [head, tail])
    place = -1 if own is None else int(np.searchsorted(facts, own))
    sizes = tuple(np.diff(np.searchsorted(nodes, graph.offsets)).tolist())
    return Plain(
        network, adjacency, nodes, (int(places[0]), int(places[1])), start[torch.from_numpy(nodes)], sizes, relation,
        place, facts, depth, cut,
    )  # fmt: skip
