"""One RelGNN layer (eq. 3, 4), forward and backward in one piece.

Written out by hand, the backward pass makes no tensor that the layer does not need: gradients by edge weight and by
attention are added into those of the states where they stand, the rows are overwritten by their gradients, and these
by those of their sources. Of the forward pass numbers of the edges' ends are kept and, where they are small, the rows
and the inputs that dropout left; large ones are made again.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from relwise.kernels.activation import leaky_backward
from relwise.kernels.adjacency import Adjacency
from relwise.kernels.attention import attend, attend_and_activate, attend_backward, attend_backward_in_place
from relwise.kernels.dropout import Drawn, drop, drop_activated_in_place, drop_in_place
from relwise.kernels.grouped import add_by_source, grouped_product, sum_by_relation
from relwise.kernels.layer_products import layer_gradients, layer_products, layer_sources, layer_weights
from relwise.kernels.matmul import Precision
from relwise.kernels.node_logits import Parts, add_to_sources, node_logits, node_logits_backward, vectors_backward
from relwise.kernels.remaking import is_large, remake


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
    dropped: Drawn | None = None,
    follows: bool = False,
    leads: bool = False,
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
        dropped: which entries of x are zeroed first; None: none.
        follows: whether x is what another layer gave that `leads`: it is written over.
        leads: whether who reads the states, and is alone in that, sees to this LeakyReLU's gradient: then it costs no
            pass of its own. On the CPU.
    """
    tensors = x, weights, weight_self, *attention, relation_state
    out = _Layer.apply(*tensors, adjacency, keep, slope, precision, dropped, follows, remake(x))
    # By itself: what comes back through it is the layer's own, which may then write to it.
    return out if leads else _Activated.apply(out, slope)  # pyright: ignore[reportReturnType]


class _Activated(torch.autograd.Function):
    """The gradient of LeakyReLU; the states given are its results already."""

    @staticmethod
    def forward(ctx, out, slope):
        ctx.mark_dirty(out)
        ctx.save_for_backward(out)
        ctx.slope = slope
        return out

    @staticmethod
    def backward(ctx, *grads):
        return leaky_backward(grads[0], ctx.saved_tensors[0], ctx.slope), None


class _Layer(torch.autograd.Function):
    """Eq. 3, forward; backward from what stands within its LeakyReLU on."""

    @staticmethod
    def forward(
        ctx, x, weights, weight_self, of_target, of_relation, of_source, relation_state,
        adjacency, keep, slope, precision, dropped, follows, again,
    ):  # fmt: skip
        if follows:  # nobody else reads it, and of what dropout leaves the signs are LeakyReLU's, too
            x = kept_x = drop_in_place(x, dropped)
        else:
            kept_x = drop(x, dropped)
        out, rows = layer_products(kept_x, weights, weight_self, adjacency, precision)
        ctx.made = None if dropped is None or is_large(x) else kept_x, None if is_large(rows) else rows
        if x.device.type == "cpu":
            parts = Parts(weights, weight_self, of_target, of_relation, of_source, relation_state)
            target_logit, row_logit, vectors = node_logits(kept_x, parts, adjacency)
            del kept_x
            told = attend_and_activate(out, target_logit, row_logit, rows, adjacency, keep, slope)
        else:
            target_logit, row_logit, vectors = out @ of_target, rows @ of_source, None
            row_logit += (relation_state @ of_relation).index_select(0, adjacency.row_relation)
            attended, told = attend(target_logit, row_logit, rows, adjacency, keep, slope)
            out += attended
            functional.leaky_relu_(out, slope)
        ctx.save_for_backward(
            None if again else x, weights, weight_self, of_target, of_relation, of_source, relation_state,
            target_logit, row_logit, vectors, told, keep,
        )  # fmt: skip
        ctx.adjacency, ctx.slope, ctx.precision, ctx.dropped = adjacency, slope, precision, dropped
        ctx.follows, ctx.again = follows, again
        return out

    @staticmethod
    def backward(ctx, *grads):
        (
            given, weights, weight_self, of_target, of_relation, of_source, relation_state,
            target_logit, row_logit, vectors, told, keep,
        ) = ctx.saved_tensors  # fmt: skip
        adjacency, precision = ctx.adjacency, ctx.precision
        # The rows are written over: going back a second time makes them again.
        (x, rows), ctx.made = ctx.made, (None, None)
        if rows is None:
            rows = grouped_product(_dropped(ctx, given) if x is None else x, weights, adjacency, precision)
        grad_own, parts = grads[0], Parts(weights, weight_self, of_target, of_relation, of_source, relation_state)
        states = grad_own, target_logit, row_logit, rows, told, adjacency, keep, ctx.slope
        if rows.device.type == "cpu":
            grad_target, grad_row = attend_backward_in_place(*states)
            x = _dropped(ctx, given) if x is None else x  # not before: beside the attention it would only be held
            by_sources = None
            if is_large(x):  # not beside the states' gradient
                by_weights = layer_weights(x, rows, grad_own, weights, adjacency, precision)
            else:
                gradients = rows, grad_own, weights, weight_self, adjacency, precision
                by_weights, by_sources = layer_gradients(x, *gradients)
            grad_vectors, by_relation = node_logits_backward(grad_target, grad_row, x, adjacency)
            by_parts = vectors_backward(grad_vectors, by_relation, parts, *by_weights)
            del x
            grad_x, by_row = by_sources or layer_sources(rows, grad_own, weights, weight_self, adjacency, precision)
            del by_sources
            add_to_sources(by_row, grad_target, grad_row, vectors, adjacency, grad_x)
            del rows, states
        else:
            grad_target, grad_row, grad_rows = attend_backward(*states)
            x = _dropped(ctx, given) if x is None else x
            by_relation = sum_by_relation(grad_row, adjacency)
            by_parts = (
                weight_self.t() @ (x.t() @ grad_target), relation_state.t() @ by_relation, rows.t() @ grad_row,
                by_relation @ of_relation.t(),
            )  # fmt: skip
            grad_own.addmm_(grad_target, of_target.t())
            grad_rows.addmm_(grad_row, of_source.t())
            del rows, states
            by_weights = layer_weights(x, grad_rows, grad_own, weights, adjacency, precision)
            del x
            grad_x, by_row = layer_sources(grad_rows, grad_own, weights, weight_self, adjacency, precision)
            add_by_source(by_row, adjacency, grad_x)
            del grad_rows
        del by_row  # of a large graph the largest there is: not beside what dropout makes
        if ctx.follows:
            grad_x = drop_activated_in_place(grad_x, ctx.dropped, given, ctx.slope)
        else:
            grad_x = drop_in_place(grad_x, ctx.dropped)
        return (
            grad_x, *by_weights, *by_parts, None, None, None, None, None, None, None,
        )  # fmt: skip


def _dropped(ctx, given: Any) -> Tensor:
    """The layer's input, what was dropped of it zeroed: as given, or made again."""
    if ctx.follows:
        return given  # which is that
    return drop(given, ctx.dropped) if given is not None else drop_in_place(ctx.again(), ctx.dropped)
