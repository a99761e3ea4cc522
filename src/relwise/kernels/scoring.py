"""The scores of triples as operators: DistMult's (eq. 9) and ComplEx's.

    triple_product:   s_e = Σ_k h[head_e, k] · w[relation_e, k] · h[tail_e, k]
    complex_product:  s_e = Re Σ_k h[head_e, k] · w[relation_e, k] · conj(h[tail_e, k])

Forward reads three rows an edge and writes one number. Backward sorts the edges' ends by node first (a counting
sort), so that each node's gradient is summed in one place: no atomics, and the same bits with any number of threads.
No tensor of edges × d is made.

Complex rows of size d hold d / 2 numbers: the first half their real parts, the second half their imaginary parts.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from relwise.kernels import cuda
from relwise.kernels import scoring_cpu as cpu
from relwise.kernels.memory import room
from relwise.kernels.sorting import sort_by_key

LARGEST = 2**30  # edges: their ends are numbered in 31 bits


def triple_product(nodes: Tensor, relations: Tensor, head: Tensor, relation: Tensor, tail: Tensor) -> Tensor:
    """(n,) products of three rows, in the relations' precision.

    Args:
        nodes: (N, d), of the relations' type or bfloat16.
        relations: (R, d).
        head, relation, tail: (n,) int64 indices.

    Raises:
        IndexError: where an index is out of range (on the CPU).
        ValueError: where shapes or types do not fit.

    >>> nodes = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    >>> triple_product(nodes, torch.ones(1, 2), torch.tensor([0]), torch.tensor([0]), torch.tensor([1])).tolist()
    [11.0]
    """
    given = nodes, relations, head, relation, tail
    return _OnCpu.apply(*given, False) if _at_once(nodes) else torch.ops.relwise.triple_product(*given)  # pyright: ignore[reportReturnType]


def complex_product(nodes: Tensor, relations: Tensor, head: Tensor, relation: Tensor, tail: Tensor) -> Tensor:
    """(n,) real parts of the products of three complex rows, the last one conjugate; else as `triple_product`.

    >>> nodes = torch.tensor([[1.0, 2.0], [3.0, 4.0]])  # 1 + 2i, 3 + 4i
    >>> i, zero, one = torch.tensor([[0.0, 1.0]]), torch.tensor([0]), torch.tensor([1])
    >>> complex_product(nodes, i, zero, zero, one).tolist(), complex_product(nodes, i, one, zero, zero).tolist()
    ([-2.0], [2.0])
    """
    given = nodes, relations, head, relation, tail
    return _OnCpu.apply(*given, True) if _at_once(nodes) else torch.ops.relwise.complex_product(*given)  # pyright: ignore[reportReturnType]


def _at_once(nodes: Tensor) -> bool:
    """Whether there is nothing to dispatch: on the CPU, not compiling."""
    return nodes.device.type == "cpu" and not torch.compiler.is_compiling()


def complex_times(left: Tensor, right: Tensor) -> Tensor:
    """(n, d) products of complex rows.

    >>> complex_times(torch.tensor([[1.0, 2.0]]), torch.tensor([[3.0, 4.0]])).tolist()
    [[-5.0, 10.0]]
    """
    (a, b), (c, d) = left.chunk(2, dim=-1), right.chunk(2, dim=-1)
    return torch.cat([a * c - b * d, a * d + b * c], dim=-1)


def conjugate(row: Tensor) -> Tensor:
    """(n, d) the conjugates of complex rows."""
    real, imaginary = row.chunk(2, dim=-1)
    return torch.cat([real, -imaginary], dim=-1)


@torch.library.custom_op("relwise::triple_product", mutates_args=())
def _triple_product(nodes: Tensor, relations: Tensor, head: Tensor, relation: Tensor, tail: Tensor) -> Tensor:
    h, w, t = _rows(nodes, relations, head, relation, tail)
    return (h * w * t).sum(dim=1)


@torch.library.custom_op("relwise::complex_product", mutates_args=())
def _complex_product(nodes: Tensor, relations: Tensor, head: Tensor, relation: Tensor, tail: Tensor) -> Tensor:
    h, w, t = _rows(nodes, relations, head, relation, tail)
    return (complex_times(h, w) * t).sum(dim=1)


@torch.library.custom_op("relwise::triple_product_backward", mutates_args=())
def _triple_product_backward(
    grad: Tensor, nodes: Tensor, relations: Tensor, head: Tensor, relation: Tensor, tail: Tensor
) -> tuple[Tensor, Tensor]:
    h, w, t = _rows(nodes, relations, head, relation, tail)
    return _scattered(grad, nodes, relations, head, relation, tail, (w * t, h * t, h * w))


@torch.library.custom_op("relwise::complex_product_backward", mutates_args=())
def _complex_product_backward(
    grad: Tensor, nodes: Tensor, relations: Tensor, head: Tensor, relation: Tensor, tail: Tensor
) -> tuple[Tensor, Tensor]:
    h, w, t = _rows(nodes, relations, head, relation, tail)
    by_end = complex_times(conjugate(w), t), complex_times(conjugate(h), t), complex_times(h, w)
    return _scattered(grad, nodes, relations, head, relation, tail, by_end)


def _rows(
    nodes: Tensor, relations: Tensor, head: Tensor, relation: Tensor, tail: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    return nodes[head].to(relations.dtype), relations[relation], nodes[tail].to(relations.dtype)


def _scattered(
    grad: Tensor,
    nodes: Tensor,
    relations: Tensor,
    head: Tensor,
    relation: Tensor,
    tail: Tensor,
    by_end: tuple[Tensor, Tensor, Tensor],
) -> tuple[Tensor, Tensor]:
    """Gradients of nodes and relations from the derivatives (n, d) by an edge's head, relation and tail."""
    by_head, by_relation, by_tail = (derivative * grad[:, None] for derivative in by_end)
    grad_nodes = torch.zeros_like(nodes, dtype=relations.dtype).index_add(0, head, by_head).index_add(0, tail, by_tail)
    return grad_nodes.to(nodes.dtype), torch.zeros_like(relations).index_add(0, relation, by_relation)


