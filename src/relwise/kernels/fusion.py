"""The balance of attributes and topology (eq. 6, 7), each state read once forward and once backward."""

from __future__ import annotations

import numpy as np
import torch
from numba import njit, prange
from torch import Tensor

from relwise.kernels.compiling import INNER, PARALLEL
from relwise.kernels.memory import room
from relwise.kernels.remaking import remake
from relwise.kernels.tile import multiply_add
from relwise.kernels.vector import REORDERED, add_to, turned

SLICES = 64  # a constant, so that the attention's gradient is added in the same order by any number of threads


def fuse(attributes: Tensor, topology: Tensor, attention: Tensor, slope: float) -> Tensor:
    """(N, d) `α h^(0) + (1 - α) h^(last)`, with α the heads' mean of σ(LeakyReLU(a·h^(0)) - LeakyReLU(a·h^(last))).

    That sigmoid is the softmax over the two of eq. 7.

    Args:
        attributes: (N, d) h^(0).
        topology: (N, d) h^(last).
        attention: (d, L).
        slope: LeakyReLU's.

    >>> x = torch.ones(2, 4)
    >>> fuse(x, 3 * x, torch.zeros(4, 1), 0.2)[0].tolist()
    [2.0, 2.0, 2.0, 2.0]
    """
    if attributes.device.type != "cpu":
        weight = balance(attributes, topology, attention, slope)
        return weight[:, :1] * attributes + weight[:, 1:] * topology
    given = attributes, topology, attention, slope, remake(attributes)
    return _Fusion.apply(*given)  # pyright: ignore[reportReturnType]


def balance(attributes: Tensor, topology: Tensor, attention: Tensor, slope: float) -> Tensor:
    """(N, 2) the weights of the two, in plain torch."""
    logit = torch.stack([attributes @ attention, topology @ attention], dim=1)
    return torch.nn.functional.leaky_relu(logit, slope).softmax(dim=1).mean(dim=2)


def fuse_states(attributes: Tensor, topology: Tensor, attention: Tensor, slope: float) -> tuple[Tensor, Tensor]:
    """`fuse` on the CPU and without a gradient, and (N, L, 2) the logits; all contiguous."""
    out = room(attributes.shape, attributes.dtype)
    logits = attributes.new_empty(len(attributes), attention.shape[1], 2)
    _forward(*[*(t.detach().numpy() for t in (attributes, topology, attention, logits, out)), slope])
    return out, logits


def fuse_backward(
    grad: Tensor,
    attributes: Tensor,
    topology: Tensor,
    attention: Tensor,
    logits: Tensor,
    slope: float,
    activated: bool = False,
    in_place: bool = False,
) -> tuple[Tensor, Tensor, Tensor]:
    """(N, d) and (d, L) the gradients of topology and attention, and (N, 1 + L) what `add_to_attributes` goes by.

    Args:
        grad: (N, d) the gradient of `fuse_states`, as all of these contiguous.
        logits: (N, L, 2) as found forward.
        activated: whether `topology` is a LeakyReLU's results, of this slope, and its gradient is to be that of what
            LeakyReLU was given: then that costs no pass of its own.
        in_place: whether the gradient of `topology` is to stand where that stood, which nobody else reads.
    """
    grad_topology = topology.detach() if in_place else room(topology.shape, topology.dtype)
    told = room((len(grad), 1 + logits.shape[1]), grad.dtype)
    grad_attention = torch.empty_like(attention)
    tensors = grad, attributes, topology, attention, logits, grad_topology, told, grad_attention
    _backward(*[*(t.detach().numpy() for t in tensors), slope, activated])
    return grad_topology, grad_attention, told


def add_to_attributes(grad: Tensor, told: Tensor, attention: Tensor, out: Tensor, begin: bool = False) -> Tensor:
    """Add the gradient of the attributes to `out`, or fill it where it begins; by itself, as who knows of others waits.

    Args:
        grad, attention: as of `fuse_backward`.
        told: (N, 1 + L) what that found.
        out: (N, d).
    """
    _attributes(*[*(t.detach().numpy() for t in (grad, told, attention, out)), begin])
    return out


class _Fusion(torch.autograd.Function):
    @staticmethod
    def forward(ctx, attributes, topology, attention, slope, again):
        attributes, topology, attention = (t.contiguous() for t in (attributes, topology, attention))
        out, logits = fuse_states(attributes, topology, attention, slope)
        ctx.save_for_backward(None if again else attributes, topology, attention, logits)
        ctx.slope, ctx.again = slope, again
        return out

    @staticmethod
    def backward(ctx, *grads):
        grad = grads[0].contiguous()
        attributes, topology, attention, logits = ctx.saved_tensors
        attributes = ctx.again() if attributes is None else attributes
        states = grad, attributes, topology, attention, logits
        grad_topology, grad_attention, told = fuse_backward(*states, ctx.slope)
        grad_attributes = add_to_attributes(grad, told, attention, room(grad.shape, grad.dtype), begin=True)
        return grad_attributes, grad_topology, grad_attention, None, None


