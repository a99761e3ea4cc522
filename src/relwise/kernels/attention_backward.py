"""Numba implementation of the attention operator's backward pass on the CPU.

By row, over the transposed adjacency; it computes the attention anew from one number a target and head (the logarithm
of the sum of the exponentials of its logits): nothing the size of the edges is looked up in any but its own order,
only tables of nodes and rows are.

No atomics, and the same bits with any number of threads: what is added up by target is added in slices of the edges
whose number depends on the graph alone. What masked edges carry is never read.
"""

from __future__ import annotations

import numpy as np
from numba import njit, prange

from relwise.kernels.attention_forward import end_index, gather, kept_only
from relwise.kernels.compiling import INNER, OUTER, PARALLEL
from relwise.kernels.cpu import BLOCKS, CHUNK, add_parts, num_slices, row_of
from relwise.kernels.lanes import ROOM, attention_again, inner_product
from relwise.kernels.row_sums import rows_back
from relwise.kernels.target_sums import SUMS, add_by_target
from relwise.kernels.vector import AHEAD

BATCH = 1024  # edges laid out at a time: in the nearest cache


@njit(**OUTER)
def sizes(edges, nodes, rows, heads):
    """How many slices there are, and how many places and `stops` `rows_backward` needs."""
    slices = num_slices(edges, nodes, SUMS * heads)
    return slices, edges + ROOM * slices, rows + edges // BATCH + slices + 1


@njit(**INNER)
def lay_out(row_indptr, row_target, row_fact, keep, r, first, last, index, stops):
    """Write the targets of the kept edges first:last to `index`, and to `stops` where those of rows r, r + 1, ... end.

    Returns how many rows have edges among them.
    """
    begin, at, count = first, np.int64(0), 0
    while begin < last:
        stop = min(last, np.int64(row_indptr[r + count + 1]))
        at = kept_only(row_target, row_fact, keep, begin, stop, index, at)
        stops[count] = at
        begin, count = stop, count + 1
    end_index(index, at)
    return count


@njit(**INNER)
def stand_together(row_indptr, r, first, last, stops):
    """`lay_out` where nothing is masked: the targets stand in `row_target` from `first` on."""
    count, stop = 0, first
    while stop < last:
        stop = min(last, np.int64(row_indptr[r + count + 1]))
        stops[count] = stop - first
        count += 1
    return count


@njit(**INNER)
def back_pieces(grad_out, index, weight, start, stop, said, line, begin, grad_said, dots):
    """grad_said += Σ weight[n] grad_out[index[n]], or begin it; dots[n] = grad_out[index[n]] · said.

    Each `CHUNK` is summed by itself, or float32 would lose digits over thousands of edges.
    """
    if begin:
        for k in range(len(grad_said)):
            grad_said[k] = 0
    for piece in range(start, stop, CHUNK):
        count = min(CHUNK, stop - piece)
        rows_back(grad_out, index, weight, piece, count, said, np.int64(0), line, np.int64(0), dots)
        for k in range(len(grad_said)):
            grad_said[k] += line[k]


@njit(**INNER)
def rows_in(row_indptr, r, last):
    """How many of the rows r, r + 1, ... begin before edge `last`."""
    count = 1
    while row_indptr[r + count] < last:
        count += 1
    return count


