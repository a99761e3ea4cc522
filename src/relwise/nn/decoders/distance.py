"""Scores that are distances, as products: `γ - |a - h_c|²` is one of what depends on a with what depends on h_c."""

from __future__ import annotations

from abc import abstractmethod

import torch
from torch import Tensor, nn

from relwise.nn.decoders.base import Decoder, End

MARGIN = 9.0  # γ at the start: the squared length of two learnt vectors' difference is about twice that then


class DistanceDecoder(Decoder):
    """`s = γ - |a - h_c|²`, where a is made of the given end and the relation, and c is the missing end.

    The squared distance ranks as the distance does, and is a product: `[2a, γ - |a|², -1] · [h_c, 1, |h_c|²]`. γ is
    learnt, so that the score is a logit.
    """

    def __init__(self) -> None:
        super().__init__()
        self.margin = nn.Parameter(torch.tensor(MARGIN))

    @abstractmethod
    def target(self, missing: End, anchor: Tensor, relation: Tensor) -> Tensor:
        """(n, d) the points a that the missing ends are to be near; arguments as of `query`."""

    def query(self, missing: End, anchor: Tensor, relation: Tensor) -> Tensor:
        aim = self.target(missing, anchor, relation)
        constant = self.margin - aim.square().sum(dim=1, keepdim=True)
        return torch.cat([2 * aim, constant, torch.full_like(constant, -1)], dim=1)

    def keys(self, nodes: Tensor) -> Tensor:
        squares = nodes.square().sum(dim=1, keepdim=True)
        return torch.cat([nodes, torch.ones_like(squares), squares], dim=1)

    def forward(self, nodes: Tensor, heads: Tensor, relations: Tensor, tails: Tensor) -> Tensor:
        aim = self.target("tail", nodes.index_select(0, heads), relations)
        return self.margin - (aim - nodes.index_select(0, tails)).square().sum(dim=1)
