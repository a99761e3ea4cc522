"""The small graph as PyG has it: states by node type, edges by relation, made without any of relwise's adjacency."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from relwise.data.graph import Graph
from relwise.nn.messages import MessageGraph


def by_type(graph: Graph, states: Tensor) -> dict[str, Tensor]:
    """States by `t<i>`."""
    return {f"t{i}": part for i, part in enumerate(states.split([len(t) for t in graph.node_types]))}


def by_relation(graph: Graph, messages: MessageGraph, keep: Tensor | None = None) -> dict[tuple[str, str, str], Tensor]:
    """Edges by message relation, `("t<i>", "r<k>", "t<j>")`, those of masked facts deleted."""
    edges = graph.edges if keep is None else graph.edges[keep.numpy()[messages.facts]]
    links, back = {}, []
    for code, relation in enumerate(graph.relations):
        ends = [graph.type_index[name] for name in (relation.head, relation.tail)]
        own = edges[edges.relations == code]
        pair = np.stack([own.heads - graph.offsets[ends[0]], own.tails - graph.offsets[ends[1]]])
        if relation.directed:
            back.append((ends[1], ends[0], pair[::-1].copy()))
        else:
            pair = np.concatenate([pair, pair[::-1]], axis=1)
        links[f"t{ends[0]}", f"r{code}", f"t{ends[1]}"] = torch.from_numpy(pair)
    for code, (source, target, pair) in enumerate(back, start=graph.num_relations):
        links[f"t{source}", f"r{code}", f"t{target}"] = torch.from_numpy(pair)
    return links


def random_keep(messages: MessageGraph, share: float | None) -> Tensor | None:
    """Which facts carry messages."""
    generator = torch.Generator().manual_seed(1)
    return None if share is None else torch.rand(messages.num_facts, generator=generator) < share
