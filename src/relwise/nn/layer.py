"""One RelGNN layer (eq. 3, 4), forward and backward in one piece.

Written out by hand, the backward pass makes no tensor that the layer does not need: gradients by edge weight and by
attention are added into those of the states where they stand, the rows are overwritten by their gradients, and these
by those of their sources. Of the forward pass numbers of the edges' ends are kept and, where they are small, the rows
and the inputs that dropout left; large ones are made again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

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
    parts: Parts,
    adjacency: Adjacency,
    keep: Tensor | None,
    slope: float,
    precision: Precision = "float32",
    dropped: Drawn | None = None,
) -> Tensor:
    """(N, out_dim) the new states of eq. 3.

    Args:
        x: (N, in_dim) node states.
        parts: the matrices, a_l's parts, and the relations' states.
        adjacency: the message graph.
        keep: (F,) bool, which facts carry messages; None: all.
        slope: every LeakyReLU's.
        precision: of the matrix products' factors.
        dropped: which entries of x are zeroed first; None: none.
    """
    how = How(adjacency, keep, slope, precision, dropped, again=remake(x))
    out = _Layer.apply(x, *parts, how)
    # By itself: what comes back through it is the layer's own, which may then write to it.
    return _Activated.apply(out, slope)  # pyright: ignore[reportReturnType]


@dataclass(frozen=True, eq=False)
class How:
    """What a layer goes by besides tensors that have gradients; arguments as of `relgnn_layer`.

    Args:
        follows: whether x is what another layer gave, and nobody else reads it: it is written over.
        again: makes x once more for the backward pass, which then is not kept; None: it is.
    """

    adjacency: Adjacency
    keep: Tensor | None
    slope: float
    precision: Precision = "float32"
    dropped: Drawn | None = None
    follows: bool = False
    again: Callable[[], Tensor] | None = None


class Found(NamedTuple):
    """What the backward pass needs of the forward pass, to be kept.

    Args:
        x: the states given; None where they are made again.
        target_logit, row_logit, vectors: of `node_logits`; the last None on a GPU.
        told: of the attention.
    """

    x: Tensor | None
    target_logit: Tensor
    row_logit: Tensor
    vectors: Tensor | None
    told: Tensor


@dataclass(eq=False)
class Made:
    """What dropout left of the states, and the rows: for the first backward pass, which writes over the rows."""

    x: Tensor | None
    rows: Tensor | None

    def take(self) -> tuple[Tensor | None, Tensor | None]:
        """Both; nobody finds them here again, nor are they held."""
        found = self.x, self.rows
        self.x = self.rows = None
        return found


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
    def forward(ctx, x, *given):
        *parts, how = given
        out, found, ctx.made = pass_on(x, Parts(*parts), how)
        ctx.save_for_backward(*parts, *found)
        ctx.how = how
        return out

    @staticmethod
    def backward(ctx, *grads):
        parts, found = Parts(*ctx.saved_tensors[: len(Parts._fields)]), Found(*ctx.saved_tensors[len(Parts._fields) :])
        grad_x, by_parts = pass_back(grads[0], parts, found, ctx.made, ctx.how)
        return grad_x, *by_parts, None


def pass_on(x: Tensor, parts: Parts, how: How) -> tuple[Tensor, Found, Made]:
    """(N, out_dim) the new states, and what `pass_back` needs."""
    adjacency, keep, given = how.adjacency, how.keep, x
    if how.follows:  # nobody else reads it, and of what dropout leaves the signs are LeakyReLU's, too
        given = kept_x = drop_in_place(x, how.dropped)
    else:
        kept_x = drop(x, how.dropped)
    matrices, on_cpu = (parts.weights, parts.weight_self), x.device.type == "cpu"
    logits = node_logits(kept_x, parts, adjacency) if on_cpu else None  # before the rows, which are read next
    out, rows = layer_products(kept_x, *matrices, adjacency, how.precision)
    made = Made(None if how.dropped is None or is_large(x) else kept_x, None if is_large(rows) else rows)
    del kept_x
    if logits is not None:
        target_logit, row_logit, vectors = logits
        told = attend_and_activate(out, target_logit, row_logit, rows, adjacency, keep, how.slope)
    else:
        target_logit, row_logit, vectors = out @ parts.of_target, rows @ parts.of_source, None
        row_logit += (parts.relation_state @ parts.of_relation).index_select(0, adjacency.row_relation)
        attended, told = attend(target_logit, row_logit, rows, adjacency, keep, how.slope)
        out += attended
        functional.leaky_relu_(out, how.slope)
    return out, Found(None if how.again else given, target_logit, row_logit, vectors, told), made


def pass_back(grad_own: Tensor, parts: Parts, found: Found, made: Made, how: How) -> tuple[Tensor, tuple[Tensor, ...]]:
    """(N, in_dim) the gradient of the states, and those of the parts.

    Args:
        grad_own: (N, out_dim) of what stands within LeakyReLU; written over.
        parts, how: as given forward.
        found, made: what that gave.
    """
    if made.rows is None:  # written over by an earlier pass, or never kept
        given = _dropped(how, found.x) if made.x is None else made.x
        made.rows = grouped_product(given, parts.weights, how.adjacency, how.precision)
        del given
    back = _back_on_cpu if grad_own.device.type == "cpu" else _back_on_device
    grad_x, by_parts = back(grad_own, parts, found, made, how)
    if how.follows:
        assert found.x is not None
        return drop_activated_in_place(grad_x, how.dropped, found.x, how.slope), by_parts
    return drop_in_place(grad_x, how.dropped), by_parts


def _back_on_cpu(
    grad_own: Tensor, parts: Parts, found: Found, made: Made, how: How
) -> tuple[Tensor, tuple[Tensor, ...]]:
    x, rows = made.take()
    assert rows is not None
    assert found.vectors is not None
    adjacency, precision, matrices = how.adjacency, how.precision, (parts.weights, parts.weight_self)
    logits = found.target_logit, found.row_logit
    grad_target, grad_row = attend_backward_in_place(
        grad_own, *logits, rows, found.told, adjacency, how.keep, how.slope
    )
    x = _dropped(how, found.x) if x is None else x  # not before: beside the attention it would only be held
    grad_vectors, by_relation = node_logits_backward(grad_target, grad_row, x, adjacency)
    by_sources = None
    if is_large(x):  # not beside the states' gradient
        by_weights = layer_weights(x, rows, grad_own, parts.weights, adjacency, precision)
    else:
        by_weights, by_sources = layer_gradients(x, rows, grad_own, *matrices, adjacency, precision)
    by_parts = vectors_backward(grad_vectors, by_relation, parts, *by_weights)
    del x
    grad_x, by_row = by_sources or layer_sources(rows, grad_own, *matrices, adjacency, precision)
    add_to_sources(by_row, grad_target, grad_row, found.vectors, adjacency, grad_x)
    return grad_x, (*by_weights, *by_parts)


def _back_on_device(
    grad_own: Tensor, parts: Parts, found: Found, made: Made, how: How
) -> tuple[Tensor, tuple[Tensor, ...]]:
    x, rows = made.take()
    assert rows is not None
    adjacency, precision = how.adjacency, how.precision
    logits = found.target_logit, found.row_logit
    grad_target, grad_row, grad_rows = attend_backward(
        grad_own, *logits, rows, found.told, adjacency, how.keep, how.slope
    )
    x = _dropped(how, found.x) if x is None else x
    by_relation = sum_by_relation(grad_row, adjacency)
    by_parts = (
        parts.weight_self.t() @ (x.t() @ grad_target), parts.relation_state.t() @ by_relation, rows.t() @ grad_row,
        by_relation @ parts.of_relation.t(),
    )  # fmt: skip
    grad_own.addmm_(grad_target, parts.of_target.t())
    grad_rows.addmm_(grad_row, parts.of_source.t())
    del rows
    by_weights = layer_weights(x, grad_rows, grad_own, parts.weights, adjacency, precision)
    del x
    grad_x, by_row = layer_sources(grad_rows, grad_own, parts.weights, parts.weight_self, adjacency, precision)
    add_by_source(by_row, adjacency, grad_x)
    return grad_x, (*by_weights, *by_parts)


def _dropped(how: How, given: Tensor | None) -> Tensor:
    """The layer's input, what was dropped of it zeroed: as given, or made again."""
    if how.follows:
        assert given is not None
        return given  # which is that
    if given is not None:
        return drop(given, how.dropped)
    assert how.again is not None
    return drop_in_place(how.again(), how.dropped)
