"""Numba kernels of the scalars of a layer of bases: its rows' logits without rows, and its edges' weights.

With W_r = Σ_b c_rb V_b the row's part of a logit, a_l · W_r x_j, is Σ_b c_rb (x_j V_b a_l): of each node only B × L
numbers are needed. See `kernels/bases.py` for what is of d numbers.
"""

from __future__ import annotations

import numpy as np
from numba import njit, prange

from relwise.kernels.compiling import PARALLEL
from relwise.kernels.cpu import BLOCKS, HUB, add_weights, edge_logits, exponentials, look_up
from relwise.kernels.tile import multiply_add
from relwise.kernels.vector import balanced


@njit(**PARALLEL)
def row_logits(coefficient, by_basis, by_relation, relation, source, out):
    """out[p, l] = Σ_b coefficient[relation[p], b] by_basis[source[p], b, l] + by_relation[relation[p], l].

    Args:
        coefficient: (R, B).
        by_basis: (N, B, L) x_j V_b a_l.
        by_relation: (R, L) h_r a_l.
        relation, source: (P,).
        out: (P, L), to be filled.
    """
    bases, heads = by_basis.shape[1], by_basis.shape[2]
    for block in prange(BLOCKS):
        for p in range(block * len(out) // BLOCKS, (block + 1) * len(out) // BLOCKS):
            r, said = relation[p], by_basis[source[p]]
            for head in range(heads):
                total = by_relation[r, head]
                for b in range(bases):
                    total = multiply_add(coefficient[r, b], said[b, head], total)
                out[p, head] = total


@njit(**PARALLEL)
def row_logits_backward(grad, coefficient, by_basis, relation, source_row, grad_basis, of_coefficient, of_relation):
    """The gradients of `row_logits`, over rows sorted by source.

    Args:
        grad: (P, L).
        relation: (P,) in the same order.
        source_row: (N + 1,) node j's rows are `source_row[j]:source_row[j + 1]`.
        grad_basis: (N, B, L), to be filled.
        of_coefficient: (slices, R, B), zeros: each slice's part.
        of_relation: (slices, R, L), zeros.
    """
    bases, heads = by_basis.shape[1], by_basis.shape[2]
    nodes, slices = len(by_basis), len(of_coefficient)
    for piece in prange(slices):
        for j in range(piece * nodes // slices, (piece + 1) * nodes // slices):
            said, grad_said = by_basis[j], grad_basis[j]
            grad_said[:] = 0
            for q in range(source_row[j], source_row[j + 1]):
                r = relation[q]
                for head in range(heads):
                    g = grad[q, head]
                    of_relation[piece, r, head] += g
                    for b in range(bases):
                        grad_said[b, head] = multiply_add(g, coefficient[r, b], grad_said[b, head])
                        of_c = of_coefficient[piece, r]
                        of_c[b] = multiply_add(g, said[b, head], of_c[b])


@njit(**PARALLEL)
def edge_weights(target_logit, row_logit, indptr, row, fact, keep, slope, weight, logsumexp):
    """`attention_forward.attend` up to the edges' weights, averaged over heads; targets beyond `HUB` are left out.

    Args:
        weight: (E,), to be filled.
        logsumexp: (N, L), to be filled.
    """
    heads = target_logit.shape[1]
    slope, share, none = weight.dtype.type(slope), weight.dtype.type(1 / heads), weight.dtype.type(np.inf)
    blocks = balanced(indptr, BLOCKS)
    for block in prange(BLOCKS):
        alpha, kept = np.empty(HUB, weight.dtype), np.empty(HUB, np.bool_)
        for i in range(blocks[block], blocks[block + 1]):
            first, last = indptr[i], indptr[i + 1]
            if last - first > HUB:
                continue
            alpha_i, kept_i = alpha[: last - first], kept[: last - first]
            look_up(keep, fact[first:last], kept_i)
            for head in range(heads):
                at_target = target_logit[i, head]
                highest = edge_logits(at_target, row_logit[:, head], row[first:last], kept_i, slope, alpha_i)
                total = exponentials(highest, alpha_i)
                any_kept = total != 0  # NaN is not
                logsumexp[i, head] = highest + np.log(total) if any_kept else none
                add_weights(share / total if any_kept else total, alpha_i, weight[first:last], head == 0)


@njit(**PARALLEL)
def hub_weights(pieces, target_logit, row_logit, row, fact, keep, slope, logsumexp, weight):
    """The weights that `edge_weights` left out, from `logsumexp` as `hubs.attend_hubs` found it."""
    slope, share = weight.dtype.type(slope), weight.dtype.type(1 / target_logit.shape[1])
    for piece in prange(len(pieces)):
        i, first, last = pieces[piece]
        alpha, kept = np.empty(last - first, weight.dtype), np.empty(last - first, np.bool_)
        look_up(keep, fact[first:last], kept)
        for head in range(target_logit.shape[1]):
            edge_logits(target_logit[i, head], row_logit[:, head], row[first:last], kept, slope, alpha)
            exponentials(logsumexp[i, head], alpha)
            add_weights(share, alpha, weight[first:last], head == 0)
