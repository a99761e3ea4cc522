"""TransE: `Translating Embeddings for Modeling Multi-relational Data
<https://papers.nips.cc/paper/5071-translating-embeddings-for-modeling-multi-relational-data>`_ (Bordes, Usunier,
Garcia-Duran, Weston, Yakhnenko; NIPS 2013)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from relwise.nn.decoders.base import End
from relwise.nn.decoders.distance import DistanceDecoder


class TransE(DistanceDecoder):
    """`s(i, r, j) = γ - |h_i + h_r - h_j|²`: a relation moves its heads to its tails.

    Args:
        num_relations: R.
        dim: d.

    >>> decoder = TransE(1, 2)
    >>> _ = decoder.relation.data.copy_(torch.tensor([[1.0, 0.0]]))
    >>> nodes = torch.tensor([[1.0, 2.0], [2.0, 2.0]])
    >>> decoder(nodes, torch.tensor([0, 1]), torch.tensor([0, 0]), torch.tensor([1, 0])).tolist()
    [9.0, 5.0]
    """

    def __init__(self, num_relations: int, dim: int) -> None:
        super().__init__()
        # As long as learnt node vectors are at their start: about 3.
        self.relation = nn.Parameter(3 * dim**-0.5 * torch.randn(num_relations, dim))

    def target(self, missing: End, anchor: Tensor, relation: Tensor) -> Tensor:
        move = self.relation.index_select(0, relation)
        return anchor + move if missing == "tail" else anchor - move
