"""From a graph and settings to a network and its inputs; and back from a stored description."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from relwise.data.edges import Edges
from relwise.data.graph import Graph
from relwise.kernels.adjacency import Adjacency
from relwise.nn.attributes import Ragged, TextChoice, TypeEncoder
from relwise.nn.decoders import BothWays, ComplEx, ConvE, Decoder, DistMult, RotatE, Slices, TransE
from relwise.nn.degrees import DegreeEncoder
from relwise.nn.edge_encoder import EdgeEncoder, EdgeInputs
from relwise.nn.encoders import GATNE, HAN, HGT, RGAT, RGCN, Lookup, TypedNetwork
from relwise.nn.encoders.gatne import start_width
from relwise.nn.encoders.typed import Ends
from relwise.nn.messages import message_ends, num_inverse_relations, stated
from relwise.nn.model import RelGNN
from relwise.nn.network import Network
from relwise.settings import DecoderName, Settings

DECODERS: dict[DecoderName, Callable[[int, int], Decoder]] = {
    "distmult": DistMult, "complex": ComplEx, "conve": ConvE, "rotate": RotatE, "transe": TransE,
}  # fmt: skip


def build_model(graph: Graph, settings: Settings, seed: int, message: Edges | None = None) -> Network:
    """A network for the graph's types and relations, its weights drawn by `seed`.

    The attribute encoders learn their statistics and vocabularies from the graph's attributes. Of the edges only the
    `message` edges enter: a node that none of them has gets no learnt vector of its own, and what is to be known of the
    edges' own attributes is learnt from theirs. Where none are given, all nodes get one, and the network does not read
    the edges' attributes.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        encoders = [_fit_encoder(graph, i, settings, message) for i in range(len(graph.node_types))]
        of_edges = None
        if message is not None and settings.encoder == "relgnn":
            of_edges = EdgeEncoder.fit(graph, message, text=_text_choice(settings))
        decoder, count = _decoder(settings, graph.num_relations, ~graph.directed), num_inverse_relations(graph)
        return _assemble(encoders, of_edges, decoder, count, message_ends(graph), settings)


def rebuild_model(description: dict[str, Any], settings: Settings) -> Network:
    """The network that `describe_model` described, its weights yet to be loaded."""
    encoders = [TypeEncoder.from_config(config) for config in description["encoders"]]
    described = description.get("edge_encoder")
    of_edges = None if described is None else EdgeEncoder.from_config(described)
    count, ends = description["num_inverse"], description.get("message_ends") or []
    # A network described before there was such a line scores one way, as it learnt to.
    undirected = description.get("both_ways") or [False] * description["num_relations"]
    decoder = _decoder(settings, description["num_relations"], undirected)
    return _assemble(encoders, of_edges, decoder, count, ends, settings)


def describe_model(model: Network) -> dict[str, Any]:
    """All of a network that is neither a setting nor a weight, as JSON can hold it."""
    return {
        "encoders": [encoder.config() for encoder in model.encoders if isinstance(encoder, TypeEncoder)],
        "edge_encoder": None if model.edge_encoder is None else model.edge_encoder.config(),
        "num_relations": len(model.decoder.relation),
        "num_inverse": model.num_inverse,
        "both_ways": model.decoder.undirected.tolist() if isinstance(model.decoder, BothWays) else None,
        "message_ends": model.ends if isinstance(model, TypedNetwork) else None,
    }


def prepare_inputs(model: Network, graph: Graph) -> list[dict[str, Tensor | Ragged]]:
    """Each node type's attributes as its encoder takes them, computed once per graph; on the network's device."""
    device = model.decoder.relation.device
    return [
        {name: prepared.to(device) for name, prepared in encoder.prepare(node_type).items()}
        for encoder, node_type in zip(model.encoders, graph.node_types, strict=True)
        if isinstance(encoder, TypeEncoder)
    ]


def prepare_edges(model: Network, graph: Graph, message: Edges, adjacency: Adjacency) -> EdgeInputs | None:
    """The attributes of the `message` edges, whose messages `adjacency` sorts, as the network's encoder takes them."""
    if model.edge_encoder is None:
        return None
    first, both = stated(graph, message)
    return model.edge_encoder.prepare(graph, message[first], adjacency, both)


def _fit_encoder(graph: Graph, index: int, settings: Settings, message: Edges | None) -> TypeEncoder:
    """The encoder of one node type."""
    begin, end = (int(offset) for offset in graph.offsets[index : index + 2])
    new = None
    if message is not None:
        new = np.ones(end - begin, dtype=bool)
        for ends in (message.heads, message.tails):
            new[ends[(begin <= ends) & (ends < end)] - begin] = False
    return TypeEncoder.fit(
        graph.node_types[index],
        _width(settings, graph.num_relations + num_inverse_relations(graph)),
        learnt=True if settings.node_embedding else None,
        std=settings.embedding_std,
        dropout=settings.embedding_dropout,
        new=new,
        text=_text_choice(settings),
    )


def _text_choice(settings: Settings) -> TextChoice:
    return TextChoice(settings.text, settings.text_model)


def _assemble(
    encoders: Sequence[TypeEncoder],
    edge_encoder: EdgeEncoder | None,
    decoder: Decoder,
    num_inverse: int,
    ends: Ends,
    settings: Settings,
) -> Network:
    dim, share, layers, heads = settings.dim, settings.dropout, settings.layers, settings.heads
    count = len(decoder.relation) + num_inverse
    common, bases = (encoders, decoder, num_inverse, dim), settings.num_bases(count)
    if settings.encoder == "lookup":
        network: Network = Lookup(*common, share)
    elif settings.encoder == "rgcn":
        network = RGCN(*common, share, layers, bases)
    elif settings.encoder == "rgat":
        network = RGAT(*common, share, layers, heads, bases)
    elif settings.encoder in ("han", "hgt"):
        network = (HAN if settings.encoder == "han" else HGT)(*common, ends, share, layers, heads)
    elif isinstance(decoder, Slices):
        network = GATNE(encoders, decoder, num_inverse, share, layers)
    else:
        network = RelGNN(*common, layers, heads, bases, share, settings.precision, edge_encoder)
    if settings.degrees:
        network.degrees = DegreeEncoder(network.num_relations, _width(settings, network.num_relations))
    return network


def _decoder(settings: Settings, num_relations: int, undirected: Sequence[bool] | npt.NDArray[np.bool_]) -> Decoder:
    """The settings' decoder, which gives an undirected edge one logit."""
    made = (Slices if settings.encoder == "gatne" else DECODERS[settings.decoder])(num_relations, settings.dim)
    if made.symmetric or not any(undirected):
        return made
    return BothWays(made, torch.as_tensor(undirected))


def _width(settings: Settings, num_message_relations: int) -> int:
    """How many numbers the attributes of a node give."""
    return start_width(settings.dim, num_message_relations) if settings.encoder == "gatne" else settings.dim
