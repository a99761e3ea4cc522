"""One RelGNN layer of bases (eq. 3-5) on the CPU, forward and backward, without a table of rows.

Where nearly every edge has a relation and source of its own, the rows' P × d numbers are as many as edges × d. With
`W_r = Σ_b c_rb V_b` the states can be summed before they are multiplied (`kernels/bases.py`): then products are of
N B rows, not of P, and memory is that of the states and of one chunk of nodes.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from relwise.kernels import bases, basis_logits, cpu, hubs
from relwise.kernels.adjacency import Adjacency
from relwise.kernels.arrays import arrays
from relwise.kernels.attention import fact_mask
from relwise.kernels.basis_plan import basis_plan
from relwise.kernels.heads import head_logits, head_logits_backward
from relwise.kernels.matmul import Precision, product

CHUNK_BYTES = 16 << 20  # of a chunk's B sums a node: less, and threads meet too often; more, and they leave the cache


def basis_layer(
    x: Tensor,
    basis: Tensor,
    coefficient: Tensor,
    weight_self: Tensor,
    attention: tuple[Tensor, Tensor, Tensor],
    relation_state: Tensor,
    adjacency: Adjacency,
    keep: Tensor | None,
    slope: float,
    precision: Precision = "float32",
) -> Tensor:
    """(N, out_dim) the new states of eq. 3, as `relgnn_layer` gives them for `W_r = Σ_b c_rb V_b`.

    Args:
        x: (N, in_dim) node states, on the CPU.
        basis: (B, in_dim, out_dim) V_b.
        coefficient: (R, B) c_rb.
        weight_self: (in_dim, out_dim).
        attention: a_l's parts for target (out_dim, L), relation (relation_dim, L) and source (out_dim, L).
        relation_state: (R, relation_dim) h_r.
        adjacency: the message graph.
        keep: (F,) bool, which facts carry messages; None: all.
        slope: every LeakyReLU's.
        precision: of the matrix products' factors.
    """
    parameters = basis, coefficient, weight_self, *attention, relation_state
    return _BasisLayer.apply(x, *parameters, adjacency, keep, slope, precision)  # pyright: ignore[reportReturnType]


def basis_row_logits(
    x: Tensor, basis: Tensor, coefficient: Tensor, of_source: Tensor, by_relation: Tensor, adjacency: Adjacency
) -> tuple[Tensor, Tensor]:
    """(P, L) the rows' part of each logit, and what it was made of: (N, B, L) `x V_b a_l`.

    Args:
        x, basis, coefficient: as of `basis_layer`.
        of_source: (out_dim, L) a_l's part for the source.
        by_relation: (R, L) the relations' part.
        adjacency: the message graph.
    """
    by_basis = head_logits(x, _vectors(basis, of_source)).view(len(x), len(basis), -1)
    out = by_relation.new_empty(len(adjacency.row_source), by_relation.shape[1])
    where = adjacency.row_relation.numpy(), adjacency.row_source.numpy()
    basis_logits.row_logits(*[*arrays(coefficient, by_basis, by_relation), *where, out.numpy()])
    return out, by_basis


class _BasisLayer(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx, x, basis, coefficient, weight_self, of_target, of_relation, of_source, relation_state, adjacency, keep,
        slope, precision,
    ):  # fmt: skip
        own = product(x, weight_self, precision)
        target_logit = head_logits(own, of_target)
        by_relation = relation_state @ of_relation
        row_logit, by_basis = basis_row_logits(x, basis, coefficient, of_source, by_relation, adjacency)
        weight, logsumexp = _weights(target_logit, row_logit, adjacency, keep, slope)
        out = _weighted_sums(x, basis, coefficient, weight, adjacency, precision)
        out += own
        functional.leaky_relu_(out, slope)
        ctx.save_for_backward(
            x, basis, coefficient, weight_self, of_target, of_relation, of_source, relation_state,
            own, by_basis, target_logit, row_logit, logsumexp, out, keep,
        )  # fmt: skip
        ctx.adjacency, ctx.slope, ctx.precision = adjacency, slope, precision
        return out

    @staticmethod
    def backward(ctx, *grads):
        (
            x, basis, coefficient, weight_self, of_target, of_relation, of_source, relation_state,
            own, by_basis, target_logit, row_logit, logsumexp, out, keep,
        ) = ctx.saved_tensors  # fmt: skip
        adjacency: Adjacency = ctx.adjacency
        plan = basis_plan(adjacency)
        # LeakyReLU keeps the sign, so what came out tells on which side it was.
        grad = torch.ops.aten.leaky_relu_backward(grads[0], out, ctx.slope, True)
        grad_x, grad_basis, grad_coefficient, grad_target, grad_row = _sums_backward(
            grad, x, basis, coefficient, target_logit, row_logit, logsumexp, adjacency, keep, ctx.slope, ctx.precision
        )
        num_slices = cpu.num_slices(adjacency.num_edges, adjacency.num_nodes, of_source.shape[1])
        grad_by_basis = torch.empty_like(by_basis)
        of_coefficient, by_relation = (
            torch.zeros(num_slices, *like.shape, dtype=x.dtype) for like in (coefficient, relation_state @ of_relation)
        )
        basis_logits.row_logits_backward(
            *[
                *arrays(grad_row, coefficient, by_basis), plan.row_relation, adjacency.source_indptr.numpy(),
                *arrays(grad_by_basis, of_coefficient, by_relation),
            ]
        )  # fmt: skip
        grad_coefficient += of_coefficient.sum(0)
        by_relation = by_relation.sum(0)
        grad_vectors = head_logits_backward(grad_by_basis.flatten(1), x, _vectors(basis, of_source), grad_x)
        grad_vectors = grad_vectors.reshape(x.shape[1], len(basis), -1).transpose(0, 1)
        grad_basis += grad_vectors @ of_source.t()
        grad_of_source = torch.einsum("bio,bil->ol", basis, grad_vectors)
        grad_own = grad
        grad_of_target = head_logits_backward(grad_target, own, of_target, grad_own)
        grad_x += product(grad_own, weight_self.t(), ctx.precision)
        return (
            grad_x, grad_basis, grad_coefficient, product(x.t(), grad_own, ctx.precision), grad_of_target,
            relation_state.t() @ by_relation, grad_of_source, by_relation @ of_relation.t(), None, None, None, None,
        )  # fmt: skip


def _vectors(basis: Tensor, of_source: Tensor) -> Tensor:
    """(in_dim, B L) the products of every basis with every head's vector."""
    return (basis @ of_source).transpose(0, 1).reshape(basis.shape[1], -1)


