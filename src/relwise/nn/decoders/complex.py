"""ComplEx: `Complex Embeddings for Simple Link Prediction <https://arxiv.org/abs/1606.06357>`_ (Trouillon, Welbl,
Riedel, Gaussier, Bouchard, ICML 2016)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from relwise.kernels.cross_entropy import IntArray, Triples, cross_entropy
from relwise.kernels.scoring import complex_product, complex_times, conjugate
from relwise.nn.decoders.base import Decoder, End


class ComplEx(Decoder):
    """`s(i, r, j) = Re Σ_k h_i,k h_r,k conj(h_j,k)` over complex numbers: it can tell an edge from its reverse.

    A state of size d holds d / 2 of them: the first half the real parts, the second half the imaginary parts. Where
    relations have no imaginary part, this is DistMult.

    Args:
        num_relations: R.
        dim: d, even.

    Raises:
        ValueError: where d is odd.

    >>> decoder = ComplEx(1, 2)
    >>> _ = decoder.relation.data.copy_(torch.tensor([[0.0, 1.0]]))  # i
    >>> nodes = torch.tensor([[1.0, 2.0], [3.0, 4.0]])  # 1 + 2i, 3 + 4i
    >>> decoder(nodes, torch.tensor([0, 1]), torch.tensor([0, 0]), torch.tensor([1, 0])).tolist()
    [-2.0, 2.0]
    """

    def __init__(self, num_relations: int, dim: int) -> None:
        super().__init__()
        if dim % 2:
            raise ValueError(f"dim = {dim}: complex states have an even size, half real and half imaginary")
        self.relation = nn.Parameter(torch.randn(num_relations, dim))

    def query(self, missing: End, anchor: Tensor, relation: Tensor) -> Tensor:
        weight = self.relation.index_select(0, relation)
        return complex_times(anchor, conjugate(weight) if missing == "head" else weight)

    def cross_entropy(self, nodes: Tensor, positives: Triples, negatives: Triples, counts: IntArray) -> Tensor | None:
        if nodes.device.type != "cpu" or nodes.dtype != self.relation.dtype:
            return None
        return cross_entropy(nodes, self.relation, positives, negatives, counts, paired=True)

    def forward(self, nodes: Tensor, heads: Tensor, relations: Tensor, tails: Tensor) -> Tensor:
        return complex_product(nodes, self.relation, heads, relations, tails)
