"""GATNE's decoder: `Representation Learning for Attributed Multiplex Heterogeneous Network
<https://arxiv.org/abs/1905.01669>`_ (Cen, Zou, Zhang, Yang, Zhou, Tang; KDD 2019)."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor, nn

from relwise.kernels.scoring import triple_product
from relwise.nn.decoders.base import Decoder, End


class Slices(Decoder):
    """`s(i, r, j) = v_i,r^T diag(h_r) v_j,r`, of states that have d numbers of their own for each relation.

    A state is `[v_i,1 ‖ ... ‖ v_i,R]`, R · d numbers; a query is zero but in its relation's slice, so that its product
    with a whole state is the logit. GATNE's own score is the plain product: the weights h_r, which start at one, are
    learnt besides.

    Args:
        num_relations: R.
        dim: d.

    >>> decoder = Slices(2, 2)
    >>> nodes = torch.tensor([[1.0, 2.0, 0.0, 0.0], [3.0, 4.0, 0.0, 5.0]])
    >>> decoder(nodes, torch.tensor([0, 0]), torch.tensor([0, 1]), torch.tensor([1, 1])).tolist()
    [11.0, 0.0]
    >>> decoder.query("tail", nodes[:1], torch.tensor([0])).tolist()
    [[1.0, 2.0, 0.0, 0.0]]
    """

    symmetric: ClassVar[bool] = True

    def __init__(self, num_relations: int, dim: int) -> None:
        super().__init__()
        self.relation = nn.Parameter(torch.ones(num_relations, dim))

    def query(self, missing: End, anchor: Tensor, relation: Tensor) -> Tensor:
        which, weights = torch.arange(len(anchor), device=anchor.device), self.relation.index_select(0, relation)
        slices = anchor.view(-1, *self.relation.shape)
        out = torch.zeros_like(slices)
        return out.index_put((which, relation), slices[which, relation] * weights).flatten(1)

    def forward(self, nodes: Tensor, heads: Tensor, relations: Tensor, tails: Tensor) -> Tensor:
        count, dim = self.relation.shape
        slices = nodes.reshape(-1, dim)
        return triple_product(slices, self.relation, heads * count + relations, relations, tails * count + relations)
