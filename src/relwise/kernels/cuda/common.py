"""What the GPU kernels share: how the entries of long segments are cut among programs, and how the parts are merged.

A *segment* is a run of entries that add up to one result: a node's incoming edges, a row's edges, a node's ends of
triples. `indptr` says where each begins. One program a segment would leave a hub's million edges to a single
program, so segments are cut at every multiple of `SIZE` entries, counted over all segments. Hence there are

- S *opening* pieces: segment i from its begin to the next multiple of SIZE (or to its end; most segments end there);
- E / SIZE *block* pieces: entries j SIZE .. (j + 1) SIZE of the one segment that is running across the boundary
  j SIZE, as far as it goes (none, where a segment happens to begin there).

No piece has more than SIZE entries. A segment of one piece is written straight to the result. One that crosses a
boundary puts its parts into `partial`: the opening one at [0, j] with j its first boundary (no other segment crosses
that one), the others at [1, j]; then one program adds them up in their order. The cuts follow from `indptr` alone:
nothing needs to be planned, sorted or counted on the host (no synchronisation, fit for CUDA graphs), and every sum has
one fixed order. Atomic additions would come in another order in every run, and would queue up at exactly the hubs.
The price, with SIZE = 256: a part written and read again once in 256 entries.
"""

# pyright: reportArgumentType=false, reportGeneralTypeIssues=false
# In a kernel `range` takes Triton's numbers, which pyright cannot know.
from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
import triton
import triton.language as tl
from torch import Tensor

# A piece's entries. Short enough that the last one of a launch is not waited for (some 10 µs of one warp), long
# enough that merging costs under 1 %.
SIZE = 256
# Elements a warp holds at once: 64 registers a lane of float32, as 16 independent loads of 16 bytes. More would not
# leave room for enough warps to hide the latency of gathers.
WARP_TILE = 2048
# The widest slice of d a program takes; the wider are cut among programs.
WIDEST = 256
COUNTS = ["num_nodes", "num_rows", "num_segments", "num_edges", "num_entries", "num_blocks"]


def power(number: float, lowest: int, highest: int) -> int:
    """The power of two at or above `number`, between two others.

    >>> power(5, 4, 64), power(1000, 4, 64)
    (8, 64)
    """
    return min(max(triton.next_power_of_2(int(number)), lowest), highest)


def accumulator(dtype: torch.dtype) -> torch.dtype:
    """What a sum of such numbers is kept in: float32 at least."""
    return torch.float64 if dtype == torch.float64 else torch.float32


def boundary_segments(indptr: Tensor, num_entries: int, size: int) -> Tensor:
    """(⌈E / size⌉,) int32, the segment that entry j size belongs to."""
    starts = torch.arange(0, num_entries, size, dtype=indptr.dtype, device=indptr.device)
    return torch.searchsorted(indptr, starts, right=True, out_int32=True) - 1