@njit(**INNER)
def slice_backward(
    grad_out, of_targets, row_logit, rows, row_indptr, row_target, row_fact, keep, slope,
    begin, end, number, grad_rows, grad_row, stops, beta, part, said, carried, carried_row,
):  # fmt: skip
    """`rows_backward`, of the edges begin:end, the slice of that number.

    Args:
        of_targets: (N, 2 L), each target's part of the logits, then its logarithms.
        said: (d,) the row that the slice begins with; then each row, which may stand where its gradient goes.
        part: (N · L · SUMS,) what this slice adds to `sums`.
        carried, carried_row: (d,) and (L,) zeros: what it adds to a row that began in an earlier slice.
    """
    heads, width = row_logit.shape[1], rows.shape[1]
    share = rows.dtype.type(1 / heads)
    room = np.empty(BATCH + AHEAD, np.uint32)
    scratch, alphas = np.empty((4, BATCH + ROOM), rows.dtype), np.empty((heads, BATCH + ROOM), rows.dtype)
    logit, logarithm, weight, dots = scratch[0], scratch[1], scratch[2], scratch[3]
    line, numbers, grad_numbers = np.empty(width, rows.dtype), rows.reshape(rows.size), grad_rows.reshape(rows.size)
    for k in range(len(part)):
        part[k] = 0
    r = row_of(row_indptr, begin) if begin < end else 0
    filled = begin + number * ROOM
    for first in range(begin, end, BATCH):
        last = min(first + BATCH, end)
        ends = stops[r + first // BATCH + number :]
        if len(keep) == 0 and last + AHEAD <= len(row_target):
            index, count = row_target[first:], stand_together(row_indptr, r, first, last, ends)
        else:
            index = room
            count = lay_out(row_indptr, row_target, row_fact, keep, r, first, last, index, ends)
        kept = np.int64(ends[count - 1])
        for head in range(heads):
            gather(of_targets, head, index, kept, logit)
            gather(of_targets, heads + head, index, kept, logarithm)
            alpha, beta_l, start = alphas[head], beta[head], np.int64(0)
            for q in range(count):
                stop = np.int64(ends[q])
                attention_again(
                    logit, logarithm, start, stop - start, row_logit[r + q, head], slope, share, head == 0,
                    alpha, beta_l, filled + start, weight,
                )  # fmt: skip
                start = stop
        start = np.int64(0)
        for q in range(count):
            stop, row = np.int64(ends[q]), r + q
            earlier, begins = row_indptr[row] < begin, row_indptr[row] >= first
            if begins and row_indptr[row + 1] <= last and stop - start <= CHUNK:
                # Mostly a row is of one batch alone, and may be written over where it stands.
                at = row * width
                rows_back(grad_out, index, weight, start, stop - start, numbers, at, grad_numbers, at, dots)
                for head in range(heads):
                    found = inner_product(beta[head], filled + start, dots, start, stop - start)
                    grad_row[row, head] = share * found
                start = stop
                continue
            of_row = carried if earlier else grad_rows[row]
            if begins:
                for k in range(width):
                    said[k] = rows[row, k]
            back_pieces(grad_out, index, weight, start, stop, said, line, begins, of_row, dots)
            of_logit = carried_row if earlier else grad_row[row]
            for head in range(heads):
                found = share * inner_product(beta[head], filled + start, dots, start, stop - start)
                of_logit[head] = found if begins else of_logit[head] + found
            start = stop
        for n in range(kept):
            dots[n] *= share
        add_by_target(index, kept, alphas, beta, filled, dots, part)
        filled += kept
        r += count - (row_indptr[r + count] > last)


@njit(**INNER)
def hand_back(row_indptr, edges, carried, out):
    """Add to each row that was cut what later slices found of it, in their order."""
    slices = len(carried)
    for piece in range(slices):
        begin, end = piece * edges // slices, (piece + 1) * edges // slices
        r = row_of(row_indptr, begin) if begin < end else 0
        if begin < end and row_indptr[r] < begin:
            for k in range(out.shape[1]):
                out[r, k] += carried[piece, k]


@njit(**INNER)
def clear_empty(row_indptr, grad_rows, grad_row):
    """Zero the gradients of the rows without edges, which slices may pass by where they meet."""
    for block in prange(BLOCKS):
        for r in range(block * len(grad_row) // BLOCKS, (block + 1) * len(grad_row) // BLOCKS):
            if row_indptr[r] == row_indptr[r + 1]:
                grad_rows[r] = 0
                grad_row[r] = 0


@njit(**INNER)
def put_together(one, other, out):
    """out (N, 2 L) = both (N, L), side by side."""
    heads = one.shape[1]
    for block in prange(BLOCKS):
        for i in range(block * len(one) // BLOCKS, (block + 1) * len(one) // BLOCKS):
            for head in range(heads):
                out[i, head], out[i, heads + head] = one[i, head], other[i, head]


@njit(**PARALLEL)
def rows_backward(
    grad_out, target_logit, row_logit, rows, logsumexp, row_indptr, row_target, row_fact, keep, slope,
    grad_rows, grad_row, of_targets, stops, beta, parts, sums,
):  # fmt: skip
    """One pass over the transposed adjacency, after which only what the softmax takes off is missing.

    With g the gradient of an edge's weight and β = α times LeakyReLU's slope there. The kept edges of each slice stand
    one after the other from its first edge on, with `ROOM` places between slices.

    Args:
        grad_rows: (P, d), to be filled; may be `rows` itself.
        grad_row: (P, L), to be filled: Σ β g of each row.
        of_targets: (N, 2 L), to be filled: looked up together, they are one line of memory instead of two.
        stops: (stops,) int32, to be filled: where the rows of each batch end among its kept edges.
        beta: (L, places), to be filled: of the kept edges.
        parts: (slices, N · L · SUMS) scratch.
        sums: (N · L · SUMS,), to be filled: Σ α g and Σ β g of each target and head.
    """
    edges, slices = len(row_target), len(parts)
    slope = rows.dtype.type(slope)
    carried = np.zeros((slices, rows.shape[1]), rows.dtype)
    carried_row, said = np.zeros((slices, target_logit.shape[1]), rows.dtype), np.zeros_like(carried)
    put_together(target_logit, logsumexp, of_targets)
    for cut in range(slices if edges else 0):  # before an earlier slice writes over them
        r = row_of(row_indptr, min(cut * edges // slices, edges - 1))
        for k in range(rows.shape[1]):
            said[cut, k] = rows[r, k]
    for piece in prange(slices):
        number = np.int64(piece)  # unsigned in one pass of the compiler: two compilations
        begin, end = number * edges // slices, (number + 1) * edges // slices
        slice_backward(
            grad_out, of_targets, row_logit, rows, row_indptr, row_target, row_fact, keep, slope,
            begin, end, number, grad_rows, grad_row, stops, beta, parts[piece], said[piece], carried[piece],
            carried_row[piece],
        )  # fmt: skip
    clear_empty(row_indptr, grad_rows, grad_row)
    hand_back(row_indptr, edges, carried, grad_rows)
    hand_back(row_indptr, edges, carried_row, grad_row)
    add_parts(parts, sums)


@njit(**INNER)
def softmax_of_targets(first, last, sums, slopes, inner, grad_target):
    """`softmax_backward`, of the targets first:last, and what it takes off each gradient of a weight."""
    heads = grad_target.shape[1]
    for i in range(first, last):
        for head in range(heads):
            at = SUMS * (i * heads + head)
            inner[i, head] = sums[at]
            grad_target[i, head] = sums[at + 1] - sums[at] * slopes[i, head]


@njit(**INNER)
def softmax_of_slice(
    row_indptr, row_target, row_fact, keep, begin, end, number, stops, beta, inner, grad_row, carried
):  # fmt: skip
    """`softmax_backward`, of the edges begin:end, the slice of that number; arguments as of `slice_backward`."""
    room, scratch = np.empty(BATCH + AHEAD, np.uint32), np.empty(BATCH + ROOM, inner.dtype)
    r = row_of(row_indptr, begin) if begin < end else 0
    filled = begin + number * ROOM
    for first in range(begin, end, BATCH):
        last = min(first + BATCH, end)
        ends, count = stops[r + first // BATCH + number :], rows_in(row_indptr, r, last)
        index, kept = row_target[first:], last - first
        if len(keep):
            # Laid out again: kept, the targets of all edges would be the largest thing that a backward pass holds.
            index = room
            kept = kept_only(row_target, row_fact, keep, first, last, index, np.int64(0))
        for head in range(inner.shape[1]):
            gather(inner, head, index, kept, scratch)
            start = np.int64(0)
            for q in range(count):
                stop, row = np.int64(ends[q]), r + q
                out = carried if row_indptr[row] < begin else grad_row[row]
                out[head] -= inner_product(beta[head], filled + start, scratch, start, stop - start)
                start = stop
        filled += kept
        r += count - (row_indptr[r + count] > last)


@njit(**PARALLEL)
def softmax_backward(
    row_indptr, row_target, row_fact, keep, slices, stops, beta, sums, slopes, inner, grad_target, grad_row
):  # fmt: skip
    """What the softmax takes off, from what `rows_backward` found; scalars only.

    Args:
        slopes: (N, L) Σ β of each target, as found forward.
        inner: (N, L), to be filled: what is taken off each gradient of a weight.
        grad_target: (N, L), to be filled.
        grad_row: (P, L), from which Σ β · inner of the edges' targets is taken.
    """
    nodes, heads = grad_target.shape
    edges = len(row_target)
    carried = np.zeros((slices, heads), sums.dtype)
    for block in prange(BLOCKS):
        softmax_of_targets(block * nodes // BLOCKS, (block + 1) * nodes // BLOCKS, sums, slopes, inner, grad_target)
    for piece in prange(slices):
        number = np.int64(piece)  # unsigned in one pass of the compiler: two compilations
        begin, end = number * edges // slices, (number + 1) * edges // slices
        softmax_of_slice(
            row_indptr, row_target, row_fact, keep, begin, end, number, stops, beta, inner, grad_row, carried[piece]
        )
    hand_back(row_indptr, edges, carried, grad_row)
