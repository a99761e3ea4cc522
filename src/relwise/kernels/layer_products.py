"""The matrix products of a layer, `W_self h_i` of all nodes and `W_r h_j` of all rows, and their gradients.

Where both are the register tile's they are one call, so that no thread waits for another one between them; else each
goes its own way (`relwise.kernels.matmul`, `relwise.kernels.grouped`).
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from relwise.kernels import gemm
from relwise.kernels.adjacency import Adjacency
from relwise.kernels.arrays import arrays
from relwise.kernels.gemm_gradients import Gradients, gradient_products
from relwise.kernels.grouped import grouped_product, grouped_sources, grouped_weights
from relwise.kernels.matmul import Precision, by_shape, on_tile, product
from relwise.kernels.memory import room
from relwise.kernels.slices import IntArray


def layer_products(
    x: Tensor, weights: Tensor, weight_self: Tensor, adjacency: Adjacency, precision: Precision = "float32"
) -> tuple[Tensor, Tensor]:
    """(N, n) `x W_self`, and (P, n) `x_j W_r` of the rows that exist.

    Args:
        x: (N, k).
        weights: (R, k, n).
        weight_self: (k, n).
        adjacency: whose rows they are.
        precision: of the factors.
    """
    if not _together(x, weights, weight_self, adjacency, precision):
        return product(x, weight_self, precision), grouped_product(x, weights, adjacency, precision)
    own = room((len(x), weight_self.shape[1]), x.dtype)
    rows = room((len(adjacency.row_source), weights.shape[2]), x.dtype)
    gemm.row_products(*_groups(x, x, weights, weight_self, rows, own, adjacency))
    return own, rows


def layer_gradients(
    x: Tensor,
    grad_rows: Tensor,
    grad_own: Tensor,
    weights: Tensor,
    weight_self: Tensor,
    adjacency: Adjacency,
    precision: Precision = "float32",
) -> tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]:
    """What `layer_weights` and `layer_sources` give, of one pass over the gradients where both are the tile's."""
    together = grad_rows.is_contiguous() and _together(grad_own, weights, weight_self, adjacency, precision)
    if not together or not _together(x, weights, grad_own, adjacency, precision):
        by_weights = layer_weights(x, grad_rows, grad_own, weights, adjacency, precision)
        return by_weights, layer_sources(grad_rows, grad_own, weights, weight_self, adjacency, precision)
    by_source = _place_of_sources(grad_rows, weights)
    by_weights = torch.empty_like(weights, memory_format=torch.contiguous_format)
    by_self = x.new_empty(x.shape[1], grad_own.shape[1])
    grad_x = _place_of_sources(grad_own, weight_self)
    states, rows, own, matrices, alone = arrays(x, grad_rows, grad_own, weights, weight_self)
    made = by_weights.numpy(), by_source.numpy(), by_self.numpy()[None], grad_x.numpy()
    pointer, source, whole = _order(adjacency, len(own))
    gradient_products(
        Gradients(states, source, pointer, rows, matrices, *made[:2]),
        Gradients(states, gemm.IN_ORDER, whole, own, alone[None], *made[2:]),
    )
    return (by_weights, by_self), (grad_x, by_source)


def _place_of_sources(grad: Tensor, weights: Tensor) -> Tensor:
    """(P, k) where the gradients of what (.., k, n) matrices gave stand, if it fits."""
    inside, width = weights.shape[-2:]
    return grad if inside == width and grad.is_contiguous() else room((len(grad), inside), grad.dtype)


def layer_weights(
    x: Tensor,
    grad_rows: Tensor,
    grad_own: Tensor,
    weights: Tensor,
    adjacency: Adjacency,
    precision: Precision = "float32",
) -> tuple[Tensor, Tensor]:
    """(R, k, n) and (k, n) the gradients of the weights and of W_self; arguments as of `layer_products`."""
    if not _together(x, weights, grad_own, adjacency, precision):
        by_weights = grouped_weights(x, grad_rows, weights, adjacency, precision)
        return by_weights, product(x.t(), grad_own, precision)
    by_weights = torch.empty_like(weights, memory_format=torch.contiguous_format)
    by_self = x.new_empty(x.shape[1], grad_own.shape[1])
    gemm.weight_products(*_groups(x, x, by_weights, by_self, grad_rows, grad_own, adjacency))
    return by_weights, by_self


def layer_sources(
    grad_rows: Tensor,
    grad_own: Tensor,
    weights: Tensor,
    weight_self: Tensor,
    adjacency: Adjacency,
    precision: Precision = "float32",
) -> tuple[Tensor, Tensor]:
    """(N, k) `grad_own W_self^T`, and (P, k) what each row adds to its source: where those stood, if they fit."""
    if not _together(grad_own, weights, weight_self, adjacency, precision) or not grad_rows.is_contiguous():
        by_source = grouped_sources(grad_rows, weights, adjacency, precision)
        return product(grad_own, weight_self.t(), precision), by_source
    by_source, grad_x = _place_of_sources(grad_rows, weights), _place_of_sources(grad_own, weight_self)
    rows, own = _groups(grad_rows, grad_own, weights, weight_self, by_source, grad_x, adjacency)
    gemm.row_products(rows._replace(source=gemm.IN_ORDER), own, transposed=True)
    return grad_x, by_source


def _together(x: Tensor, weights: Tensor, other: Tensor, adjacency: Adjacency, precision: Precision) -> bool:
    """Whether all products are the tile's; those of W_self alone might be another library's."""
    if precision != "float32" or not len(adjacency.row_source) or not on_tile(x, weights, other):
        return False
    rows, depth, width = len(x), weights.shape[1], weights.shape[2]
    return all(by_shape(*shape) == "relwise" for shape in ((rows, depth, width), (depth, rows, width)))


def _groups(
    of_rows: Tensor,
    of_own: Tensor,
    weights: Tensor,
    weight_self: Tensor,
    rows: Tensor,
    own: Tensor,
    adjacency: Adjacency,
) -> tuple[gemm.Grouped, gemm.Grouped]:
    """The rows' products and the nodes' own, as the tile takes them."""
    states, nodes, matrices, alone, by_row, by_node = arrays(of_rows, of_own, weights, weight_self, rows, own)
    pointer, source, whole = _order(adjacency, len(nodes))
    return (
        gemm.Grouped(states, source, pointer, matrices, by_row),
        gemm.Grouped(nodes, gemm.IN_ORDER, whole, alone[None], by_node),
    )


def _order(adjacency: Adjacency, nodes: int) -> tuple[IntArray, IntArray, IntArray]:
    """The boundaries of the rows by relation, their sources, and the boundaries of all nodes."""
    pointer, source = np.array(adjacency.relation_ptr, np.int64), adjacency.row_source.numpy()
    return pointer, source, np.array([0, nodes], np.int64)
