"""The kernels of attention forward: LSE and weights by target, then the weighted sum of rows (see `attention.py`)."""

# pyright: reportArgumentType=false, reportGeneralTypeIssues=false
# In a kernel `range` takes Triton's numbers, which pyright cannot know.
from __future__ import annotations

import triton
import triton.language as tl

from relwise.kernels.cuda.common import kernel, parts, piece, store_part


@triton.jit
def edge_logit(
    target_logit, row_logit, row, fact, keep, segment, entry, inside, head, SLOPE: tl.constexpr, HEADS: tl.constexpr
):
    """LeakyReLU of the sum of a logit's two parts; -∞ for an edge that is masked out."""
    stated = tl.load(fact + entry, mask=inside, other=0)
    kept = inside & (tl.load(keep + stated, mask=inside, other=0) != 0)
    source = tl.load(row + entry, mask=kept, other=0).to(tl.int64)
    mine = tl.load(target_logit + segment * HEADS + head)
    logit = mine[:, None] + tl.load(row_logit + source * HEADS + head, mask=kept, other=0)
    return tl.where(kept, tl.where(logit > 0, logit, SLOPE * logit), float("-inf"))


@triton.jit
def edge_weight(logit, total):
    """α: e^(logit - LSE), and 0 for an edge that is masked out, also where the LSE is not a number."""
    return tl.where(logit == float("-inf"), 0.0, tl.exp(logit - total))


@triton.jit
def _larger(top, logit):
    """The new maximum, what differences are taken from (0 for -∞), and what the old maximum's total shrinks by."""
    larger = tl.maximum(top, logit)
    base = tl.where(larger == float("-inf"), 0.0, larger)
    return larger, base, tl.exp(top - base)


@triton.jit
def _log(top, total):
    """The LSE of a maximum and a total beside it: +∞ where there is nothing."""
    top = tl.where(top == float("-inf"), 0.0, top)
    return tl.where(total == 0, float("inf"), top + tl.log(tl.where(total == 0, 1.0, total)))


@kernel
def logsumexp(
    target_logit, row_logit, row, fact, keep, out, partial, indptr, boundary, num_nodes, num_edges, num_blocks,
    SLOPE: tl.constexpr, HEADS: tl.constexpr, SIZE: tl.constexpr, ENTRIES: tl.constexpr, PIECES: tl.constexpr,
):  # fmt: skip
    """The LSE of each piece, +∞ where nothing is kept. Grid: groups of PIECES pieces."""
    index = tl.program_id(0) * PIECES + tl.arange(0, PIECES)
    segment, first, last, live, several, number = piece(index, indptr, boundary, num_nodes, num_edges, SIZE)
    place = tl.where(index < num_nodes, 0, num_blocks) + number
    for head in range(HEADS):
        top = tl.full([PIECES], float("-inf"), row_logit.dtype.element_ty)
        total = tl.zeros([PIECES], row_logit.dtype.element_ty)
        for start in range(0, tl.max(last - first), ENTRIES):
            entry = first[:, None] + start + tl.arange(0, ENTRIES)[None, :]
            inside = entry < last[:, None]
            logit = edge_logit(target_logit, row_logit, row, fact, keep, segment, entry, inside, head, SLOPE, HEADS)
            top, base, shrink = _larger(top, tl.max(logit, axis=1))
            total = total * shrink + tl.sum(tl.exp(logit - base[:, None]), axis=1)
        result = _log(top, total)
        tl.store(out + segment * HEADS + head, result, mask=live & (several == 0))
        tl.store(partial + place * HEADS + head, result, mask=live & several)


@kernel
def merge_logsumexp(out, partial, indptr, boundary, num_blocks, HEADS: tl.constexpr, SIZE: tl.constexpr):
    """Merge a target's LSE. Grid: boundaries."""
    block = tl.program_id(0).to(tl.int64)
    segment, final = parts(block, indptr, boundary, SIZE)
    for head in range(HEADS):
        top = tl.load(partial + block * HEADS + head, mask=block <= final, other=float("inf"))
        top = tl.where(top == float("inf"), float("-inf"), top)
        total = tl.where(top == float("-inf"), 0.0, 1.0).to(top.dtype)
        for start in range(block, final + 1, 32):
            entry = start + tl.arange(0, 32).to(tl.int64)
            some = tl.load(partial + (num_blocks + entry) * HEADS + head, mask=entry <= final, other=float("inf"))
            some = tl.where(some == float("inf"), float("-inf"), some)
            top, base, shrink = _larger(top, tl.max(some))
            total = total * shrink + tl.sum(tl.exp(some - base))
        tl.store(out + segment * HEADS + head, _log(top, total), mask=block <= final)


@kernel
def weigh(
    target_logit, row_logit, row, fact, keep, total, weight, indptr, boundary, num_nodes, num_edges, num_blocks,
    SLOPE: tl.constexpr, HEADS: tl.constexpr, SIZE: tl.constexpr, ENTRIES: tl.constexpr, PIECES: tl.constexpr,
):  # fmt: skip
    """The mean over heads of each edge's α. Grid: groups of PIECES pieces."""
    index = tl.program_id(0) * PIECES + tl.arange(0, PIECES)
    segment, first, last, _, _, _ = piece(index, indptr, boundary, num_nodes, num_edges, SIZE)
    for start in range(0, tl.max(last - first), ENTRIES):
        entry = first[:, None] + start + tl.arange(0, ENTRIES)[None, :]
        inside = entry < last[:, None]
        mean = tl.zeros([PIECES, ENTRIES], weight.dtype.element_ty)
        for head in range(HEADS):
            logit = edge_logit(target_logit, row_logit, row, fact, keep, segment, entry, inside, head, SLOPE, HEADS)
            mean += edge_weight(logit, tl.load(total + segment * HEADS + head)[:, None])
        tl.store(weight + entry, mean * (1.0 / HEADS), mask=inside)


@kernel
def sum_rows(
    rows, weight, row, out, partial, indptr, boundary, num_nodes, num_edges, num_blocks,
    SIZE: tl.constexpr, WIDTH: tl.constexpr, COLUMNS: tl.constexpr, ENTRIES: tl.constexpr,
):  # fmt: skip
    """The weighted sum of a piece's rows. Grid: pieces × slices of columns."""
    index = tl.program_id(0)
    segment, first, last, live, several, number = piece(index, indptr, boundary, num_nodes, num_edges, SIZE)
    column = tl.program_id(1) * COLUMNS + tl.arange(0, COLUMNS)
    total = tl.zeros([COLUMNS], partial.dtype.element_ty)
    entry = first + tl.arange(0, ENTRIES)
    source = tl.load(row + entry, mask=entry < last, other=0).to(tl.int64)
    share = tl.load(weight + entry, mask=entry < last, other=0)
    for start in range(first, last, ENTRIES):
        mask = (share != 0)[:, None] & (column < WIDTH)[None, :]
        says = tl.load(rows + source[:, None] * WIDTH + column[None, :], mask=mask, other=0)
        entry = start + ENTRIES + tl.arange(0, ENTRIES)
        now = share
        source = tl.load(row + entry, mask=entry < last, other=0).to(tl.int64)
        share = tl.load(weight + entry, mask=entry < last, other=0)
        total += tl.sum(now.to(total.dtype)[:, None] * says.to(total.dtype), axis=0)
    place = tl.where(index < num_nodes, 0, num_blocks) + number
    store_part(out, partial, segment, place, live, several, column, total, WIDTH)