@njit(fastmath=REORDERED, **INNER)
def _products(one, other, vector):
    """The products of two rows with a vector."""
    a, b = vector.dtype.type(0), vector.dtype.type(0)
    for k in range(len(vector)):
        a += one[k] * vector[k]
        b += other[k] * vector[k]
    return a, b


@njit(fastmath=REORDERED, **INNER)
def _copy_product(grad, one, other, copy):
    """The product of a row with one - other; `other`, whose gradient may be written over it, is copied."""
    total = grad.dtype.type(0)
    for k in range(len(grad)):
        copy[k] = other[k]
        total += grad[k] * (one[k] - other[k])
    return total


@njit(**PARALLEL)
def _forward(attributes, topology, attention, logits, out, slope):
    vectors = turned(attention)
    heads, width = vectors.shape
    one, slope, share = out.dtype.type(1), out.dtype.type(slope), out.dtype.type(1 / heads)
    for piece in prange(SLICES):
        for i in range(piece * len(out) // SLICES, (piece + 1) * len(out) // SLICES):
            own, other, into = attributes[i], topology[i], out[i]
            alpha = out.dtype.type(0)
            for head in range(heads):
                a, b = _products(own, other, vectors[head])
                logits[i, head, 0], logits[i, head, 1] = a, b
                a, b = a if a > 0 else a * slope, b if b > 0 else b * slope
                alpha += share / (one + np.exp(b - a))
            for k in range(width):
                into[k] = multiply_add(alpha, own[k], (one - alpha) * other[k])


@njit(**PARALLEL)
def _backward(grad, attributes, topology, attention, logits, grad_topology, told, grad_attention, slope, activated):
    vectors = turned(attention)
    heads, width = vectors.shape
    dtype = grad.dtype.type
    one, slope, share = dtype(1), dtype(slope), dtype(1 / heads)
    low = slope if activated else one
    parts = np.zeros((SLICES, heads, width), grad.dtype)
    for piece in prange(SLICES):
        by_b, other = np.empty(heads, grad.dtype), np.empty(width, grad.dtype)
        for i in range(piece * len(grad) // SLICES, (piece + 1) * len(grad) // SLICES):
            g, own, by_other, said = grad[i], attributes[i], grad_topology[i], told[i]
            alpha, by_alpha = dtype(0), _copy_product(g, own, topology[i], other)
            for head in range(heads):
                a, b = logits[i, head, 0], logits[i, head, 1]
                slope_a, slope_b = one if a > 0 else slope, one if b > 0 else slope
                weight = one / (one + np.exp(b * slope_b - a * slope_a))
                alpha += share * weight
                by_logit = by_alpha * share * weight * (one - weight)
                said[1 + head], by_b[head] = by_logit * slope_a, -by_logit * slope_b
            said[0] = alpha
            for head in range(0, heads, 2):  # two at a time, the usual number: each number is read and written once
                other_head, begins, ends = min(head + 1, heads - 1), head == 0, head + 2 >= heads
                first, second, into, more = (
                    vectors[head],
                    vectors[other_head],
                    parts[piece, head],
                    parts[piece, other_head],
                )
                a, b = said[1 + head], by_b[head]
                c, d = (said[1 + other_head], by_b[other_head]) if other_head > head else (dtype(0), dtype(0))
                down = low if ends else one
                for k in range(width):
                    into[k] = multiply_add(b, other[k], multiply_add(a, own[k], into[k]))
                    more[k] = multiply_add(d, other[k], multiply_add(c, own[k], more[k]))
                    value = (one - alpha) * g[k] if begins else by_other[k]
                    value = multiply_add(d, second[k], multiply_add(b, first[k], value))
                    by_other[k] = value * (one if other[k] > 0 else down)
    for piece in range(1, SLICES):
        for head in range(heads):
            add_to(parts[0, head], parts[piece, head])
    for head in range(heads):
        for k in range(width):
            grad_attention[k, head] = parts[0, head, k]


@njit(**PARALLEL)
def _attributes(grad, told, attention, out, begin):
    vectors = turned(attention)
    heads, width = vectors.shape
    zero = grad.dtype.type(0)
    for piece in prange(SLICES):
        for i in range(piece * len(grad) // SLICES, (piece + 1) * len(grad) // SLICES):
            g, said, into = grad[i], told[i], out[i]
            for head in range(0, heads, 2):  # as above
                other_head = min(head + 1, heads - 1)
                first, second, alpha = vectors[head], vectors[other_head], said[0] if head == 0 else zero
                a, c = said[1 + head], said[1 + other_head] if other_head > head else zero
                for k in range(width):
                    before = zero if begin and head == 0 else into[k]
                    value = multiply_add(a, first[k], multiply_add(alpha, g[k], before))
                    into[k] = multiply_add(c, second[k], value)
