"""Logits of the attention heads straight from the states of the nodes, and their gradients.

By `a_l · [W_self h_i ‖ h_r ‖ W_r h_j] = (W_self a_l) · h_i + a_l · h_r + (W_r a_l) · h_j` (eq. 4, each a_l's own part)
neither what the nodes say nor its gradient is read for the sake of the logits: each node's state is read once, for its
own part and for those of all its rows. The `W a_l` are the *vectors*: (R + 1, L, k), the last of W_self.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from numba import njit, prange
from torch import Tensor

from relwise.kernels.adjacency import Adjacency
from relwise.kernels.arrays import arrays
from relwise.kernels.compiling import OUTER, PARALLEL
from relwise.kernels.memory import room
from relwise.kernels.products import row_product
from relwise.kernels.tile import multiply_add
from relwise.kernels.vector import AHEAD, balanced, prefetch, turned

BLOCKS = 64
SUMS = 1 << 20  # numbers that all slices add up together, at most


class Parts(NamedTuple):
    """What logits are made of besides the states.

    Args:
        weights: (R, k, d) W_r.
        weight_self: (k, d).
        of_target, of_relation, of_source: (d, L), (c, L), (d, L) the a_l's parts.
        relation_state: (R, c) h_r.
    """

    weights: Tensor
    weight_self: Tensor
    of_target: Tensor
    of_relation: Tensor
    of_source: Tensor
    relation_state: Tensor


def node_logits(x: Tensor, parts: Parts, adjacency: Adjacency) -> tuple[Tensor, Tensor, Tensor]:
    """(N, L) the targets' part of each logit, (P, L) that of relation and source, and the vectors; on the CPU.

    Args:
        x: (N, k).
        parts: all else.
        adjacency: whose rows they are.

    >>> import torch
    >>> from relwise.kernels.adjacency import build_adjacency
    >>> adjacency = build_adjacency(torch.tensor([1]), torch.tensor([0]), torch.tensor([0]), 2, 1)
    >>> x, vector, eye = torch.tensor([[1.0, 2.0], [3.0, 4.0]]), torch.tensor([[1.0], [10.0]]), torch.eye(2)
    >>> parts = Parts(2 * eye[None], eye, vector, torch.tensor([[0.5]]), vector, torch.tensor([[3.0]]))
    >>> target, row, _ = node_logits(x, parts, adjacency)
    >>> target.tolist(), row.tolist()
    ([[21.0], [43.0]], [[87.5]])
    """
    heads = parts.of_target.shape[1]
    target, row = room((len(x), heads), x.dtype), room((len(adjacency.row_source), heads), x.dtype)
    vectors = x.new_empty(len(parts.weights) + 1, heads, x.shape[1])
    _forward(*[*arrays(x, *parts), *_rows_of_nodes(adjacency), vectors.numpy(), target.numpy(), row.numpy()])
    return target, row, vectors


def node_logits_backward(
    grad_target: Tensor, grad_row: Tensor, x: Tensor, adjacency: Adjacency
) -> tuple[Tensor, Tensor]:
    """(R + 1, L, k) the gradient of the vectors, and (R, L) that of `a_l · h_r`.

    Those of the parts are `vectors_backward`'s, that of the states `add_to_sources`'s.

    Args:
        grad_target: (N, L).
        grad_row: (P, L).
        x: (N, k).
        adjacency: as given forward.
    """
    relations, heads, width = adjacency.num_relations, grad_target.shape[1], x.shape[1]
    # A function of the sizes alone, so that sums are added in the same order by any number of threads.
    slices = min(BLOCKS, max(1, SUMS // max(1, (relations + 1) * heads * width)))
    grad_vectors, by_relation = x.new_empty(relations + 1, heads, width), x.new_empty(relations, heads)
    given = *arrays(grad_target, grad_row, x), *_rows_of_nodes(adjacency)
    _backward(*[*given, slices, grad_vectors.numpy(), by_relation.numpy()])
    return grad_vectors, by_relation


def vectors_backward(
    grad_vectors: Tensor, by_relation: Tensor, parts: Parts, grad_weights: Tensor, grad_weight_self: Tensor
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """The gradients of `parts` but the weights'; those are added to what they are so far.

    Args:
        grad_vectors: (R + 1, L, k).
        by_relation: (R, L) the gradient of `a_l · h_r`.
        parts: as given forward.
        grad_weights, grad_weight_self: (R, k, d) and (k, d), added to.
    """
    grads = tuple(torch.empty_like(t, memory_format=torch.contiguous_format) for t in parts[2:])
    added = (t.numpy() for t in (grad_weights, grad_weight_self, *grads))
    _vectors_backward(*[*arrays(grad_vectors, by_relation, *parts), *added])
    of_target, of_relation, of_source, relation_state = grads
    return of_target, of_relation, of_source, relation_state


def add_to_sources(
    rows: Tensor, grad_target: Tensor, grad_row: Tensor, vectors: Tensor, adjacency: Adjacency, out: Tensor
) -> None:
    """out_j += the sum of j's rows, in their order, and of what j's logits ask for.

    Args:
        rows: (P, k).
        grad_target, grad_row: (N, L) and (P, L).
        vectors: (R + 1, L, k).
        adjacency: whose rows they are.
        out: (N, k), added to.
    """
    _add(*[*arrays(rows, grad_target, grad_row, vectors), *_rows_of_nodes(adjacency), out.numpy()])


def _rows_of_nodes(adjacency: Adjacency) -> tuple[np.ndarray, ...]:
    return tuple(t.numpy() for t in (adjacency.source_indptr, adjacency.source_row, adjacency.row_relation))


@njit(**PARALLEL)
def _forward(
    x, weights, weight_self, of_target, of_relation, of_source, relation_state, pointer, order, relation, vectors,
    target, row,
):  # fmt: skip
    relations, width, heads = weights.shape[0], x.shape[1], of_target.shape[1]
    to_target, to_relation, to_source = turned(of_target), turned(of_relation), turned(of_source)
    constant = np.empty((relations, heads), x.dtype)
    for line in prange((relations + 1) * width):
        r, k = line // width, line % width
        for head in range(heads):
            if r < relations:
                vectors[r, head, k] = row_product(weights[r, k], to_source[head])
                if k == 0:
                    constant[r, head] = row_product(relation_state[r], to_relation[head])
            else:
                vectors[r, head, k] = row_product(weight_self[k], to_target[head])
    blocks = balanced(pointer, BLOCKS)
    for block in prange(BLOCKS):
        for j in range(blocks[block], blocks[block + 1]):
            for head in range(heads):
                target[j, head] = row_product(x[j], vectors[relations, head])
            for n in range(pointer[j], pointer[j + 1]):
                p = np.uint32(order[n])
                r = np.uint32(relation[p])
                for head in range(heads):
                    row[p, head] = row_product(x[j], vectors[r, head]) + constant[r, head]


@njit(**PARALLEL)
def _backward(grad_target, grad_row, x, pointer, order, relation, slices, grad_vectors, by_relation):
    blocks, own = balanced(pointer, slices), len(by_relation)
    parts = np.empty((slices, *grad_vectors.shape), x.dtype)
    constants = np.empty((slices, *by_relation.shape), x.dtype)
    for block in prange(slices):
        part, constant = parts[block], constants[block]
        part[:] = 0
        constant[:] = 0
        for j in range(blocks[block], blocks[block + 1]):
            state = x[j]
            for head in range(part.shape[1]):
                into, grad = part[own, head], grad_target[j, head]
                for k in range(len(state)):
                    into[k] = multiply_add(grad, state[k], into[k])
            for n in range(pointer[j], pointer[j + 1]):
                p = np.uint32(order[n])
                r = np.uint32(relation[p])
                for head in range(part.shape[1]):
                    into, grad = part[r, head], grad_row[p, head]
                    constant[r, head] += grad
                    for k in range(len(state)):
                        into[k] = multiply_add(grad, state[k], into[k])
    for r in prange(own + 1):
        for head in range(grad_vectors.shape[1]):
            into = grad_vectors[r, head]
            into[:] = 0
            for block in range(slices):
                part = parts[block, r, head]
                for k in range(len(into)):
                    into[k] += part[k]
            if r < own:
                total = x.dtype.type(0)
                for block in range(slices):
                    total += constants[block, r, head]
                by_relation[r, head] = total


@njit(**OUTER)
def _vectors_backward(
    grad_vectors, by_relation, weights, weight_self, of_target, of_relation, of_source, relation_state, grad_weights,
    grad_weight_self, grad_target, grad_relation, grad_source, grad_state,
):  # fmt: skip
    relations, width, heads = weights.shape[0], weights.shape[2], of_target.shape[1]
    to_target, to_source = turned(of_target), turned(of_source)
    totals = np.zeros((2, heads, width), weights.dtype)
    for r in range(relations + 1):
        matrix, grad_matrix = (weights[r], grad_weights[r]) if r < relations else (weight_self, grad_weight_self)
        attention, grad_attention = (to_source, totals[0]) if r < relations else (to_target, totals[1])
        for k in range(len(matrix)):
            line, grad_line = matrix[k], grad_matrix[k]
            for head in range(heads):
                grad, vector, into = grad_vectors[r, head, k], attention[head], grad_attention[head]
                for n in range(width):
                    into[n] = multiply_add(grad, line[n], into[n])
                    grad_line[n] = multiply_add(grad, vector[n], grad_line[n])
    for head in range(heads):
        for n in range(width):
            grad_source[n, head], grad_target[n, head] = totals[0, head, n], totals[1, head, n]
        for k in range(len(grad_relation)):
            grad_relation[k, head] = 0
    for r in range(relations):
        for k in range(len(grad_relation)):
            state = weights.dtype.type(0)
            for head in range(heads):
                grad_relation[k, head] += by_relation[r, head] * relation_state[r, k]
                state += by_relation[r, head] * of_relation[k, head]
            grad_state[r, k] = state


@njit(**PARALLEL)
def _add(rows, grad_target, grad_row, vectors, pointer, order, relation, out):
    heads, own = vectors.shape[1], len(vectors) - 1
    blocks = balanced(pointer, BLOCKS)
    for block in prange(BLOCKS):
        for j in range(blocks[block], blocks[block + 1]):
            into = out[j]
            if heads == 2:  # the usual number: what is added to is read and written once
                one, other, a, b = vectors[own, 0], vectors[own, 1], grad_target[j, 0], grad_target[j, 1]
                for k in range(len(into)):
                    into[k] = multiply_add(b, other[k], multiply_add(a, one[k], into[k]))
            else:
                for head in range(heads):
                    vector, grad = vectors[own, head], grad_target[j, head]
                    for k in range(len(into)):
                        into[k] = multiply_add(grad, vector[k], into[k])
            for n in range(pointer[j], pointer[j + 1]):
                # Of each relation the next row, which nobody else sees coming.
                prefetch(rows, np.uint32(order[min(n + AHEAD, len(order) - 1)]))
                p = np.uint32(order[n])
                row, r = rows[p], np.uint32(relation[p])
                if heads == 2:
                    one, other, a, b = vectors[r, 0], vectors[r, 1], grad_row[p, 0], grad_row[p, 1]
                    for k in range(len(into)):
                        into[k] = multiply_add(b, other[k], multiply_add(a, one[k], into[k] + row[k]))
                    continue
                for k in range(len(into)):
                    into[k] += row[k]
                for head in range(heads):
                    vector, grad = vectors[r, head], grad_row[p, head]
                    for k in range(len(into)):
                        into[k] = multiply_add(grad, vector[k], into[k])
