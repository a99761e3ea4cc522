"""Triton implementation of dropout (see `relwise.kernels.dropout`): each entry is read once and written once.

A program makes BLOCK hashes, and drops by each of them the four neighbours that share it: what is dropped is what the
CPU drops. The seed is read from memory, not given: so
a recorded step (a CUDA graph) drops other entries each time.
"""

# pyright: reportArgumentType=false, reportGeneralTypeIssues=false, reportInvalidTypeForm=false
# In a kernel `range` takes Triton's numbers, which pyright cannot know.
from __future__ import annotations

import torch
import triton
import triton.language as tl
from torch import Tensor

from relwise.kernels.cuda.common import launch, mix

STEPS = 1 << 16  # as of `relwise.kernels.dropout`, which imports this package
BLOCK = 512


def drop(x: Tensor, threshold: int, seed: Tensor) -> Tensor:
    """`x` with a share of its entries zeroed and the others scaled up.

    Args:
        x: any shape.
        threshold: of 2^16, the share to drop.
        seed: () int64, on the device of `x`.
    """
    source = x.contiguous()
    out = torch.empty_like(source)
    scale = float(torch.tensor(STEPS / (STEPS - threshold), dtype=x.dtype))  # rounded as the CPU's is
    grid = (triton.cdiv(source.numel(), 4 * BLOCK),)
    launch(_drop, grid, source, seed, out, source.numel(), scale, threshold, BLOCK=BLOCK, num_warps=4)
    return out


@triton.jit(do_not_specialize=["size", "scale", "threshold"])
def _drop(x, seed, out, size, scale: tl.float64, threshold: tl.int32, BLOCK: tl.constexpr):
    index = tl.program_id(0).to(tl.int64) * BLOCK + tl.arange(0, BLOCK)
    bits = mix(tl.load(seed).to(tl.uint64) + (index + 1).to(tl.uint64) * 0x9E3779B97F4A7C15)
    lane = tl.arange(0, 4)
    entry = index[:, None] * 4 + lane[None, :]
    kept = ((bits[:, None] >> (16 * lane[None, :]).to(tl.uint64)) & 0xFFFF).to(tl.int32) >= threshold
    value = tl.load(x + entry, mask=entry < size, other=0)
    scaled = (value.to(tl.float64) * scale).to(value.dtype)  # exact but for the last rounding
    tl.store(out + entry, tl.where(kept, scaled, tl.zeros_like(scaled)), mask=entry < size)
