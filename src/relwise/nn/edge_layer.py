"""One RelGNN layer over edges that bear attributes: an amount, a quantity, a date (beyond the paper).

With z_e the state of an edge e = (j, r, i), from `relwise.nn.edge_encoder`::

    e^l_e = LeakyReLU(a_l · [W_self h_i ‖ h_r ‖ W_r h_j] + b_l · z_e)
    h_i'  = LeakyReLU(Σ_e ᾱ_e (W_r h_j + U z_e)  +  W_self h_i)

which is eq. 3 and 4 where there is no z_e. `Σ ᾱ_e U z_e = U Σ ᾱ_e z_e`: no tensor of edges × d is made on the CPU.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from relwise.kernels.adjacency import Adjacency
from relwise.kernels.edge_attention import EdgeSlots, EdgeTerms, attend_edges
from relwise.kernels.grouped import grouped_product, grouped_product_backward
from relwise.kernels.heads import head_logits, head_logits_backward
from relwise.kernels.matmul import Precision
from relwise.kernels.segments import spread_by_segment


@dataclass(frozen=True, eq=False)
class EdgeStates:
    """The states of a message graph's edges.

    Args:
        state: (A, k) z.
        slots: which state is which edge's.
    """

    state: Tensor
    slots: EdgeSlots


def edge_layer(
    x: Tensor,
    weights: Tensor,
    weight_self: Tensor,
    attention: tuple[Tensor, Tensor, Tensor, Tensor],
    relation_state: Tensor,
    edge_weight: Tensor,
    edges: EdgeStates,
    adjacency: Adjacency,
    keep: Tensor | None,
    slope: float,
    precision: Precision = "float32",
) -> Tensor:
    """(N, out_dim) the new states.

    Args:
        x: (N, in_dim) node states.
        weights: (R, in_dim, out_dim) W_r.
        weight_self: (in_dim, out_dim).
        attention: a_l's parts for target (out_dim, L), relation (relation_dim, L) and source (out_dim, L), and
            b (k, L).
        relation_state: (R, relation_dim) h_r.
        edge_weight: (k, out_dim) U.
        edges: z.
        adjacency: the message graph.
        keep: (F,) bool, which facts carry messages; None: all.
        slope: every LeakyReLU's.
        precision: of the factors of W_r's products.
    """
    of_target, of_relation, of_source, of_edge = attention
    own = x @ weight_self
    rows = row_states(x, weights, adjacency, precision)
    relations = adjacency.relation_indptr, adjacency.row_relation
    by_relation = spread_by_segment(relation_state @ of_relation, *relations)
    row_logit = state_logits(rows, of_source) + by_relation
    by_edge = state_logits(edges.state, of_edge), edges.state
    terms = EdgeTerms(state_logits(own, of_target), row_logit, rows, *by_edge)
    out, said, _ = attend_edges(terms, adjacency, edges.slots, keep, slope)
    return functional.leaky_relu(own + out + said @ edge_weight, slope)


def row_states(x: Tensor, weights: Tensor, adjacency: Adjacency, precision: Precision = "float32") -> Tensor:
    """(P, out_dim) `W_r h_j` of the pairs that exist, differentiable; arguments as of `grouped_product`."""
    return _RowStates.apply(x, weights, adjacency, precision)  # pyright: ignore[reportReturnType]


def state_logits(states: Tensor, vectors: Tensor) -> Tensor:
    """(n, L) `states @ vectors`, differentiable; arguments as of `head_logits`."""
    return _StateLogits.apply(states, vectors)  # pyright: ignore[reportReturnType]


class _StateLogits(torch.autograd.Function):
    @staticmethod
    def forward(ctx, states, vectors):
        ctx.save_for_backward(states, vectors)
        return head_logits(states, vectors)

    @staticmethod
    def backward(ctx, *grads):
        states, vectors = ctx.saved_tensors
        grad_states = torch.zeros_like(states, memory_format=torch.contiguous_format)
        return grad_states, head_logits_backward(grads[0], states, vectors, grad_states)


class _RowStates(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, weights, adjacency, precision):
        ctx.save_for_backward(x, weights)
        ctx.adjacency, ctx.precision = adjacency, precision
        return grouped_product(x, weights, adjacency, precision)

    @staticmethod
    def backward(ctx, *grads):
        x, weights = ctx.saved_tensors
        grad_x = torch.zeros_like(x, memory_format=torch.contiguous_format)
        # A copy: the product leaves something else in the gradient's memory, which is not ours.
        grad_rows = grads[0].clone(memory_format=torch.contiguous_format)
        grad_weights = grouped_product_backward(grad_rows, x, weights, ctx.adjacency, grad_x, ctx.precision)
        return grad_x, grad_weights, None, None