def _score(nodes: Tensor, relations: Tensor, head: Tensor, relation: Tensor, tail: Tensor, paired: bool) -> Tensor:
    _check(nodes, relations, head, relation, tail, paired)
    out = torch.empty(head.shape[0], dtype=relations.dtype)
    pieces, _ = cpu.divide(len(head), len(relations))
    fit = cpu.forward(*[*_arrays(nodes, relations, head, relation, tail), paired, pieces, out.numpy()])
    _check_range(fit, nodes, relations)
    return out


def _check_range(fit: tuple[bool, bool], nodes: Tensor, relations: Tensor) -> None:
    for inside, size in zip(fit, (len(nodes), len(relations)), strict=True):
        if not inside:
            raise IndexError(f"an index is outside 0..{size - 1}")


def _differentiate(
    grad: Tensor, nodes: Tensor, relations: Tensor, head: Tensor, relation: Tensor, tail: Tensor, paired: bool
) -> tuple[Tensor, Tensor]:
    g, *edges = _arrays(grad, head, relation, tail)
    joined = join(edges, [column[:0] for column in edges], nodes, relations)
    by_nodes, by_relations = differentiate(g, nodes, relations, joined, paired)
    return by_nodes.to(nodes.dtype), by_relations


class Joined(NamedTuple):
    """n edges, as `scoring_cpu.join` gives them, all in 32 bits, as graphs are sorted: half to read."""

    other: np.ndarray
    kinds: np.ndarray
    keys: np.ndarray
    by: int


def join(edges: Sequence[np.ndarray], more: Sequence[np.ndarray], nodes: Tensor, relations: Tensor) -> Joined:
    """Heads, relations and tails of edges, and of as many more or none; raises IndexError where one is out of range."""
    count, sizes = len(edges[0]) + len(more[0]), (len(nodes), len(relations))
    by = sizes[1] if sizes[0] * sizes[1] <= 2 * count else 1
    other, kinds, keys, fit = cpu.join(*[*edges, *more, *sizes, by])
    _check_range(fit, nodes, relations)
    return Joined(other, kinds, keys, by)


