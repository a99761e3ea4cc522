"""The graphs that speed is measured on, each the same in every process: edges as plain arrays, made without loops."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch

from data import benchmark_folder
from relwise.data.edges import Edges
from relwise.data.graph import Graph, NodeType, Relation, SplitRule
from relwise.data.read import read
from relwise.data.split import LabelledEdges, Split, split_graph
from relwise.kernels.adjacency import Adjacency, build_adjacency, edge_targets
from relwise.nn.messages import message_graph

YOUTUBE_NODES, YOUTUBE_EDGES, YOUTUBE_RELATIONS = 2_000, 1_310_617, 5
EDGES_A_NODE = 10  # of the power-law graphs: 50M edges, 5M nodes
RELATIONS = 2  # of the power-law graphs
SKEW = 0.6  # the i-th node's degree falls as i^-SKEW: degrees are a power law of exponent 1 + 1 / SKEW = 2.7
CHUNK = 1 << 22  # edges drawn at a time
POWERS = {"power-law-20k": 20_000, "power-law-1M": 10**6, "power-law-10M": 10**7, "power-law-50M": 5 * 10**7}


@dataclass(frozen=True, eq=False)
class Messages:
    """The edges that carry messages, the same for ours and for every peer.

    Args:
        source, target, relation: (E,) int32.
        num_nodes: N.
        num_relations: R.
    """

    source: npt.NDArray[np.int32]
    target: npt.NDArray[np.int32]
    relation: npt.NDArray[np.int32]
    num_nodes: int
    num_relations: int

    def __len__(self) -> int:
        return len(self.source)

    def adjacency(self) -> Adjacency:
        source, target, relation = (torch.from_numpy(a) for a in (self.source, self.target, self.relation))
        return build_adjacency(source, target, relation, self.num_nodes, self.num_relations)


def messages(name: str) -> Messages:
    """A graph's messages by its name: amazon, youtube-size, tiny, or one of `POWERS`."""
    if name == "amazon":
        graph = read(benchmark_folder("amazon"))
        return of_adjacency(message_graph(graph, split_graph(graph, 0).message).adjacency)
    if name == "youtube-size":
        return both_ways(distinct(YOUTUBE_EDGES, YOUTUBE_NODES, YOUTUBE_RELATIONS, skew=0.0, seed=0))
    if name == "tiny":
        return both_ways(distinct(600, 50, 3, skew=0.3, seed=0))
    # Each edge one message: what is flat or not is a matter of the edges that are read.
    return distinct(POWERS[name], POWERS[name] // EDGES_A_NODE, RELATIONS, SKEW, seed=0)


def of_adjacency(adjacency: Adjacency) -> Messages:
    """Its edges again, sorted by target."""
    row = adjacency.row.long()
    source, relation = (t[row].numpy().astype(np.int32) for t in (adjacency.row_source, adjacency.row_relation))
    target = edge_targets(adjacency.indptr, adjacency.num_edges).numpy().astype(np.int32)
    return Messages(source, target, relation, adjacency.num_nodes, adjacency.num_relations)


def both_ways(one: Messages) -> Messages:
    """Each edge and its reverse, under one relation."""
    return Messages(
        np.concatenate([one.source, one.target]),
        np.concatenate([one.target, one.source]),
        np.concatenate([one.relation, one.relation]),
        one.num_nodes,
        one.num_relations,
    )


def distinct(count: int, num_nodes: int, num_relations: int, skew: float, seed: int) -> Messages:
    """Exactly `count` different edges, none from a node to itself, no edge the reverse of another.

    Ends are drawn with probability ~ i^-skew (as of Chung and Lu), nodes numbered at random so that hubs do not
    stand together. In the order of their source, as data often come.
    """
    rng = np.random.default_rng(seed)
    name = rng.permutation(num_nodes).astype(np.int64)
    keys = np.empty(0, np.int64)
    while len(keys) < count:
        drawn = [keys]
        missing = int((count - len(keys)) * 1.1) + 1000
        for begin in range(0, missing, CHUNK):
            size = min(CHUNK, missing - begin)
            one, other = (name[_ends(rng, size, num_nodes, skew)] for _ in range(2))
            relation = rng.integers(0, num_relations, size)
            low, high = np.minimum(one, other), np.maximum(one, other)
            drawn.append(((relation * num_nodes + low) * num_nodes + high)[low != high])
        keys = np.concatenate(drawn)
        del drawn
        keys.sort()
        keys = keys[np.flatnonzero(np.diff(keys, prepend=-1))]
    if len(keys) > count:
        keep = np.ones(len(keys), bool)
        keep[rng.choice(len(keys), len(keys) - count, replace=False)] = False
        keys = keys[keep]
    low, high = ((keys // num_nodes) % num_nodes).astype(np.int32), (keys % num_nodes).astype(np.int32)
    keys //= num_nodes * num_nodes
    turned = rng.random(count, np.float32) < 0.5
    source, target = np.where(turned, high, low), np.where(turned, low, high)
    order = np.argsort(source, kind="stable")
    return Messages(source[order], target[order], keys.astype(np.int32)[order], num_nodes, num_relations)


def _ends(rng: np.random.Generator, count: int, num_nodes: int, skew: float) -> npt.NDArray[np.int64]:
    drawn = rng.random(count)
    drawn **= 1 / (1 - skew)
    drawn *= num_nodes
    return np.minimum(drawn.astype(np.int64), num_nodes - 1)


def training_data(name: str) -> tuple[Graph, Split]:
    """A graph to train on: `amazon` as it is given, else undirected edges without attributes, split by no one.

    Of a synthetic graph every edge is a training edge; a thousand of them and as many that do not hold stand for
    the validation edges that the trainer asks for.
    """
    if name == "amazon":
        graph = read(benchmark_folder("amazon"))
        return graph, split_graph(graph, 0)
    known = messages(name)
    heads, relations, tails = (a.astype(np.int64) for a in (known.source, known.relation, known.target))
    edges = Edges(heads, relations, tails)
    del heads, relations, tails
    ids = pd.Index(np.char.mod("%d", np.arange(known.num_nodes)))
    graph = Graph(
        (NodeType("node", ids),),
        tuple(Relation(f"r{i}", "node", "node", directed=False) for i in range(known.num_relations)),
        edges,
        split_rule=SplitRule("random"),
    )
    return graph, _all_for_training(graph)


def _all_for_training(graph: Graph) -> Split:
    rng = np.random.default_rng(0)
    true = graph.edges[np.sort(rng.choice(len(graph.edges), min(1000, len(graph.edges)), replace=False))]
    false = Edges(rng.permutation(true.heads), true.relations, true.tails)
    labels = np.repeat([True, False], [len(true), len(false)])
    part = LabelledEdges(Edges.concatenate(true, false), labels)
    return Split(graph.edges, np.ones(len(graph.edges), bool), part, part, graph.edges)
