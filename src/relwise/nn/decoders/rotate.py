"""RotatE: `RotatE: Knowledge Graph Embedding by Relational Rotation in Complex Space
<https://arxiv.org/abs/1902.10197>`_ (Sun, Deng, Nie, Tang; ICLR 2019)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from relwise.kernels.scoring import complex_times
from relwise.nn.decoders.base import End
from relwise.nn.decoders.distance import DistanceDecoder


class RotatE(DistanceDecoder):
    """`s(i, r, j) = γ - |h_i ∘ e^(iθ_r) - h_j|²` over complex numbers: a relation turns its heads to its tails.

    A state of size d holds d / 2 complex numbers: the first half the real parts, the second half the imaginary ones.
    (The paper adds up the numbers' moduli; the sum of their squares is what PyKEEN's `p = 2` is the root of.)

    Args:
        num_relations: R.
        dim: d, even.

    Raises:
        ValueError: where d is odd.

    >>> decoder = RotatE(1, 2)
    >>> _ = decoder.relation.data.fill_(torch.pi / 2)  # the second half is not read
    >>> nodes = torch.tensor([[1.0, 0.0], [0.0, 1.0]])  # 1, i
    >>> decoder(nodes, torch.tensor([0, 1]), torch.tensor([0, 0]), torch.tensor([1, 0])).tolist()
    [9.0, 5.0]
    """

    def __init__(self, num_relations: int, dim: int) -> None:
        super().__init__()
        if dim % 2:
            raise ValueError(f"dim = {dim}: complex states have an even size, half real and half imaginary")
        # Of full size, as the attention of RelGNN reads it; the first half are the angles θ.
        self.relation = nn.Parameter(torch.pi * (2 * torch.rand(num_relations, dim) - 1))

    def target(self, missing: End, anchor: Tensor, relation: Tensor) -> Tensor:
        angle = self.relation.index_select(0, relation).chunk(2, dim=1)[0]
        sine = angle.sin() if missing == "tail" else -angle.sin()
        return complex_times(anchor, torch.cat([angle.cos(), sine], dim=1))
