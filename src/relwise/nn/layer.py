"""One RelGNN layer (eq. 3, 4), forward and backward in one piece.

Written out by hand, the backward pass makes no tensor that the layer does not need: gradients by edge weight and by
attention are added into those of the states where they stand, and the messages' gradients are overwritten by those of
their sources.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from relwise.kernels.adjacency import Adjacency
from relwise.kernels.attention import attend, attend_backward
from relwise.kernels.grouped import grouped_product, grouped_product_backward
from relwise.kernels.heads import head_logits, head_logits_backward
from relwise.kernels.matmul import Precision, product


def relgnn_layer(
    x: Tensor,
    weights: Tensor,
    weight_self: Tensor,
    attention: tuple[Tensor, Tensor, Tensor],
    relation_state: Tensor,
    adjacency: Adjacency,
    keep: Tensor | None,
    slope: float,
    precision: Precision = "float32",
) -> Tensor:
    """(N, out_dim) the new states of eq. 3.

    Args:
        x: (N, in_dim) node states.
        weights: (R, in_dim, out_dim) W_r.
        weight_self: (in_dim, out_dim).
        attention: a_l's parts for target (out_dim, L), relation (relation_dim, L) and source (out_dim, L).
        relation_state: (R, relation_dim) h_r.
        adjacency: the message graph.
        keep: (F,) bool, which facts carry messages; None: all.
        slope: every LeakyReLU's.
        precision: of the matrix products' factors.
    """
    tensors = x, weights, weight_self, *attention, relation_state
    return _Layer.apply(*tensors, adjacency, keep, slope, precision)  # pyright: ignore[reportReturnType]


class _Layer(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx, x, weights, weight_self, of_target, of_relation, of_source, relation_state,
        adjacency, keep, slope, precision,
    ):  # fmt: skip
        own = product(x, weight_self, precision)
        rows = grouped_product(x, weights, adjacency, precision)
        target_logit, row_logit = head_logits(own, of_target), head_logits(rows, of_source)
        row_logit += (relation_state @ of_relation).index_select(0, adjacency.row_relation)
        out, logsumexp = attend(target_logit, row_logit, rows, adjacency, keep, slope)
        out += own
        functional.leaky_relu_(out, slope)
        ctx.save_for_backward(
            x, weights, weight_self, of_target, of_relation, of_source, relation_state,
            own, rows, target_logit, row_logit, logsumexp, out, keep,
        )  # fmt: skip
        ctx.adjacency, ctx.slope, ctx.precision = adjacency, slope, precision
        return out

    @staticmethod
    def backward(ctx, *grads):
        (
            x, weights, weight_self, of_target, of_relation, of_source, relation_state,
            own, rows, target_logit, row_logit, logsumexp, out, keep,
        ) = ctx.saved_tensors  # fmt: skip
        adjacency: Adjacency = ctx.adjacency
        # LeakyReLU keeps the sign, so what came out tells on which side it was.
        grad = torch.ops.aten.leaky_relu_backward(grads[0], out, ctx.slope, True)
        grad_target, grad_row, grad_rows = attend_backward(
            grad, target_logit, row_logit, rows, logsumexp, adjacency, keep, ctx.slope
        )
        by_relation = torch.zeros(len(relation_state), grad_row.shape[1], dtype=grad_row.dtype, device=grad_row.device)
        by_relation.index_add_(0, adjacency.row_relation, grad_row)
        grad_own = grad
        grad_of_target = head_logits_backward(grad_target, own, of_target, grad_own)
        grad_of_source = head_logits_backward(grad_row, rows, of_source, grad_rows)
        grad_x = product(grad_own, weight_self.t(), ctx.precision)
        grad_weights = grouped_product_backward(grad_rows, x, weights, adjacency, grad_x, ctx.precision)
        return (
            grad_x, grad_weights, product(x.t(), grad_own, ctx.precision), grad_of_target,
            relation_state.t() @ by_relation, grad_of_source, by_relation @ of_relation.t(), None, None, None, None,
        )  # fmt: skip
