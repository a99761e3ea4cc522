"""The fallback of a node type that has no attributes: one learnt vector per node."""

from __future__ import annotations

from typing import Any, Self

import torch
from torch import Tensor, nn


class LearntEmbedding(nn.Module):
    """One learnt vector per node: `output = E[i]`, E of shape (num_nodes, dim), drawn from N(0, std²).

    A node is known by its position. One that was not there at fit has the index -1 (see `prepare`) and the
    vector zero, the mean of what the others started from: its neighbours alone speak for it.

    Args:
        num_nodes: how many nodes have a vector.
        dim: how many numbers it gives per node.
        std: the deviation of the start; 3 / sqrt(dim) where None, which gives vectors of length about 3: a start of
            length 1, let alone a Xavier one, learnt more slowly and to a lower end on `amazon`'s validation edges.

    >>> embedding = LearntEmbedding(2, 4)
    >>> embedding.prepare(3).tolist()
    [0, 1, -1]
    >>> embedding(torch.tensor([-1])).tolist()
    [[0.0, 0.0, 0.0, 0.0]]
    """

    def __init__(self, num_nodes: int, dim: int, std: float | None = None) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(num_nodes, dim))
        nn.init.normal_(self.weight, std=3 * dim**-0.5 if std is None else std)

    def prepare(self, num_nodes: int) -> Tensor:
        """(num_nodes,) int64 the index of each node of a type; -1 for those beyond the known."""
        index = torch.arange(num_nodes)
        index[len(self.weight) :] = -1
        return index

    def forward(self, prepared: Tensor) -> Tensor:
        """(n, dim) the vectors of n nodes, zero for the index -1."""
        if len(self.weight) == 0:
            return self.weight.new_zeros(len(prepared), self.weight.shape[1])
        # All nodes in order, as in a full-graph step: nothing to gather, and no gradient to scatter.
        if prepared.device.type == "cpu" and torch.equal(prepared, torch.arange(len(self.weight))):
            return self.weight
        vectors = nn.functional.embedding(prepared.clamp(min=0), self.weight)
        return vectors.masked_fill((prepared < 0).unsqueeze(-1), 0.0)

    def config(self) -> dict[str, Any]:
        """The arguments of the constructor; `std` only matters at the start and is not kept."""
        return {"num_nodes": self.weight.shape[0], "dim": self.weight.shape[1]}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """The embedding that `config()` described, its vectors to be loaded."""
        return cls(**config)
