"""Reciprocal relations: `Canonical Tensor Decomposition for Knowledge Base Completion
<https://arxiv.org/abs/1806.07297>`_ (Lacroix, Usunier, Obozinski; ICML 2018), as `Ruffinelli et al. 2020
<https://openreview.net/forum?id=BkxSmlBFvr>`_ train nearly all of their best models.

Each relation has a second state r⁻¹, by which its heads are asked for: (?, r, t) is the query (t, r⁻¹, ?). What is
asked for is always a tail, so DistMult, too, learns what kind of node each end of a relation takes.

It is here and no decoder of relwise, for it ranks candidates and gives no edge one probability: the two queries of an
edge have logits of their own.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from relwise.kernels.adam import Adam
from relwise.nn.build import DECODERS
from relwise.nn.decoders import Decoder
from relwise.nn.decoders.base import End
from relwise.train.loop import Trainer


class Reciprocal(Decoder):
    """`s(?, r, t) = s'(t, r⁻¹, ?)`, `s(h, r, ?) = s'(h, r, ?)`; an edge's own logit is the mean of both.

    Args:
        inner: the decoder s' of 2R relations, r⁻¹ of relation r being r + R.
        dropout: share of the numbers of queries that training zeroes.

    >>> from relwise.nn.decoders import DistMult
    >>> decoder = Reciprocal(DistMult(2, 2))
    >>> _ = decoder.relation.data.copy_(torch.tensor([[1.0, 0.0], [0.0, 1.0]]))
    >>> nodes, one = torch.tensor([[1.0, 2.0], [3.0, 4.0]]), torch.tensor([0])
    >>> decoder.query("tail", nodes[:1], one).tolist(), decoder.query("head", nodes[1:], one).tolist()
    ([[1.0, 0.0]], [[0.0, 4.0]])
    >>> decoder(nodes, one, one, one + 1).tolist()
    [5.5]
    """

    def __init__(self, inner: Decoder, dropout: float = 0.0) -> None:
        super().__init__()
        self.inner, self.dropout = inner, dropout
        self.count = len(inner.relation) // 2

    @property
    def relation(self) -> nn.Parameter:  # pyright: ignore[reportIncompatibleVariableOverride]
        """(2R, d): the inner decoder's own."""
        return self.inner.relation

    def query(self, missing: End, anchor: Tensor, relation: Tensor) -> Tensor:
        query = self.inner.query("tail", anchor, relation if missing == "tail" else relation + self.count)
        return nn.functional.dropout(query, self.dropout, self.training)

    def keys(self, nodes: Tensor) -> Tensor:
        return self.inner.keys(nodes)

    def forward(self, nodes: Tensor, heads: Tensor, relations: Tensor, tails: Tensor) -> Tensor:
        ahead = self.inner(nodes, heads, relations, tails)
        return (ahead + self.inner(nodes, tails, relations + self.count, heads)) / 2


def reciprocate(trainer: Trainer, dropout: float = 0.0) -> None:
    """Give a trainer that has not begun a decoder of the same kind with reciprocal relations.

    Args:
        trainer: whose network and optimizer change.
        dropout: of the queries.
    """
    settings, old = trainer.settings, trainer.model.decoder
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(trainer.seed)
        inner = DECODERS[settings.decoder](2 * len(old.relation), settings.dim)
    trainer.model.decoder = Reciprocal(inner, dropout).to(trainer.device)
    trainer.optimizer = Adam(trainer.model.parameters(), settings.learning_rate, settings.weight_decay)