def differentiate(
    grad: np.ndarray, nodes: Tensor, relations: Tensor, joined: Joined, paired: bool
) -> tuple[Tensor, Tensor]:
    """Gradients of nodes and relations, in the relations' precision, on the CPU.

    Args:
        grad: (n,) the gradient of each edge's product.
        nodes, relations: (N, d), (R, d).
        joined: the edges.
        paired: whether numbers are complex.
    """
    (num_nodes, width), num_relations, edges = nodes.shape, len(relations), len(grad)
    grad_nodes, grad_relations = room(nodes.shape, relations.dtype), relations.new_empty(relations.shape)
    pieces, together = cpu.divide(edges, num_relations)
    parts = relations.new_empty(pieces, num_relations if together else 0, width).numpy()
    h, w = _arrays(nodes, relations)
    other, kinds, keys, by = joined
    indptr, order = sort_by_key(keys, num_nodes * by)
    ends = np.ascontiguousarray(indptr[::by]), order
    cpu.backward(grad, h, w, kinds, other, *ends, paired, pieces, grad_nodes.numpy(), parts)
    if together:
        cpu.merge(parts, 1.0 if paired else 0.5, grad_relations.numpy())
    else:
        by_relation, heads = sort_by_key(kinds, num_relations), other[edges:]
        cpu.backward(grad, h, h, heads, other, *by_relation, paired, pieces, grad_relations.numpy(), parts)
    return grad_nodes, grad_relations


class _OnCpu(torch.autograd.Function):
    """Both products on the CPU, without the dispatcher."""

    @staticmethod
    def forward(ctx, nodes, relations, head, relation, tail, paired):
        ctx.save_for_backward(nodes, relations, head, relation, tail)
        ctx.paired = paired
        return _score(nodes, relations, head, relation, tail, paired)

    @staticmethod
    def backward(ctx, *grads):
        nodes, relations, head, relation, tail = ctx.saved_tensors
        found = _differentiate(grads[0], nodes, relations, head, relation, tail, ctx.paired)
        return (*found, None, None, None, None)


def _register(forward, backward, paired: bool) -> None:
    """Tell the dispatcher of shapes, of the CPU's kernels and of the gradient, which both products have alike."""

    @forward.register_fake
    def _(nodes, relations, head, relation, tail):
        return relations.new_empty(head.shape[0])

    @backward.register_fake
    def _(grad, nodes, relations, head, relation, tail):
        return nodes.new_empty(nodes.shape), relations.new_empty(relations.shape)

    forward.register_kernel("cpu")(partial(_score, paired=paired))
    backward.register_kernel("cpu")(partial(_differentiate, paired=paired))

    def save(ctx, inputs, output) -> None:
        ctx.save_for_backward(*inputs)

    def differentiate(ctx, grad):
        return (*backward(grad, *ctx.saved_tensors), None, None, None)

    forward.register_autograd(differentiate, setup_context=save)


def _arrays(*tensors: Tensor) -> tuple[np.ndarray, ...]:
    """The same memory as arrays, bfloat16 as uint16, of which NumPy has no name."""
    plain = (tensor.detach().contiguous() for tensor in tensors)
    return tuple((t.view(torch.uint16) if t.dtype == torch.bfloat16 else t).numpy() for t in plain)


def _check(nodes: Tensor, relations: Tensor, head: Tensor, relation: Tensor, tail: Tensor, paired: bool) -> None:
    """The kernels know nothing of bounds."""
    if not len(head) == len(relation) == len(tail) < LARGEST:
        raise ValueError(f"{len(head)} heads, {len(relation)} relations and {len(tail)} tails")
    check_tables(nodes, relations, paired)


def check_tables(nodes: Tensor, relations: Tensor, paired: bool) -> None:
    if nodes.shape[1] != relations.shape[1] or (paired and nodes.shape[1] % 2):
        sizes = f"nodes of size {nodes.shape[1]} and relations of size {relations.shape[1]}"
        raise ValueError(f"{sizes}: must be one {'even ' if paired else ''}size")
    if nodes.dtype not in (relations.dtype, torch.bfloat16) or relations.dtype not in (torch.float32, torch.float64):
        raise ValueError(f"nodes of {nodes.dtype} and relations of {relations.dtype}")


_register(_triple_product, _triple_product_backward, paired=False)
_register(_complex_product, _complex_product_backward, paired=True)
cuda.register_scoring(_triple_product, _triple_product_backward, paired=False)
cuda.register_scoring(_complex_product, _complex_product_backward, paired=True)
