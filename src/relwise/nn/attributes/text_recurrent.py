"""Text by a recurrent network that is trained with all the rest."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Self

import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence, pad_sequence
from torch.utils.checkpoint import checkpoint

from relwise.nn.attributes.base import AttributeEncoder
from relwise.nn.attributes.ragged import Ragged
from relwise.nn.attributes.text_pieces import pieces_of, vocabulary

# Numbers per piece, and per direction's state.
_PIECE_DIM, _STATE_DIM = 32, 64
# Pieces read at a time: what their backward pass needs is some 60 MB, however many texts there are.
_AT_A_TIME = 16_384


class RecurrentTextEncoder(AttributeEncoder):
    """One text per node, read piece by piece in both directions.

        →h_t = GRU(E[x_t], →h_(t-1)),   ←h_t = GRU'(E[x_t], ←h_(t+1))
        m = 1/T Σ_t [→h_t ‖ ←h_t],   to mean 0 and deviation 1
        output = LeakyReLU(W [m, missing] + b)

    The pieces x_1 ... x_T are frequent words and the letters of others (see `vocabulary`); the first 64 are read.
    E and both GRUs are weights like all others. `pretrained` first trains them as a language model on the texts.

    Each distinct text is read once in a step, 16,384 pieces at a time; of more than that nothing is kept for the
    backward pass but the texts, which are then read again. Padding is never read. Which texts are read together
    changes an output by rounding alone.

    Args:
        dim: how many numbers it gives per node.
        pieces: the vocabulary.

    >>> import numpy as np
    >>> encoder = RecurrentTextEncoder.fit(np.array(["Delta Air", "Alaska Air", "Air", None], dtype=object), dim=8)
    >>> encoder.pieces
    [' air', 'a', 'l']
    >>> encoder(encoder.prepare(np.array(["DELTA air", None], dtype=object))).shape
    torch.Size([2, 8])
    """

    waits = True  # for the texts' lengths

    def __init__(self, dim: int, pieces: list[str]) -> None:
        super().__init__(dim)
        self.pieces = list(pieces)
        self.embedding = nn.Embedding(1 + len(self.pieces), _PIECE_DIM)
        self.gru = nn.GRU(_PIECE_DIM, _STATE_DIM, bidirectional=True)
        self.linear = nn.Linear(2 * _STATE_DIM + 1, dim)
        with torch.no_grad():
            self.embedding.weight[0] = 0.0  # an unknown piece that nothing has trained says nothing

    @classmethod
    def fit(cls, values: npt.NDArray, dim: int) -> Self:
        """An encoder with the vocabulary of `values`: object (n,) of str, None where missing."""
        return cls(dim, vocabulary(values))

    @classmethod
    def pretrained(cls, values: npt.NDArray, dim: int) -> Self:
        """As `fit`, the network then trained to guess each piece of the texts from those before, or behind, it."""
        from relwise.nn.attributes.text_pretraining import pretrain

        encoder = cls.fit(values, dim)
        pretrain(encoder, encoder.prepare(values))
        return encoder

    def prepare(self, values: npt.NDArray) -> Ragged:
        """(n,) the pieces of each text; none where it is missing or blank."""
        return pieces_of(values, self.pieces)

    def forward(self, prepared: Ragged) -> Tensor:
        means = [self._mean(*part) for part in self._parts(prepared)]
        blank = prepared.num_distinct - sum(map(len, means))  # they are last
        states = torch.cat([*means, self.linear.weight.new_zeros(blank, 2 * _STATE_DIM)])
        missing = (prepared.lengths == 0).to(states.dtype)
        features = torch.cat([states, missing[:, None]], dim=1)
        return functional.embedding(prepared.index, functional.leaky_relu(self.linear(features)))

    def config(self) -> dict[str, Any]:
        return {"dim": self.out_dim, "pieces": self.pieces}

    def read(self, pieces: Tensor, lengths: Tensor) -> Tensor:
        """(T, B, 2 states) the states of B texts, zero behind the end of each.

        Args:
            pieces: (T, B) their indices; what stands behind a text's end does not matter.
            lengths: (B,) on the CPU, not rising, none 0.
        """
        packed: PackedSequence = pack_padded_sequence(self.embedding(pieces), lengths)
        return pad_packed_sequence(self.gru(packed)[0])[0]

    def _parts(self, prepared: Ragged) -> Iterator[tuple[Tensor, Tensor, bool]]:
        """The texts that are not blank, so many at a time: (T, B) pieces, (B,) lengths, whether there are more."""
        lengths = prepared.lengths[prepared.lengths > 0].cpu()
        texts = prepared.values.split(lengths.tolist()) if len(lengths) else ()
        begin = 0
        while begin < len(texts):
            count = max(1, _AT_A_TIME // int(lengths[begin]))  # the longest of those that are left
            chosen = slice(begin, begin + count)
            yield pad_sequence(list(texts[chosen])), lengths[chosen], len(texts) > count
            begin += count

    def _mean(self, pieces: Tensor, lengths: Tensor, several: bool) -> Tensor:
        if several and torch.is_grad_enabled():
            mean = checkpoint(self._sum, pieces, lengths, use_reentrant=False, preserve_rng_state=False)
            assert isinstance(mean, Tensor)
        else:
            mean = self._sum(pieces, lengths)
        mean = mean / lengths[:, None].to(mean.device)
        return functional.layer_norm(mean, mean.shape[1:])

    def _sum(self, pieces: Tensor, lengths: Tensor) -> Tensor:
        return self.read(pieces, lengths).sum(dim=0)
