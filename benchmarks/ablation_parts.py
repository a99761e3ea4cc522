"""What the ablation takes out of a trainer, each part by itself (see `ablation.py`).

None of these is a setting: nobody should train so. A trainer is made whole and changed before its first step; weights
that are then without use stay where they are, get no gradient, and so no update. All other weights begin as they do in
the full model, for the same seed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from relwise.kernels.adjacency import Adjacency
from relwise.kernels.dropout import dropout as drop
from relwise.nn.encoders.rgcn import RGCNConv
from relwise.nn.model import RelGNN
from relwise.nn.relgnn import SLOPE, RelGNNConv
from relwise.train.loop import Trainer


def attention_off(trainer: Trainer) -> None:
    """All edges of a node through one relation weigh alike: a layer is R-GCN's, with the same matrices (eq. 3)."""
    model = _unchained(trainer)
    for layer in model.layers:
        assert isinstance(layer, RelGNNConv)
        _replace(layer, "propagate", _means_of(layer))


def _means_of(layer: RelGNNConv) -> Callable[..., Tensor]:
    """`RelGNNConv.propagate` with R-GCN's means, on the layer's own weights."""
    means = RGCNConv(layer.in_dim, layer.out_dim, layer.num_relations, len(layer.basis))
    means.basis, means.coefficient, means.weight_self = layer.basis, layer.coefficient, layer.weight_self

    def propagate(
        x: Tensor,
        adjacency: Adjacency,
        relation_state: Tensor | None = None,
        keep: Tensor | None = None,
        edges: Any = None,
        dropout: float = 0.0,
    ) -> Tensor:
        if edges is not None:
            raise ValueError("R-GCN reads no attributes of edges: leave them out of the graph")
        return functional.leaky_relu(means(drop(x, dropout), adjacency, keep), SLOPE)

    return propagate


def relation_state_off(trainer: Trainer) -> None:
    """h_r = 0 in eq. 4: attention sees both ends of an edge, and not its relation. The decoder keeps its own."""
    model = _relgnn(trainer)
    _replace(model, "relation_state", lambda: torch.cat([model.decoder.relation, model.inverse_state]).detach() * 0)


def fusion_off(trainer: Trainer) -> None:
    """The last layer's states are the final ones: eq. 6 and 7 are left out."""
    _unchained(trainer).fusion = _Topology()  # pyright: ignore[reportAttributeAccessIssue]


class _Topology(nn.Module):
    def forward(self, attributes: Tensor, topology: Tensor) -> Tensor:
        return topology


def masking_off(trainer: Trainer) -> None:
    """The edges that a step learns from carry messages in that step, as all training edges do: targets leak."""
    masked = trainer._supervised

    def supervised(seed: int) -> tuple[np.ndarray, Tensor]:
        index, keep = masked(seed)
        return index, torch.ones_like(keep)

    _replace(trainer, "_supervised", supervised)


def _relgnn(trainer: Trainer) -> RelGNN:
    if not isinstance(trainer.model, RelGNN):
        raise ValueError("the ablation is of RelGNN")
    return trainer.model


def _unchained(trainer: Trainer) -> RelGNN:
    """The network, each of its parts with a gradient of its own: what takes a part's place knows no other's."""
    model = _relgnn(trainer)
    _replace(model, "_chains", lambda *_: False)
    return model


def _replace(owner: Any, name: str, function: Callable[..., Any]) -> None:
    """Of this one object alone: the class stays as it is."""
    setattr(owner, name, function)
