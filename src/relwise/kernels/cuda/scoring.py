"""Triton implementation of the products of three rows, real and complex (see `relwise.kernels.scoring`).

Forward: a tile of edges × d a program, three gathered rows an edge, 16 bytes a lane; each row's product is summed
within one warp.

Backward: each edge adds to three sums, its head's, its tail's and its relation's: 3 n entries. A stable sort by what
they add to brings each sum's entries together (a radix sort of 32-bit keys, some bytes an edge against 6 d of gathers),
in an order that the input fixes; then one program a segment of entries adds them up, long segments in pieces
(`common.py`). Nodes and relations take the same kernel in one launch: a relation among few is what a hub is among
nodes. Each entry is the product of two gathered rows. Of complex rows each number has its other part half a row away:
both are read, the second time from the nearest cache.

Indices are not looked at: to refuse one that is out of range would need a synchronisation.
"""

# pyright: reportArgumentType=false, reportGeneralTypeIssues=false
# In a kernel `range` takes Triton's numbers, which pyright cannot know.
from __future__ import annotations

import torch
import triton
import triton.language as tl
from torch import Tensor

from relwise.kernels.cuda.common import (
    SIZE,
    WARP_TILE,
    accumulator,
    kernel,
    launch,
    merge_parts,
    piece,
    power,
    store_part,
    tiles,
)


def edge_product(
    nodes: Tensor, relations: Tensor, head: Tensor, relation: Tensor, tail: Tensor, paired: bool = False
) -> Tensor:
    """(n,) products of three rows, in the relations' precision.

    Args:
        nodes: (N, d).
        relations: (R, d).
        head, relation, tail: (n,) int64 indices.
        paired: whether rows are of complex numbers, their imaginary parts behind their real parts.
    """
    nodes, relations = nodes.contiguous(), relations.contiguous()
    head, relation, tail = head.contiguous(), relation.contiguous(), tail.contiguous()
    out, width = relations.new_empty(len(head)), nodes.shape[1] // (2 if paired else 1)
    # Three tiles are held at once: half the usual tile each, for each of four warps.
    columns = power(width, 16, 256)
    edges = 4 * WARP_TILE // 2 // columns
    launch(
        forward, (triton.cdiv(len(head), edges),), nodes, relations, head, relation, tail, out, len(head),
        ACCUMULATOR=_triton_type(relations.dtype), WIDTH=width, COLUMNS=columns, EDGES=edges, PAIRED=paired,
        num_warps=4,
    )  # fmt: skip
    return out


def edge_product_backward(
    grad: Tensor,
    nodes: Tensor,
    relations: Tensor,
    head: Tensor,
    relation: Tensor,
    tail: Tensor,
    paired: bool = False,
    size: int = SIZE,
) -> tuple[Tensor, Tensor]:
    """Gradients by the nodes (N, d) and the relations (R, d).

    Args:
        grad: (n,).
        nodes: (N, d).
        relations: (R, d).
        head, relation, tail: (n,) int64 indices.
        paired: whether rows are of complex numbers.
        size: a piece's entries.
    """
    grad, nodes, relations = grad.contiguous(), nodes.contiguous(), relations.contiguous()
    head, relation, tail = head.contiguous(), relation.contiguous(), tail.contiguous()
    (num_nodes, width), num_edges = nodes.shape, len(head)
    segments, entries = num_nodes + len(relations), 3 * num_edges
    keys, order = torch.sort(torch.cat((head, tail, relation + num_nodes)).to(torch.int32), stable=True)
    names = torch.arange(segments + 1, dtype=torch.int32, device=keys.device)
    indptr = torch.searchsorted(keys, names, out_int32=True)
    boundary = keys[::size].contiguous()
    blocks = len(boundary)

    grads = relations.new_empty(segments, width)
    partial = relations.new_empty(2, blocks, width, dtype=accumulator(relations.dtype))
    tile = tiles(width, entries, segments, held=4 if paired else 2)
    launch(
        backward, (segments + blocks, triton.cdiv(width, tile["COLUMNS"])), grad, nodes, relations,
        head, relation, tail, order, grads, partial, indptr, boundary, num_nodes, num_edges, segments, entries, blocks,
        SIZE=size, PAIRED=paired, **tile,
    )  # fmt: skip
    merge_parts(grads, partial, indptr, boundary, size)
    # An operator's results must not share memory: copy the smaller.
    return grads[:num_nodes].to(nodes.dtype), grads[num_nodes:].clone()


def _triton_type(dtype: torch.dtype) -> tl.dtype:
    return tl.float64 if accumulator(dtype) == torch.float64 else tl.float32