def _weights(
    target_logit: Tensor, row_logit: Tensor, adjacency: Adjacency, keep: Tensor | None, slope: float
) -> tuple[Tensor, Tensor]:
    """(E,) the edges' weights in the order of the targets, and (N, L) the logarithms as of `attend`."""
    weight, logsumexp = target_logit.new_empty(adjacency.num_edges), torch.empty_like(target_logit)
    target, row = arrays(target_logit, row_logit)
    indptr = adjacency.indptr.numpy()
    edges, facts = adjacency.row.numpy(), arrays(adjacency.fact, fact_mask(keep, adjacency))
    basis_logits.edge_weights(*[target, row, indptr, edges, *facts, slope, weight.numpy(), logsumexp.numpy()])
    pieces = hubs.hub_pieces(indptr)
    if len(pieces):
        # Rows of no width: of what it finds, only the logarithms are wanted.
        rows, out = np.empty((len(row), 0), row.dtype), np.empty((len(target), 0), row.dtype)
        found = logsumexp.numpy()
        how = edges.view(np.uint32), *facts, slope, False  # unsigned as in attention: no function of its own to compile
        hubs.attend_hubs(*[pieces, target, row, rows, *how, out, found, np.empty_like(found)])
        basis_logits.hub_weights(*[pieces, target, row, edges, *facts, slope, logsumexp.numpy(), weight.numpy()])
    return weight, logsumexp


