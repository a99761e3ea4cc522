"""The kernels of attention backward: by row, then scalars by target, then scalars by row (see `attention.py`)."""

# pyright: reportArgumentType=false, reportGeneralTypeIssues=false
# In a kernel `range` takes Triton's numbers, which pyright cannot know.
from __future__ import annotations

import triton
import triton.language as tl

from relwise.kernels.cuda.attention_forward import edge_logit, edge_weight
from relwise.kernels.cuda.common import kernel, parts, piece, store_part


@kernel
def rows_backward(
    grad_out, rows, weight, target, position, grad_rows, product, partial, indptr, boundary,
    num_rows, num_edges, num_blocks,
    HEADS: tl.constexpr, SIZE: tl.constexpr, WIDTH: tl.constexpr, COLUMNS: tl.constexpr, ENTRIES: tl.constexpr,
):  # fmt: skip
    """A piece of a row's edges: the sum for the row, and each edge's product. Grid: pieces × slices of columns."""
    index = tl.program_id(0)
    segment, first, last, live, several, number = piece(index, indptr, boundary, num_rows, num_edges, SIZE)
    column = tl.program_id(1) * COLUMNS + tl.arange(0, COLUMNS)
    total = tl.zeros([COLUMNS], partial.dtype.element_ty)
    says = tl.load(rows + segment * WIDTH + column, mask=column < tl.where(live, WIDTH, 0), other=0).to(total.dtype)
    products = product + tl.program_id(1).to(tl.int64) * num_edges
    entry = first + tl.arange(0, ENTRIES)
    heard = tl.load(target + entry, mask=entry < last, other=0).to(tl.int64)
    place = tl.load(position + entry, mask=entry < last, other=0).to(tl.int64)
    share = tl.load(weight + place, mask=entry < last, other=0)
    for start in range(first, last, ENTRIES):
        mask = (share != 0)[:, None] & (column < WIDTH)[None, :]
        grad = tl.load(grad_out + heard[:, None] * WIDTH + column[None, :], mask=mask, other=0).to(total.dtype)
        now, here, inside = share, place, entry < last
        entry = start + ENTRIES + tl.arange(0, ENTRIES)
        heard = tl.load(target + entry, mask=entry < last, other=0).to(tl.int64)
        place = tl.load(position + entry, mask=entry < last, other=0).to(tl.int64)
        share = tl.load(weight + place, mask=entry < last, other=0)
        total += tl.sum(now.to(total.dtype)[:, None] * grad, axis=0)
        dot = tl.sum(grad * says[None, :], axis=1) * (1.0 / HEADS)
        tl.store(products + here, dot.to(product.dtype.element_ty), mask=inside)
    slot = tl.where(index < num_rows, 0, num_blocks) + number
    store_part(grad_rows, partial, segment, slot, live, several, column, total, WIDTH)


@triton.jit
def _grad_weight(product, entry, inside, num_edges, SLICES: tl.constexpr):
    """An edge's weight gradient: the sum of its slices."""
    total = tl.load(product + entry, mask=inside, other=0)
    for part in tl.static_range(1, SLICES):
        total += tl.load(product + part * num_edges.to(tl.int64) + entry, mask=inside, other=0)
    return total


@triton.jit
def _inner_scan(
    target_logit, row_logit, row, fact, keep, total, product, segment, first, last, head, num_edges,
    SLOPE: tl.constexpr, HEADS: tl.constexpr, SLICES: tl.constexpr, ENTRIES: tl.constexpr, PIECES: tl.constexpr,
):  # fmt: skip
    """(PIECES,) the sum of α times the weight gradient over each piece."""
    result = tl.zeros([PIECES], row_logit.dtype.element_ty)
    sum_of_all = tl.load(total + segment * HEADS + head)[:, None]
    for start in range(0, tl.max(last - first), ENTRIES):
        entry = first[:, None] + start + tl.arange(0, ENTRIES)[None, :]
        inside = entry < last[:, None]
        logit = edge_logit(target_logit, row_logit, row, fact, keep, segment, entry, inside, head, SLOPE, HEADS)
        grad = _grad_weight(product, entry, inside, num_edges, SLICES)
        result += tl.sum(edge_weight(logit, sum_of_all) * grad, axis=1)
    return result


@kernel
def inner(
    target_logit, row_logit, row, fact, keep, total, product, means, indptr, boundary,
    num_nodes, num_edges, num_blocks,
    SLOPE: tl.constexpr, HEADS: tl.constexpr, SLICES: tl.constexpr, SIZE: tl.constexpr,
    ENTRIES: tl.constexpr, PIECES: tl.constexpr,
):  # fmt: skip
    """The mean gradient under α of each piece of the targets that have several. Grid: groups of PIECES pieces."""
    index = tl.program_id(0) * PIECES + tl.arange(0, PIECES)
    segment, first, last, live, several, number = piece(index, indptr, boundary, num_nodes, num_edges, SIZE)
    last = tl.where(several, last, first)
    place = tl.where(index < num_nodes, 0, num_blocks) + number
    for head in range(HEADS):
        mean = _inner_scan(
            target_logit, row_logit, row, fact, keep, total, product, segment, first, last, head, num_edges,
            SLOPE, HEADS, SLICES, ENTRIES, PIECES,
        )  # fmt: skip
        tl.store(means + place * HEADS + head, mean, mask=live & several)


