"""`triple_product`: `s_e = Σ_k h[head_e, k] · w[relation_e, k] · h[tail_e, k]` as one operator (eq. 9).

Forward reads three rows an edge and writes one number. Backward sorts the edges' ends by node first (a counting
sort), so that each node's gradient is summed by one thread alone: no atomics, and the same bits with any number of
threads. No tensor of edges × d is made.
"""

from __future__ import annotations

import numpy as np
import torch
from numba import njit, prange
from torch import Tensor

from relwise.kernels import cuda
from relwise.kernels.vector import FAST, balanced

# A relation's gradient is summed over this many slices of the edges: a constant, so that the order is too.
SLICES = 16


def triple_product(nodes: Tensor, relations: Tensor, head: Tensor, relation: Tensor, tail: Tensor) -> Tensor:
    """(n,) products of three rows.

    Args:
        nodes: (N, d).
        relations: (R, d).
        head, relation, tail: (n,) int64 indices.

    >>> nodes = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    >>> triple_product(nodes, torch.ones(1, 2), torch.tensor([0]), torch.tensor([0]), torch.tensor([1])).tolist()
    [11.0]
    """
    return torch.ops.relwise.triple_product(nodes, relations, head, relation, tail)


@torch.library.custom_op("relwise::triple_product", mutates_args=())
def _triple_product(nodes: Tensor, relations: Tensor, head: Tensor, relation: Tensor, tail: Tensor) -> Tensor:
    return (nodes[head] * relations[relation] * nodes[tail]).sum(dim=1)


@_triple_product.register_fake
def _(nodes, relations, head, relation, tail):
    return nodes.new_empty(head.shape[0])


@_triple_product.register_kernel("cpu")
def _(nodes, relations, head, relation, tail):
    out = nodes.new_empty(head.shape[0])
    _check(head, tail, len(nodes))
    _check(relation, relation, len(relations))
    _forward(*_arrays(nodes, relations, head, relation, tail, out))
    return out


@torch.library.custom_op("relwise::triple_product_backward", mutates_args=())
def _triple_product_backward(
    grad: Tensor, nodes: Tensor, relations: Tensor, head: Tensor, relation: Tensor, tail: Tensor
) -> tuple[Tensor, Tensor]:
    h, w, t, g = nodes[head], relations[relation], nodes[tail], grad[:, None]
    grad_nodes = torch.zeros_like(nodes).index_add(0, head, g * w * t).index_add(0, tail, g * w * h)
    return grad_nodes, torch.zeros_like(relations).index_add(0, relation, g * h * t)


@_triple_product_backward.register_fake
def _(grad, nodes, relations, head, relation, tail):
    return torch.empty_like(nodes), torch.empty_like(relations)


@_triple_product_backward.register_kernel("cpu")
def _(grad, nodes, relations, head, relation, tail):
    grad_nodes = torch.empty(nodes.shape, dtype=nodes.dtype)
    grad_relations = torch.empty(relations.shape, dtype=relations.dtype)
    arrays = _arrays(grad, nodes, relations, head, relation, tail)
    pointer, order = _sort_ends(arrays[3], arrays[5], len(nodes))
    _nodes_backward(*[*arrays, pointer, order, balanced(pointer, 128), grad_nodes.numpy()])
    _relations_backward(*[*arrays, grad_relations.numpy()])
    return grad_nodes, grad_relations


def _save(ctx, inputs, output) -> None:
    ctx.save_for_backward(*inputs)


def _backward(ctx, grad):
    return (*torch.ops.relwise.triple_product_backward(grad, *ctx.saved_tensors), None, None, None)


_triple_product.register_autograd(_backward, setup_context=_save)
cuda.register_scoring(_triple_product, _triple_product_backward)


def _arrays(*tensors: Tensor) -> tuple[np.ndarray, ...]:
    return tuple(tensor.detach().contiguous().numpy() for tensor in tensors)


def _check(first: Tensor, second: Tensor, size: int) -> None:
    """The kernels index without bounds."""
    if len(first) and (
        min(int(first.min()), int(second.min())) < 0 or max(int(first.max()), int(second.max())) >= size
    ):
        raise IndexError(f"an index is outside 0..{size - 1}")


@njit(parallel=True, fastmath=FAST, cache=True)
def _forward(nodes, relations, head, relation, tail, out):
    for e in prange(len(head)):
        h, w, t = nodes[head[e]], relations[relation[e]], nodes[tail[e]]
        total = nodes.dtype.type(0)
        for k in range(len(h)):
            total += h[k] * w[k] * t[k]
        out[e] = total


@njit(cache=True)
def _sort_ends(head, tail, num_nodes):
    """Edges by node: entry 2e stands for e's head, 2e + 1 for its tail, in the edges' order within a node."""
    pointer = np.zeros(num_nodes + 1, np.int64)
    for e in range(len(head)):
        pointer[head[e] + 1] += 1
        pointer[tail[e] + 1] += 1
    for i in range(num_nodes):
        pointer[i + 1] += pointer[i]
    place = pointer[:-1].copy()
    order = np.empty(2 * len(head), np.int64)
    for e in range(len(head)):
        order[place[head[e]]] = 2 * e
        place[head[e]] += 1
        order[place[tail[e]]] = 2 * e + 1
        place[tail[e]] += 1
    return pointer, order


@njit(parallel=True, fastmath=FAST, cache=True)
def _nodes_backward(grad, nodes, relations, head, relation, tail, pointer, order, blocks, grad_nodes):
    for block in prange(len(blocks) - 1):
        for i in range(blocks[block], blocks[block + 1]):
            out = grad_nodes[i]
            out[:] = 0
            for position in range(pointer[i], pointer[i + 1]):
                e = order[position] >> 1
                other = nodes[head[e] if order[position] & 1 else tail[e]]
                w, g = relations[relation[e]], grad[e]
                for k in range(len(out)):
                    out[k] += g * w[k] * other[k]


@njit(parallel=True, fastmath=FAST, cache=True)
def _relations_backward(grad, nodes, relations, head, relation, tail, grad_relations):
    parts = np.zeros((SLICES, relations.shape[0], relations.shape[1]), relations.dtype)
    for piece in prange(SLICES):
        for e in range(piece * len(head) // SLICES, (piece + 1) * len(head) // SLICES):
            h, t, g, out = nodes[head[e]], nodes[tail[e]], grad[e], parts[piece, relation[e]]
            for k in range(len(out)):
                out[k] += g * h[k] * t[k]
    grad_relations[:] = 0
    for piece in range(SLICES):
        grad_relations += parts[piece]
