"""DistMult: `Embedding Entities and Relations for Learning and Inference in Knowledge Bases
<https://arxiv.org/abs/1412.6575>`_ (Yang et al., ICLR 2015)."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor, nn

from relwise.kernels.cross_entropy import IntArray, Triples, cross_entropy
from relwise.kernels.scoring import triple_product
from relwise.nn.decoders.base import Decoder, End


class DistMult(Decoder):
    """`s(i, r, j) = h_i^T diag(h_r) h_j` (eq. 9): symmetric in the two ends.

    Args:
        num_relations: R.
        dim: d.

    >>> decoder = DistMult(1, 2)
    >>> _ = decoder.relation.data.fill_(1)
    >>> nodes = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    >>> decoder(nodes, torch.tensor([0]), torch.tensor([0]), torch.tensor([1])).tolist()
    [11.0]
    """

    symmetric: ClassVar[bool] = True

    def __init__(self, num_relations: int, dim: int) -> None:
        super().__init__()
        # Of both signs: started around one, scoring is an inner product that ties a node to those most like itself,
        # and training on `amazon` stayed on that plateau for a hundred steps.
        self.relation = nn.Parameter(torch.randn(num_relations, dim))

    def query(self, missing: End, anchor: Tensor, relation: Tensor) -> Tensor:
        return anchor * self.relation.index_select(0, relation)

    def factors(self) -> Tensor:
        return self.relation

    def cross_entropy(self, nodes: Tensor, positives: Triples, negatives: Triples, counts: IntArray) -> Tensor | None:
        if nodes.device.type != "cpu" or nodes.dtype != self.relation.dtype:
            return None
        return cross_entropy(nodes, self.relation, positives, negatives, counts)

    def forward(self, nodes: Tensor, heads: Tensor, relations: Tensor, tails: Tensor) -> Tensor:
        return triple_product(nodes, self.relation, heads, relations, tails)
