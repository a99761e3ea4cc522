"""A device's step on PyTorch's meta device, whose tensors have shapes and no numbers: it needs no GPU.

What mixes devices fails there, and so does what reads a number: on a GPU that waits, and cannot be recorded.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any, get_args

import pytest
import torch
from torch import Tensor

from relwise.data.graph import Graph
from relwise.data.split import split_graph
from relwise.kernels.adam import Adam
from relwise.nn.attributes.learnt import NEW, LearntEmbedding
from relwise.nn.encoders import gatne, rgcn
from relwise.settings import DecoderName, Settings
from relwise.train.loop import Trainer
from relwise.train.place import OnDevice, record
from tests.fakes import graph_with_amounts, small_graph

META = torch.device("meta")
NO_NUMBERS = r"no data|meta_nonzero|on a meta tensor|item\(\)"
RECORDED: dict[str, dict[str, Any]] = {
    "relgnn": {},
    "relgnn of bases": {"bases": 2},
    "relgnn with degrees": {"degrees": True},
    "relgnn with learnt vectors": {"node_embedding": True, "embedding_dropout": 0.1},
    "relgnn, bfloat16": {"precision": "bf16"},
    "rgcn": {"encoder": "rgcn"},
    "rgcn of bases": {"encoder": "rgcn", "bases": 2},
    "gatne": {"encoder": "gatne"},
    "lookup": {"encoder": "lookup"},
}


def moved(value: Any) -> Any:
    """What holds tensors, with these on the device."""
    if isinstance(value, Mapping):
        return {name: moved(part) for name, part in value.items()}
    if isinstance(value, list):
        return [moved(part) for part in value]
    if hasattr(value, "to"):
        return value.to(META)
    return (
        replace(value, **{f.name: moved(getattr(value, f.name)) for f in fields(value)})
        if is_dataclass(value)
        else value
    )


def on_meta(graph: Graph, monkeypatch: pytest.MonkeyPatch, **settings: Any) -> Trainer:
    """A trainer of this graph whose step is done on the device."""
    monkeypatch.delenv("RELWISE_CUDA_GRAPHS", raising=False)
    made = Trainer(graph, split_graph(graph, 0), Settings.of({"dim": 16, "dropout": 0.2, **settings}), seed=1)
    host = made.adjacency
    made.device, made.adjacency, made.inputs = META, host.to(META), moved(made.inputs)
    made.edge_inputs = moved(made.edge_inputs)
    made.model.to(META).train()
    made.optimizer = Adam(made.model.parameters(), 0.01)
    made.place = OnDevice(made, META)
    # Found once for each graph, from numbers, and kept: before a step is recorded.
    monkeypatch.setattr(LearntEmbedding, "_seen", lambda _, prepared: (prepared == NEW, True, True))
    found = rgcn.relation_targets
    for module in (rgcn, gatne):
        monkeypatch.setattr(module, "relation_targets", lambda _: tuple(part.to(META) for part in found(host)))
    return made


def step(made: Trainer) -> Tensor:
    """All of a step but its negatives, which Triton makes."""
    index, keep = made._supervised(5)
    place: Any = made.place
    nodes = place.encode(keep)
    positives = place.positives(index)
    loss = made._loss(place.logits(nodes, positives, positives), len(index))
    loss.backward()
    made.optimizer.step()
    return nodes


@pytest.mark.parametrize("name", RECORDED)
def test_a_network_that_may_be_recorded_reads_no_number(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    made = on_meta(small_graph(0), monkeypatch, **RECORDED[name])
    nodes = step(made)
    assert nodes.is_meta
    assert nodes.shape[0] == 60
    grads = {name: weight.grad for name, weight in made.model.named_parameters()}
    assert all(grad is None or grad.is_meta for grad in grads.values())
    assert grads["decoder.relation"] is not None


def test_nor_one_whose_edges_have_attributes(monkeypatch: pytest.MonkeyPatch) -> None:
    made = on_meta(graph_with_amounts(), monkeypatch)
    assert made.model.edge_encoder is not None
    step(made)
    assert all(weight.grad is not None for weight in made.model.edge_encoder.parameters())


@pytest.mark.parametrize("settings", [{"encoder": name} for name in ("han", "hgt", "rgat")] + [{"text": "rnn"}])
def test_one_that_reads_numbers_says_so(settings: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    if "encoder" in settings:
        pytest.importorskip("torch_geometric")
    made = on_meta(small_graph(0), monkeypatch, **settings)
    assert record(made.model, torch.ones(1, dtype=torch.bool)) is made.model
    with pytest.raises(RuntimeError, match=NO_NUMBERS):
        step(made)


@pytest.mark.parametrize("name", get_args(DecoderName))
def test_every_decoder_of_one_way_stays_on_the_device(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """One of both ways reads which edges are undirected: it is no part of what is recorded."""
    made = on_meta(small_graph(0), monkeypatch, decoder=name)
    decoder: Any = getattr(made.model.decoder, "inner", made.model.decoder)
    nodes = torch.randn(60, 16, device=META, requires_grad=True)
    heads, relations, tails = torch.zeros(3, 5, dtype=torch.int64, device=META)
    logits = decoder(nodes, heads, relations, tails)
    assert logits.shape == (5,)
    logits.sum().backward()
    assert nodes.grad is not None
    assert nodes.grad.is_meta
    for missing in ("head", "tail"):
        query = decoder.query(missing, nodes[heads], relations)
        assert (query @ decoder.keys(nodes).t()).shape == (5, 60)