def tiles(width: int, entries: int, segments: int, held: int = 1) -> dict[str, int]:
    """A program's tile, entries × columns, and its warps.

    The columns first: a warp reads one entry's row as whole lines, 16 bytes a lane. As many entries as the mean
    segment has, so that the gathers of a usual segment are all under way at once.

    Args:
        width: d.
        entries: E.
        segments: S.
        held: how many gathered tiles are held at once.
    """
    columns = power(width, 16, WIDEST // held)
    rows = power(entries / max(segments, 1), 4, WARP_TILE // held // columns)
    return {"WIDTH": width, "COLUMNS": columns, "ENTRIES": rows, "num_warps": 1}


def lanes(entries: int, segments: int) -> dict[str, int]:
    """For kernels that read scalars an entry: pieces × entries of a tile, together 512, 4 a lane.

    At least 16 entries, though most segments may have fewer: a tile goes on until its longest piece ends, and with
    many pieces of 4 side by side nearly every tile of a power-law graph would hold one of 256.
    """
    each = power(entries / max(segments, 1), 16, 128)
    return {"ENTRIES": each, "PIECES": 512 // each, "num_warps": 4}


def kernel(function: Callable[..., None]) -> Any:
    """A kernel to launch: compiled once for each choice of its constants, not anew where a count is 1 or 16."""
    return triton.jit(do_not_specialize=COUNTS)(function)


def launch(function: Any, grid: tuple[int, ...], *arguments: Any, **meta: Any) -> None:
    """Run a kernel on the device of its first argument; nothing where the grid is empty."""
    if 0 in grid:
        return
    device = arguments[0].device
    guard: AbstractContextManager = torch.cuda.device(device) if device.type == "cuda" else nullcontext()
    with guard:
        function[grid](*arguments, **meta)


@triton.jit
def mix(value):
    """SplitMix64's finaliser, as in `relwise.kernels.mixing`."""
    x = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9
    x = (x ^ (x >> 27)) * 0x94D049BB133111EB
    return x ^ (x >> 31)


@triton.jit
def piece(index, indptr, boundary, num_segments, num_entries, SIZE: tl.constexpr):
    """Piece `index`: its segment, first and last entry, whether there is one, whether its segment has several, and
    its number among them. Works for one index and for many at once."""
    opens = index < num_segments
    block = tl.where(opens, 0, index - num_segments).to(tl.int64)
    crossing = (block > 0) & (block * SIZE < num_entries)
    segment = tl.where(opens, index, tl.load(boundary + block, mask=crossing, other=0)).to(tl.int64)
    begin = tl.load(indptr + segment, mask=opens | crossing, other=0).to(tl.int64)
    end = tl.load(indptr + segment + 1, mask=opens | crossing, other=0).to(tl.int64)
    opening = begin // SIZE + 1
    first = tl.where(opens, begin, block * SIZE)
    last = tl.minimum(end, tl.where(opens, opening * SIZE, (block + 1) * SIZE))
    live = opens | (crossing & (begin < first))
    last = tl.where(live, last, first)
    return segment, first, last, live, end > opening * SIZE, tl.where(opens, opening, block)


@triton.jit
def parts(block, indptr, boundary, SIZE: tl.constexpr):
    """The segment whose parts are merged at boundary `block`, and its last boundary: below `block` if none is."""
    segment = tl.load(boundary + block).to(tl.int64)
    begin = tl.load(indptr + segment).to(tl.int64)
    end = tl.load(indptr + segment + 1).to(tl.int64)
    lead = (begin < block * SIZE) & (begin // SIZE + 1 == block)
    return segment, tl.where(lead, (end - 1) // SIZE, block - 1)


@triton.jit
def store_part(out, partial, segment, place, live, several, column, total, WIDTH: tl.constexpr):
    """Write a piece's sum: to the result, or where its segment has several pieces, to their parts."""
    tl.store(
        out + segment * WIDTH + column,
        total.to(out.dtype.element_ty),
        mask=column < tl.where(live & (several == 0), WIDTH, 0),
    )
    tl.store(partial + place * WIDTH + column, total, mask=column < tl.where(live & several, WIDTH, 0))


@kernel
def merge(
    out, partial, indptr, boundary, num_blocks,
    WIDTH: tl.constexpr, COLUMNS: tl.constexpr, ENTRIES: tl.constexpr, SIZE: tl.constexpr,
):  # fmt: skip
    """Add up the parts of each segment that has several. Grid: boundaries × slices of columns."""
    block = tl.program_id(0).to(tl.int64)
    column = tl.program_id(1) * COLUMNS + tl.arange(0, COLUMNS)
    segment, last = parts(block, indptr, boundary, SIZE)
    inside = column < tl.where(block <= last, WIDTH, 0)
    total = tl.load(partial + block * WIDTH + column, mask=inside, other=0)
    for start in range(block, last + 1, ENTRIES):
        entry = start + tl.arange(0, ENTRIES).to(tl.int64)
        where = (num_blocks + entry[:, None]) * WIDTH + column[None, :]
        total += tl.sum(tl.load(partial + where, mask=(entry <= last)[:, None] & inside[None, :], other=0), axis=0)
    tl.store(out + segment * WIDTH + column, total.to(out.dtype.element_ty), mask=inside)


def merge_parts(out: Tensor, partial: Tensor, indptr: Tensor, boundary: Tensor, size: int) -> None:
    """Complete `out` (S, d) by the segments of several pieces, whose parts stand in `partial` (2, ⌈E / size⌉, d)."""
    blocks, width = partial.shape[1:]
    if blocks < 2:
        return
    # Few columns a program: a hub's thousands of parts are read by d / 32 programs, each a full line at a time.
    columns = power(width, 16, 32)
    launch(
        merge, (blocks, triton.cdiv(width, columns)), out, partial, indptr, boundary, blocks,
        WIDTH=width, COLUMNS=columns, ENTRIES=32, SIZE=size, num_warps=1,
    )  # fmt: skip
