"""From a graph and settings to a network and its inputs; and back from a stored description."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from relwise.data.graph import Graph
from relwise.nn.attributes import TypeEncoder
from relwise.nn.decoders import ComplEx, DistMult
from relwise.nn.messages import num_inverse_relations
from relwise.nn.model import RelGNN
from relwise.settings import Settings


def build_model(graph: Graph, settings: Settings, seed: int) -> RelGNN:
    """A network for the graph's types and relations, its weights drawn by `seed`.

    The attribute encoders learn their statistics and vocabularies from the graph's attributes; nothing of the
    edges enters.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        encoders = [
            TypeEncoder.fit(t, settings.dim, learnt=True if settings.node_embedding else None) for t in graph.node_types
        ]
        return _assemble(encoders, graph.num_relations, num_inverse_relations(graph), settings)


def rebuild_model(description: dict[str, Any], settings: Settings) -> RelGNN:
    """The network that `describe_model` described, its weights yet to be loaded."""
    encoders = [TypeEncoder.from_config(config) for config in description["encoders"]]
    return _assemble(encoders, description["num_relations"], description["num_inverse"], settings)


def describe_model(model: RelGNN) -> dict[str, Any]:
    """All of a network that is neither a setting nor a weight, as JSON can hold it."""
    return {
        "encoders": [encoder.config() for encoder in model.encoders if isinstance(encoder, TypeEncoder)],
        "num_relations": len(model.decoder.relation),
        "num_inverse": len(model.inverse_state),
    }


def prepare_inputs(model: RelGNN, graph: Graph) -> list[dict[str, Tensor]]:
    """Each node type's attributes as its encoder takes them, computed once per graph."""
    return [
        encoder.prepare(node_type)
        for encoder, node_type in zip(model.encoders, graph.node_types, strict=True)
        if isinstance(encoder, TypeEncoder)
    ]


def _assemble(encoders: Sequence[TypeEncoder], num_relations: int, num_inverse: int, settings: Settings) -> RelGNN:
    decoder = ComplEx if settings.decoder == "complex" else DistMult
    return RelGNN(
        encoders,
        decoder(num_relations, settings.dim),
        num_inverse,
        settings.dim,
        settings.layers,
        settings.heads,
        settings.num_bases(num_relations + num_inverse),
        settings.dropout,
        settings.precision,
    )
