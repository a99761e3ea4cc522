"""ConvE: `Convolutional 2D Knowledge Graph Embeddings <https://arxiv.org/abs/1707.01476>`_ (Dettmers, Minervini,
Stenetorp, Riedel; AAAI 2018)."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

from relwise.nn.decoders.base import Decoder, End

CHANNELS, KERNEL = 32, 3
DROPOUT = 0.2, 0.2, 0.3  # of the image, of the feature maps, of the projection: the paper's
AT_ONCE = 4096  # edges whose feature maps exist at a time: some 100 MB; they are made again in the backward pass


class ConvE(Decoder):
    """`f(h_i, r) · h_j + b · h_j`, with f a convolution over both vectors as one image, then a projection::

        f(h, r) = ReLU(BN(W vec(ReLU(BN(conv([h; h_r]))))))

    It asks for tails. For heads it asks, as its authors do, for the tails of an inverse relation with a vector of its
    own, `f(h_j, r⁻¹) · h_i + b · h_i`. An edge's logit is the mean of the two, so that both are learnt; a candidate's
    is that of its direction. (The bias of an entity, a number of its own in the paper, is a product with its state
    here: so new entities have one.)

    Args:
        num_relations: R.
        dim: d, a height × width of at least 3 × 3 each.

    Raises:
        ValueError: where d is no such product.

    >>> decoder = ConvE(2, 16).eval()
    >>> decoder(torch.randn(3, 16), torch.tensor([0, 1]), torch.tensor([0, 1]), torch.tensor([1, 2])).shape
    torch.Size([2])
    """

    def __init__(self, num_relations: int, dim: int) -> None:
        super().__init__()
        height = next((h for h in range(math.isqrt(dim), 0, -1) if dim % h == 0), 1)
        self.height, self.width = height, dim // height
        if 2 * self.height < KERNEL or self.width < KERNEL:
            raise ValueError(f"dim = {dim} is no image of {KERNEL} by {KERNEL} or more: take 64, 100 or 128, say")
        self.relation = nn.Parameter(torch.randn(num_relations, dim) * dim**-0.5)
        self.inverse = nn.Parameter(torch.randn(num_relations, dim) * dim**-0.5)
        self.bias = nn.Parameter(torch.zeros(dim))
        self.image_norm, self.map_norm = nn.BatchNorm2d(1), nn.BatchNorm2d(CHANNELS)
        self.convolution = nn.Conv2d(1, CHANNELS, KERNEL)
        maps = CHANNELS * (2 * self.height - KERNEL + 1) * (self.width - KERNEL + 1)
        self.projection, self.norm = nn.Linear(maps, dim), nn.BatchNorm1d(dim)

    def query(self, missing: End, anchor: Tensor, relation: Tensor) -> Tensor:
        vectors = self.relation if missing == "tail" else self.inverse
        parts = zip(anchor.split(AT_ONCE), vectors.index_select(0, relation).split(AT_ONCE), strict=True)
        if torch.is_grad_enabled() and len(anchor) > AT_ONCE:
            made = [checkpoint(self._image, *part, use_reentrant=False) for part in parts]
        else:
            made = [self._image(*part) for part in parts]
        return (torch.cat(made) if made else anchor) + self.bias  # pyright: ignore[reportCallIssue, reportArgumentType]

    def forward(self, nodes: Tensor, heads: Tensor, relations: Tensor, tails: Tensor) -> Tensor:
        head, tail = nodes.index_select(0, heads), nodes.index_select(0, tails)
        ahead, back = self.query("tail", head, relations), self.query("head", tail, relations)
        return ((ahead * tail).sum(dim=1) + (back * head).sum(dim=1)) / 2

    def _image(self, anchor: Tensor, relation: Tensor) -> Tensor:
        """(n, d) f. Where nothing is to be learnt (a sampler asks) nothing is dropped and no statistic is moved."""
        learns = self.training and torch.is_grad_enabled()
        image = torch.cat([anchor, relation], dim=1).view(-1, 1, 2 * self.height, self.width)
        image = functional.dropout(_normed(self.image_norm, image, learns), DROPOUT[0], learns)
        maps = functional.relu(_normed(self.map_norm, self.convolution(image), learns))
        flat = functional.dropout2d(maps, DROPOUT[1], learns).flatten(1)
        return functional.relu(
            _normed(self.norm, functional.dropout(self.projection(flat), DROPOUT[2], learns), learns)
        )


def _normed(norm: nn.BatchNorm1d | nn.BatchNorm2d, x: Tensor, learns: bool) -> Tensor:
    """Batch normalisation by the batch, which moves the running statistics, or by these alone."""
    return functional.batch_norm(
        x,
        norm.running_mean,
        norm.running_var,
        norm.weight,
        norm.bias,
        learns and len(x) > 1,
        norm.momentum or 0.0,
        norm.eps,
    )