@kernel
def merge_inner(means, indptr, boundary, num_blocks, HEADS: tl.constexpr, SIZE: tl.constexpr):
    """Add up a target's means, and leave the sum with each of its boundaries. Grid: boundaries."""
    block = tl.program_id(0).to(tl.int64)
    _, final = parts(block, indptr, boundary, SIZE)
    for head in range(HEADS):
        total = tl.load(means + block * HEADS + head, mask=block <= final, other=0)
        for start in range(block, final + 1, 32):
            entry = start + tl.arange(0, 32).to(tl.int64)
            total += tl.sum(tl.load(means + (num_blocks + entry) * HEADS + head, mask=entry <= final, other=0))
        for start in range(block, final + 1, 32):
            entry = start + tl.arange(0, 32).to(tl.int64)
            tl.store(means + entry * HEADS + head, total, mask=entry <= final)


@kernel
def logits_backward(
    target_logit, row_logit, row, fact, keep, total, product, means, grad_target, grad_logit, partial,
    indptr, boundary, num_nodes, num_edges, num_blocks,
    SLOPE: tl.constexpr, HEADS: tl.constexpr, SLICES: tl.constexpr, SIZE: tl.constexpr,
    ENTRIES: tl.constexpr, PIECES: tl.constexpr,
):  # fmt: skip
    """Back through softmax and LeakyReLU, and the sum by target. Grid: groups of PIECES pieces."""
    index = tl.program_id(0) * PIECES + tl.arange(0, PIECES)
    segment, first, last, live, several, number = piece(index, indptr, boundary, num_nodes, num_edges, SIZE)
    several = live & several
    alone = tl.where(several, first, last)
    slot = tl.where(index < num_nodes, 0, num_blocks) + number
    for head in range(HEADS):
        mean = _inner_scan(
            target_logit, row_logit, row, fact, keep, total, product, segment, first, alone, head, num_edges,
            SLOPE, HEADS, SLICES, ENTRIES, PIECES,
        )  # fmt: skip
        mean = tl.where(several, tl.load(means + number * HEADS + head, mask=several, other=0), mean)[:, None]
        sum_of_all = tl.load(total + segment * HEADS + head)[:, None]
        result = tl.zeros([PIECES], row_logit.dtype.element_ty)
        for start in range(0, tl.max(last - first), ENTRIES):
            entry = first[:, None] + start + tl.arange(0, ENTRIES)[None, :]
            inside = entry < last[:, None]
            logit = edge_logit(target_logit, row_logit, row, fact, keep, segment, entry, inside, head, SLOPE, HEADS)
            grad = edge_weight(logit, sum_of_all) * (_grad_weight(product, entry, inside, num_edges, SLICES) - mean)
            grad = tl.where(logit <= 0, SLOPE * grad, grad)
            tl.store(grad_logit + entry * HEADS + head, grad, mask=inside)
            result += tl.sum(grad, axis=1)
        tl.store(grad_target + segment * HEADS + head, result, mask=live & (several == 0))
        tl.store(partial + slot * HEADS + head, result, mask=several)


@kernel
def sum_by_row(
    grad_logit, position, grad_row, partial, indptr, boundary, num_rows, num_edges, num_blocks,
    HEADS: tl.constexpr, SIZE: tl.constexpr, ENTRIES: tl.constexpr, PIECES: tl.constexpr,
):  # fmt: skip
    """The sum of the edges' logit gradients over each row's edges. Grid: groups of PIECES pieces."""
    index = tl.program_id(0) * PIECES + tl.arange(0, PIECES)
    segment, first, last, live, several, number = piece(index, indptr, boundary, num_rows, num_edges, SIZE)
    slot = tl.where(index < num_rows, 0, num_blocks) + number
    for head in range(HEADS):
        total = tl.zeros([PIECES], grad_row.dtype.element_ty)
        for start in range(0, tl.max(last - first), ENTRIES):
            entry = first[:, None] + start + tl.arange(0, ENTRIES)[None, :]
            inside = entry < last[:, None]
            place = tl.load(position + entry, mask=inside, other=0).to(tl.int64)
            total += tl.sum(tl.load(grad_logit + place * HEADS + head, mask=inside, other=0), axis=1)
        tl.store(grad_row + segment * HEADS + head, total, mask=live & (several == 0))
        tl.store(partial + slot * HEADS + head, total, mask=live & several)
