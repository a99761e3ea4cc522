"""Layers of stock PyG that do the work of `RelGNNConv`, or as much of it as they have."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from relwise.kernels.adjacency import Adjacency
from relwise.nn.relgnn import SLOPE, RelGNNConv
from speed_parts.graphs import Messages
from speed_parts.measure import tensor_mib

LEAN = "RelGNN in PyG ops"
PEERS = (LEAN, "RGCNConv", "HGTConv", "RGATConv")


class LeanRelGNN(nn.Module):
    """`RelGNNConv` in stock PyG ops, in the leanest form that they allow.

    `W_r h_j` is one dense product a relation, gathered for each edge; logits are sums of three scalars; heads are
    averaged before the sum, so that one tensor of edges × d is made and not L. A PyG layer as it is usually written
    projects each edge's state and concatenates three of them to attend: many times this.

    Args:
        conv: whose weights it begins with.
        own_state: whether it has relation states of its own, as `conv` has.
    """

    def __init__(self, conv: RelGNNConv, own_state: bool = True) -> None:
        super().__init__()
        self.weight = _copy(conv.weights())
        self.weight_self = _copy(conv.weight_self)
        self.attention_target = _copy(conv.attention_target)
        self.attention_relation = _copy(conv.attention_relation)
        self.attention_source = _copy(conv.attention_source)
        self.relation_state = _copy(conv.relation_state) if own_state else None

    def forward(self, x: Tensor, edges: LeanEdges, relation_state: Tensor | None = None) -> Tensor:
        from torch_geometric.utils import scatter, softmax

        state = self.relation_state if relation_state is None else relation_state
        assert state is not None
        own = x @ self.weight_self
        rows = x @ self.weight  # (R, N, d)
        row_logit = rows @ self.attention_source + (state @ self.attention_relation)[:, None]
        logit = (own @ self.attention_target).index_select(0, edges.target)
        logit = logit + row_logit.flatten(0, 1).index_select(0, edges.row)
        alpha = softmax(functional.leaky_relu(logit, SLOPE), edges.target, num_nodes=len(x)).mean(dim=1, keepdim=True)
        said = alpha * rows.flatten(0, 1).index_select(0, edges.row)
        summed = scatter(said, edges.target, dim=0, dim_size=len(x), reduce="sum")
        return functional.leaky_relu(summed + own, SLOPE)


def _copy(weight: Tensor) -> nn.Parameter:
    return nn.Parameter(weight.detach().clone())


@dataclass(frozen=True, eq=False)
class LeanEdges:
    """(E,) int64 index of each edge's relation and source in (R · N) rows, and its target."""

    row: Tensor
    target: Tensor

    @staticmethod
    def of(messages: Messages) -> LeanEdges:
        row = torch.from_numpy(messages.relation).long() * messages.num_nodes + torch.from_numpy(messages.source)
        return LeanEdges(row, torch.from_numpy(messages.target).long())

    def where(self, keep: Tensor) -> LeanEdges:
        """Those that carry a message."""
        return LeanEdges(self.row[keep], self.target[keep])

    def to(self, device: str) -> LeanEdges:
        return LeanEdges(self.row.to(device), self.target.to(device))


@dataclass(frozen=True, eq=False)
class Layer:
    """A layer on a graph.

    Args:
        module: its weights.
        forward: from (N, d) states to (N, d).
        structure_mib: what it holds of the graph, made once.
    """

    module: nn.Module
    forward: Callable[[Tensor], Tensor]
    structure_mib: float


def build(who: str, messages: Messages, dim: int, heads: int, device: str = "cpu") -> Layer:
    """A layer by its name; relwise's and the lean one's weights are drawn alike."""
    torch.manual_seed(0)
    conv = RelGNNConv(dim, dim, messages.num_relations, heads)
    if who == "relwise":
        adjacency, conv = messages.adjacency().to(device), conv.to(device)
        held = [getattr(adjacency, f.name) for f in fields(Adjacency)]
        size = tensor_mib(*(t for t in held if isinstance(t, Tensor)))
        return Layer(conv, lambda x: conv.propagate(x, adjacency), size)
    if who == LEAN:
        edges, lean = LeanEdges.of(messages).to(device), LeanRelGNN(conv).to(device)
        return Layer(lean, lambda x: lean(x, edges), tensor_mib(edges.row, edges.target))
    return _stock(who, messages, dim, heads, device)


def _stock(who: str, messages: Messages, dim: int, heads: int, device: str) -> Layer:
    from torch_geometric import nn as pyg

    ends = torch.stack([torch.from_numpy(a).long() for a in (messages.source, messages.target)]).to(device)
    relation = torch.from_numpy(messages.relation).long().to(device)
    count = messages.num_relations
    if who == "HGTConv":
        kinds = [("node", str(r), "node") for r in range(count)]
        hgt: Any = pyg.HGTConv(dim, dim, (["node"], kinds), heads).to(device)
        by_kind = {kind: ends[:, relation == r] for r, kind in enumerate(kinds)}
        del ends, relation
        return Layer(hgt, lambda x: hgt({"node": x}, by_kind)["node"], tensor_mib(*by_kind.values()))
    if who == "RGATConv":
        conv: Any = pyg.RGATConv(dim, dim // heads, count, heads=heads)
    elif who == "RGCNConv":
        conv = pyg.RGCNConv(dim, dim, count)
    else:
        raise ValueError(f"there is no layer {who!r}")
    conv = conv.to(device)
    return Layer(conv, lambda x: conv(x, ends, relation), tensor_mib(ends, relation))
