"""`dropout`: zeroes a share of the entries by a counter-based generator, and stores no mask.

Entry i is dropped by 16 bits of a hash of (seed, i // 4) alone; the backward pass computes it again. Faster
than torch's, which draws one number after the other; and the same in any number of threads.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from numba import njit, prange
from torch import Tensor

from relwise.kernels import cuda
from relwise.kernels.activation import leaky_backward
from relwise.kernels.compiling import PARALLEL
from relwise.kernels.memory import room
from relwise.kernels.mixing import mix

STEPS = 1 << 16  # the share is rounded to a multiple of 2^-16: four entries a hash
GOLDEN = 0x9E3779B97F4A7C15
CHUNK = 1024  # hashes at a time: they stay in the nearest cache


def dropout(x: Tensor, share: float, training: bool = True) -> Tensor:
    """`x` with a share of its entries zeroed and the others scaled by 1 / (1 - share); drawn from torch's seed.

    Args:
        x: any shape.
        share: of entries to drop, 0 ≤ share < 1.
        training: False returns x as it is.

    >>> _ = torch.manual_seed(0)
    >>> dropout(torch.ones(10_000), 0.5).mean().round(decimals=1).item()
    1.0
    """
    return drop(x, draw(share, x.device) if training else None)


class Drawn(NamedTuple):
    """Which entries are dropped: a multiple of 2^-16 of them, by a hash of the seed.

    The seed stays on its device, in a tensor of one int64: a step recorded there draws anew each time it is replayed.
    """

    threshold: int
    seed: Tensor


def draw(share: float, device: torch.device | str = "cpu") -> Drawn | None:
    """A draw of what is dropped, from the seed of torch's generator for the device; None where the share is zero."""
    threshold = round(share * STEPS)
    return Drawn(threshold, torch.randint(2**62, (), device=device)) if threshold else None


def drop(x: Tensor, drawn: Drawn | None) -> Tensor:
    """`x` with the entries of one draw zeroed and the others scaled: the same each time, and its own backward pass."""
    if drawn is None:
        return x
    if x.device.type == "cpu" and not torch.is_grad_enabled():  # without the dispatcher's tenth of a millisecond
        source = x.detach().contiguous()
        return _drop_into(source, *drawn, room(source.shape, source.dtype))
    return torch.ops.relwise.dropout(x, *drawn)


def drop_in_place(x: Tensor, drawn: Drawn | None) -> Tensor:
    """`drop` of a table that nobody else needs, in the table's own memory on the CPU; no gradient passes through."""
    if drawn is None or x.device.type != "cpu" or not x.is_contiguous():
        return drop(x, drawn)
    return _drop_into(x, *drawn, x)


def drop_activated_in_place(grad: Tensor, drawn: Drawn | None, out: Tensor, slope: float) -> Tensor:
    """`drop_in_place` of a gradient, and LeakyReLU's in the same pass.

    Args:
        grad: the gradient of what `drop` gave.
        out: what it was given, the results of LeakyReLU with this slope, or what it left of them: the same signs count.
        slope: LeakyReLU's.
    """
    if drawn is None or grad.device.type != "cpu" or not (grad.is_contiguous() and out.is_contiguous()):
        return leaky_backward(drop_in_place(grad, drawn), out, slope)
    return _drop_into(grad, *drawn, grad, out, slope)


@torch.library.custom_op("relwise::dropout", mutates_args=())
def _dropout(x: Tensor, threshold: int, seed: Tensor) -> Tensor:
    index = torch.arange(x.numel(), device=x.device)
    bits = _mix(seed + _signed(GOLDEN) * (index // 4 + 1))
    lane = (bits >> (16 * (index % 4))) & 0xFFFF
    kept = (lane >= threshold).view(x.shape)
    return torch.where(kept, x * (STEPS / (STEPS - threshold)), torch.zeros_like(x))


@_dropout.register_fake
def _(x, threshold, seed):
    return torch.empty_like(x)


@_dropout.register_kernel("cpu")
def _(x, threshold, seed):
    source = x.detach().contiguous()
    return _drop_into(source, threshold, seed, torch.empty_like(source))


def _drop_into(
    x: Tensor, threshold: int, seed: Tensor, out: Tensor, activated: Tensor | None = None, slope: float = 1.0
) -> Tensor:
    """All contiguous, on the CPU; `out` may be `x`, and what is dropped in place may be a gradient of `activated`."""
    source, kept = x.view(-1).numpy(), out.view(-1).numpy()
    scale, slope = source.dtype.type(STEPS / (STEPS - threshold)), source.dtype.type(slope)
    of = source[:0] if activated is None else activated.detach().view(-1).numpy()
    # Of no length in place: a loop over two arrays that may be one is not vectorised.
    _drop(source[:0] if out is x else source, np.uint64(int(seed)), np.uint16(threshold), scale, kept, of, slope)
    return out


def _save(ctx, inputs, output) -> None:
    _, ctx.threshold, seed = inputs
    ctx.save_for_backward(seed)


def _backward(ctx, grad):
    return torch.ops.relwise.dropout(grad, ctx.threshold, *ctx.saved_tensors), None, None


_dropout.register_autograd(_backward, setup_context=_save)
cuda.register_dropout(_dropout)


def _signed(value: int) -> int:
    return value - 2**64 if value >= 2**63 else value


def _mix(x: Tensor) -> Tensor:
    """`mixing.mix` in torch's signed integers: shifts must not carry the sign."""
    x = (x ^ ((x >> 30) & (2**34 - 1))) * _signed(0xBF58476D1CE4E5B9)
    x = (x ^ ((x >> 27) & (2**37 - 1))) * _signed(0x94D049BB133111EB)
    return x ^ ((x >> 31) & (2**33 - 1))


@njit(**PARALLEL)
def _drop(x, seed, threshold, scale, out, activated, slope):
    zero, size = x.dtype.type(0), 4 * CHUNK
    for block in prange((len(out) + size - 1) // size):
        first, last = block * size, min((block + 1) * size, len(out))
        bits = np.empty(CHUNK, np.uint64)
        for n in range((last - first + 3) // 4):
            bits[n] = mix(seed + np.uint64(GOLDEN) * np.uint64(block * CHUNK + n + 1))
        lanes, source, kept = bits.view(np.uint16), x[first:last], out[first:last]  # little-endian, as all machines are
        if len(activated):
            of = activated[first:last]
            for n in range(len(kept)):
                value = kept[n] * scale if lanes[n] >= threshold else zero
                kept[n] = value if of[n] > 0 else value * slope
        elif not len(x):
            for n in range(len(kept)):
                kept[n] = kept[n] * scale if lanes[n] >= threshold else zero
        else:
            for n in range(len(source)):
                kept[n] = source[n] * scale if lanes[n] >= threshold else zero