def _chunks(basis: Tensor, num_nodes: int) -> Iterator[tuple[int, int]]:
    """Ranges of nodes whose B sums of the wider states take up about `CHUNK_BYTES`."""
    size = max(16, CHUNK_BYTES // (len(basis) * max(basis.shape[1:]) * basis.element_size()))
    for first in range(0, num_nodes, size):
        yield first, min(first + size, num_nodes)


def _weighted_sums(
    x: Tensor, basis: Tensor, coefficient: Tensor, weight: Tensor, adjacency: Adjacency, precision: Precision
) -> Tensor:
    """(N, out_dim) Σ_e weight[e] W_r x_j."""
    plan = basis_plan(adjacency)
    count, in_dim, out_dim = basis.shape
    stacked, out = basis.reshape(-1, out_dim), x.new_empty(len(x), out_dim)
    states, coefficients = arrays(x, coefficient)
    edges = plan.edge_source, weight.numpy(), adjacency.indptr.numpy(), plan.segment_edge, plan.segment_relation
    room = x.new_empty(0)
    for first, last in _chunks(basis, len(x)):
        room = room if len(room) else x.new_empty(last - first, count, in_dim)
        sums = room[: last - first]
        bases.sum_by_basis(states, *edges, coefficients, first, last, sums.numpy())
        out[first:last] = product(sums.flatten(1), stacked, precision)
    return out


def _sums_backward(
    grad: Tensor,
    x: Tensor,
    basis: Tensor,
    coefficient: Tensor,
    target_logit: Tensor,
    row_logit: Tensor,
    logsumexp: Tensor,
    adjacency: Adjacency,
    keep: Tensor | None,
    slope: float,
    precision: Precision,
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """The gradients of x, basis, coefficient and target_logit, and of row_logit by source, from the weighted sums'."""
    plan = basis_plan(adjacency)
    count, in_dim, out_dim = basis.shape
    (num_nodes, heads), num_edges = target_logit.shape, adjacency.num_edges
    num_slices = cpu.num_slices(num_edges, num_nodes, heads)
    beside = basis.transpose(0, 1).reshape(in_dim, -1)
    grad_x, grad_beside = torch.empty_like(x), torch.zeros_like(beside)
    parts, of_coefficient = x.new_zeros(num_slices, num_nodes, heads), x.new_zeros(num_slices, *coefficient.shape)
    states = arrays(grad, target_logit, row_logit, logsumexp)
    edges = (
        plan.source_row, plan.row_relation, plan.row_edge, plan.source_edge, plan.row_source, plan.target, plan.fact,
    )  # fmt: skip
    mask, coefficients = arrays(fact_mask(keep, adjacency), coefficient)
    grad_weight, beta = np.empty(num_edges, coefficients.dtype), np.empty((heads, num_edges), coefficients.dtype)
    filled = grad_weight, beta, parts.numpy(), of_coefficient.numpy()
    for first, last in _chunks(basis, len(x)):
        said = product(x[first:last], beside, precision).view(-1, count, out_dim)
        grad_said = torch.empty_like(said)
        bases.sources_backward(
            *[*states, *edges, mask, slope, coefficients, first, last, said.numpy(), grad_said.numpy(), *filled]
        )
        grad_x[first:last] = product(grad_said.flatten(1), beside.t(), precision)
        grad_beside += product(x[first:last].t(), grad_said.flatten(1), precision)
    inner, grad_target, grad_row = (
        x.new_empty(num_nodes, heads),
        torch.empty_like(target_logit),
        torch.empty_like(row_logit),
    )
    cpu.add_parts(parts.flatten(1).numpy(), inner.view(-1).numpy())
    by_row = plan.row_edge, plan.target
    cpu.logits_backward(beta, grad_weight, inner.numpy(), *by_row, grad_target.numpy(), grad_row.numpy())
    grad_basis = grad_beside.view(in_dim, count, out_dim).transpose(0, 1).contiguous()
    return grad_x, grad_basis, of_coefficient.sum(0), grad_target, grad_row