@kernel
def forward(
    nodes, relations, head, relation, tail, out, num_edges,
    ACCUMULATOR: tl.constexpr, WIDTH: tl.constexpr, COLUMNS: tl.constexpr, EDGES: tl.constexpr, PAIRED: tl.constexpr,
):  # fmt: skip
    """The product of each edge's three rows of WIDTH numbers. Grid: groups of EDGES edges."""
    edge = tl.program_id(0).to(tl.int64) * EDGES + tl.arange(0, EDGES)
    inside = edge < num_edges
    h = tl.load(head + edge, mask=inside, other=0)
    r = tl.load(relation + edge, mask=inside, other=0)
    t = tl.load(tail + edge, mask=inside, other=0)
    total = tl.zeros([EDGES], ACCUMULATOR)
    size: tl.constexpr = 2 * WIDTH if PAIRED else WIDTH
    for start in tl.static_range(0, WIDTH, COLUMNS):
        column = start + tl.arange(0, COLUMNS)
        mask = inside[:, None] & (column < WIDTH)[None, :]
        first = nodes + h[:, None] * size + column[None, :]
        second = relations + r[:, None] * size + column[None, :]
        third = nodes + t[:, None] * size + column[None, :]
        a = tl.load(first, mask=mask, other=0).to(ACCUMULATOR)
        b = tl.load(second, mask=mask, other=0).to(ACCUMULATOR)
        c = tl.load(third, mask=mask, other=0).to(ACCUMULATOR)
        if PAIRED:
            x = tl.load(first + WIDTH, mask=mask, other=0).to(ACCUMULATOR)
            y = tl.load(second + WIDTH, mask=mask, other=0).to(ACCUMULATOR)
            z = tl.load(third + WIDTH, mask=mask, other=0).to(ACCUMULATOR)
            total += tl.sum((a * b - x * y) * c + (x * b + a * y) * z, axis=1)
        else:
            total += tl.sum(a * b * c, axis=1)
    tl.store(out + edge, total.to(out.dtype.element_ty), mask=inside)


@triton.jit
def _entries(entry, last, order, head, relation, tail, grad, num_edges, is_node):
    """Of some entries: the node of the first factor, the node or relation of the second, the gradient, and the signs.

    An end's factors are the other end and the relation, a relation's are the head and the tail. Of complex factors
    the derivative is of x = conj(first) or y = conj(second) or neither, as the signs of their imaginary parts say: by
    head tail · conj(relation), by tail head · relation, by relation conj(head) · tail.
    """
    inside = entry < last
    place = tl.load(order + entry, mask=inside, other=0)
    role = (place >= num_edges).to(tl.int64) + (place >= 2 * num_edges).to(tl.int64)
    edge = place - role * num_edges
    h = tl.load(head + edge, mask=inside, other=0)
    t = tl.load(tail + edge, mask=inside, other=0)
    r = tl.load(relation + edge, mask=inside, other=0)
    weight = tl.load(grad + edge, mask=inside, other=0)
    return tl.where(role == 0, t, h), tl.where(is_node, r, t), weight, role


@triton.jit
def _derivative(first, second, column, mask, role, total, WIDTH: tl.constexpr, PAIRED: tl.constexpr):
    """The product of two factors, of complex ones with the conjugates that `_entries` names.

    Args:
        first, second: pointers to the factors' rows.
        column: of the result.
        total: what the products are added to: they are of its type.
    """
    a = tl.load(first + column, mask=mask, other=0).to(total.dtype)
    b = tl.load(second + column, mask=mask, other=0).to(total.dtype)
    if PAIRED:
        half: tl.constexpr = WIDTH // 2
        other = tl.where(column < half, column + half, column - half)
        x = tl.load(first + other, mask=mask, other=0).to(total.dtype)
        y = tl.load(second + other, mask=mask, other=0).to(total.dtype)
        of_first = tl.where(role == 2, -1, 1)[:, None].to(total.dtype)
        of_second = tl.where(role == 0, -1, 1)[:, None].to(total.dtype)
        real = a * b - of_first * of_second * x * y
        imaginary = of_first * a * y + of_second * x * b
        return tl.where(column < half, real, imaginary)
    else:
        return a * b


@kernel
def backward(
    grad, nodes, relations, head, relation, tail, order, out, partial, indptr, boundary,
    num_nodes, num_edges, num_segments, num_entries, num_blocks,
    SIZE: tl.constexpr, PAIRED: tl.constexpr, WIDTH: tl.constexpr, COLUMNS: tl.constexpr, ENTRIES: tl.constexpr,
):  # fmt: skip
    """The sum over a piece's entries. Grid: pieces × slices of columns."""
    index = tl.program_id(0)
    segment, first, last, live, several, number = piece(index, indptr, boundary, num_segments, num_entries, SIZE)
    column = tl.program_id(1) * COLUMNS + tl.arange(0, COLUMNS)
    total = tl.zeros([COLUMNS], partial.dtype.element_ty)
    is_node = segment < num_nodes
    entry = first + tl.arange(0, ENTRIES)
    one, two, weight, role = _entries(entry, last, order, head, relation, tail, grad, num_edges, is_node)
    for start in range(first, last, ENTRIES):
        mask = (entry < last)[:, None] & (column < WIDTH)[None, :]
        lefts = nodes + one[:, None] * WIDTH
        if is_node:
            rights = relations + two[:, None] * WIDTH
            product = _derivative(lefts, rights, column[None, :], mask, role, total, WIDTH, PAIRED)
        else:
            rights = nodes + two[:, None] * WIDTH
            product = _derivative(lefts, rights, column[None, :], mask, role, total, WIDTH, PAIRED)
        now = weight.to(total.dtype)
        # The next tile's indices are under way while this one is added up: order, then edge, then rows wait in turn.
        entry = start + ENTRIES + tl.arange(0, ENTRIES)
        one, two, weight, role = _entries(entry, last, order, head, relation, tail, grad, num_edges, is_node)
        total += tl.sum(now[:, None] * product, axis=0)
    place = tl.where(index < num_segments, 0, num_blocks) + number
    store_part(out, partial, segment, place, live, several, column, total, WIDTH)
