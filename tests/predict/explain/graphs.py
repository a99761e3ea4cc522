"""Small trained networks to explain, and the same occlusions by the network's own kernels on the whole graph."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from relwise.data.graph import Attribute, Graph
from relwise.predict.explain import Explainer, explainer_of
from relwise.predict.explain.occlusion import Occlusion
from relwise.predictor import RelationshipPredictor
from tests.fakes import small_graph
from tests.small_data import TINY

VARIANTS: dict[str, dict[str, Any]] = {
    "one layer": {"layers": 1},
    "two layers": {},
    "three layers": {"layers": 3, "heads": 1},
    "bases": {"bases": 3},
    "degrees": {"degrees": True},
    "complex": {"decoder": "complex", "node_embedding": True},
    "bf16": {"precision": "bf16"},
}


def trained(variant: str = "two layers", edge_attributes: bool = False) -> RelationshipPredictor:
    """A network on the small graph."""
    graph = with_edge_attributes(small_graph()) if edge_attributes else small_graph()
    return RelationshipPredictor(0, **{**TINY, **VARIANTS[variant]}).fit(graph)


def with_edge_attributes(graph: Graph) -> Graph:
    """The graph with a number on each edge of its first relation."""
    count = int((graph.edges.relations == 0).sum())
    values = np.random.default_rng(3).normal(size=count)
    return replace(graph, edge_attributes={0: (Attribute("amount", "numeric", values),)})


@torch.no_grad()
def whole_logit(
    model: RelationshipPredictor, edge: tuple[int, int, int], silent: Iterable[int] = (), inputs: list | None = None
) -> float:
    """The logit by the whole network, facts of the message graph silent.

    Args:
        model: the run.
        edge: head, relation, tail.
        silent: facts.
        inputs: the nodes' prepared attributes; None: as they are.
    """
    prepared, adjacency, edge_inputs = model._prepared()
    keep = torch.ones(adjacency.num_facts, dtype=torch.bool)
    keep[list(silent)] = False
    nodes = model.network.encode(prepared if inputs is None else inputs, adjacency, keep, edge_inputs)
    return float(model.network.decoder(nodes, *(torch.tensor([index]) for index in edge)))


def asked(model: RelationshipPredictor, explainer: Explainer, edge: tuple[int, int, int]) -> list[int]:
    """The fact that an edge states itself, as a list; empty where it is none."""
    fact = explainer.fact(*edge)
    return [] if fact is None else [fact]


def some_edges(model: RelationshipPredictor) -> list[tuple[int, int, int]]:
    """Edges of every kind: messages of each relation, test edges, pairs that are no edges."""
    message, test = model.split.message, model.split.test.edges
    rows = [int(np.flatnonzero(message.relations == r)[1]) for r in np.unique(message.relations)]
    found = [(message.heads[i], message.relations[i], message.tails[i]) for i in rows]
    found += [(test.heads[i], test.relations[i], test.tails[i]) for i in (0, len(test) // 2, len(test) - 1)]
    found += [(0, 0, 40), (5, 2, 7)]
    return [(int(h), int(r), int(t)) for h, r, t in found]


def occlusion_of(model: RelationshipPredictor, edge: tuple[int, int, int]) -> Occlusion:
    return explainer_of(model).occlusion(*edge)
