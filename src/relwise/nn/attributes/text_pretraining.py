"""A recurrent text encoder as a language model: trained, before anything else, on the texts it is to read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.rnn import pad_sequence

from relwise.kernels.adam import Adam
from relwise.nn.attributes.ragged import Ragged

if TYPE_CHECKING:
    from relwise.nn.attributes.text_recurrent import RecurrentTextEncoder

EPOCHS = 3
# Pieces read in all, at most. A bound on pieces, not on seconds, leaves the result the same on a slow day: with the
# largest vocabulary this takes about a minute of one core.
MAX_READ = 300_000
# Pieces of one update.
_BATCH = 1_024
_LEARNING_RATE = 0.005


def pretrain(encoder: RecurrentTextEncoder, texts: Ragged) -> list[float]:
    """Train the pieces' vectors and both GRUs; returns each update's loss.

        loss = -log p(x_(t+1) | →h_t) - log p(x_(t-1) | ←h_t),   p = softmax(E U h + c), averaged over all t

    E are the pieces' own vectors; U, one per direction, and c are thrown away. Three times over the texts, in an order
    drawn from torch's generator, but no more than 300,000 pieces in all.

    Args:
        encoder: changed in place.
        texts: as it prepares them.
    """
    lengths = texts.lengths
    rows = texts.values.split(lengths.tolist()) if len(lengths) else ()
    guessed = [row for row in rows if len(row) > 1]
    width, states = encoder.embedding.weight.shape[1], encoder.gru.hidden_size
    heads = nn.ModuleList([nn.Linear(states, width, bias=False), nn.Linear(states, width, bias=False)])
    bias = nn.Parameter(torch.zeros(len(encoder.embedding.weight)))
    weights = [*encoder.embedding.parameters(), *encoder.gru.parameters(), *heads.parameters(), bias]
    optimizer = Adam(weights, _LEARNING_RATE)
    losses: list[float] = []
    for batch in _batches(guessed):
        states_of = encoder.read(pad_sequence(batch), torch.tensor([len(row) for row in batch]))
        ahead, back = states_of.chunk(2, dim=2)
        inside = pad_sequence([torch.ones(len(row) - 1, dtype=torch.bool) for row in batch])
        pieces = pad_sequence(batch)
        guesses = (heads[0](ahead[:-1][inside]), pieces[1:][inside]), (heads[1](back[1:][inside]), pieces[:-1][inside])
        loss = torch.stack([_cross_entropy(encoder, guess, bias, truth) for guess, truth in guesses]).mean()
        optimizer.forget_gradients()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    optimizer.forget_gradients()
    return losses


def _cross_entropy(encoder: RecurrentTextEncoder, guess: Tensor, bias: Tensor, truth: Tensor) -> Tensor:
    return functional.cross_entropy(functional.linear(guess, encoder.embedding.weight, bias), truth)


def _batches(texts: list[Tensor]) -> list[list[Tensor]]:
    """Texts of about `_BATCH` pieces together, each from the longest to the shortest, for all epochs."""
    batches: list[list[Tensor]] = []
    read = 0
    for _ in range(EPOCHS):
        batch: list[Tensor] = []
        held = 0
        for i in torch.randperm(len(texts)).tolist():
            if read + held >= MAX_READ:
                break
            batch.append(texts[i])
            held += len(texts[i])
            if held >= _BATCH:
                batches.append(sorted(batch, key=len, reverse=True))
                read, batch, held = read + held, [], 0
        if batch:
            batches.append(sorted(batch, key=len, reverse=True))
            read += held
    return batches
