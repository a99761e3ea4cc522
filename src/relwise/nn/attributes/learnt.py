"""The fallback of a node type that has no attributes: one learnt vector per node, and one that new nodes share."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from relwise.kernels.remaking import replace_rows

NEW = -1
"""The index of a node that has no vector of its own."""


class LearntEmbedding(nn.Module):
    """One learnt vector per node, and one for all that are new.

        output = E[i], or u where the node is new; in training also for a random share of the nodes, drawn in each step

    E, of shape (num_nodes, dim), is drawn from N(0, std²), u starts at zero, the mean of E. A node is known by its
    position. New are those behind the last at fit, and those that no edge to be learnt from has: their own vector
    would be left as it was drawn. What is dropped in training teaches u to stand for an unknown node, and the network
    to go by the neighbours where it does.

    Args:
        num_nodes: how many nodes have a vector.
        dim: how many numbers it gives per node.
        std: the deviation of the start; 3 / sqrt(dim) where None, which gives vectors of length about 3: a start of
            length 1, let alone a Xavier one, learnt more slowly and to a lower end on `amazon`'s validation edges.
        dropout: the share of the nodes that each step of training takes for new.
        new: (num_nodes,) bool, which nodes at fit are new; None: none is.

    >>> embedding = LearntEmbedding(2, 4)
    >>> embedding.prepare(3).tolist()
    [0, 1, -1]
    >>> embedding(torch.tensor([-1])).tolist()
    [[0.0, 0.0, 0.0, 0.0]]
    """

    known: Tensor

    def __init__(
        self,
        num_nodes: int,
        dim: int,
        std: float | None = None,
        dropout: float = 0.0,
        new: npt.NDArray[np.bool_] | None = None,
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(num_nodes, dim))
        self.unknown = nn.Parameter(torch.zeros(dim))
        self.register_buffer("known", torch.ones(num_nodes, dtype=torch.bool) if new is None else torch.tensor(~new))
        self.dropout = dropout
        self._cached: tuple[Tensor, int | None, tuple[Tensor, bool, bool]] | None = None
        nn.init.normal_(self.weight, std=3 * dim**-0.5 if std is None else std)

    def prepare(self, num_nodes: int) -> Tensor:
        """(num_nodes,) int64 the index of each node of a type; -1 for the new."""
        index = torch.full((num_nodes,), NEW)
        count = min(num_nodes, len(self.known))
        index[:count] = torch.where(self.known[:count].cpu(), torch.arange(count), NEW)
        return index

    def forward(self, prepared: Tensor) -> Tensor:
        """(n, dim) the vectors of n nodes."""
        new, any_new, in_order = self._seen(prepared)
        if self.training and self.dropout:
            # Nobody looks whether any is drawn: a GPU would have to be waited for.
            any_new, new = True, new | (torch.rand(len(prepared), device=new.device) < self.dropout)
        if len(self.weight) == 0:
            return self.unknown.expand(len(prepared), -1)
        # All nodes in order, as in a full-graph step: nothing to gather, and no gradient to scatter.
        own = self.weight if in_order else nn.functional.embedding(prepared.clamp(min=0), self.weight)
        return replace_rows(own, new, self.unknown) if any_new else own

    def config(self) -> dict[str, Any]:
        """The arguments of the constructor that matter after the start."""
        return {"num_nodes": self.weight.shape[0], "dim": self.weight.shape[1], "dropout": self.dropout}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """The embedding that `config()` described, its vectors to be loaded."""
        return cls(**config)

    def _seen(self, prepared: Tensor) -> tuple[Tensor, bool, bool]:
        """(n,) which nodes are new, whether any is, and whether all others are the weight's in order.

        Asked once of what is given step after step: a GPU would have to be waited for each time.
        """
        version = None if prepared.is_inference() else prepared._version  # which an edit in place raises
        if self._cached is None or self._cached[0] is not prepared or self._cached[1] != version:
            new = prepared == NEW
            in_order = len(prepared) == len(self.weight)
            if in_order:
                in_order = bool((new | (prepared == torch.arange(len(prepared), device=prepared.device))).all())
            self._cached = prepared, version, (new, bool(new.any()), in_order)
        return self._cached[2]
