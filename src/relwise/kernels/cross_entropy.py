"""Cross entropy of triples (eq. 8) as one operator, on the CPU: logits, losses and gradients without a step between.

    L = 1/n Σ_e softplus(-s_e) over true edges, softplus(s_e) over false ones,      s_e as of `relwise.kernels.scoring`

Its gradient is known as soon as the logits are, so all of it is found forward. True and false edges stand in turn: a
negative has an end and the relation in common with its positive, so both logits ask for three rows (`kernels.losses`),
and both gradients of that end are one sum.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from relwise.kernels.losses import pair_losses
from relwise.kernels.scoring import LARGEST, check_tables, differentiate, join
from relwise.kernels.scoring_cpu import PIECES, SMALLEST

IntArray = npt.NDArray[np.int64]
Triples = tuple[IntArray, IntArray, IntArray]


def cross_entropy(
    nodes: Tensor, relations: Tensor, positives: Triples, negatives: Triples, counts: IntArray, paired: bool = False
) -> Tensor:
    """The mean over all edges, in the relations' precision; differentiable once, by nodes and relations.

    Args:
        nodes: (N, d), on the CPU.
        relations: (R, d), of the same type.
        positives, negatives: (n,) heads, relations and tails, of true edges and of as many false ones.
        counts: (2, bins), filled with how many of the probabilities of the true edges (0) and of the false ones (1) lie
            in each of so many equal parts of 0..1.
        paired: whether numbers are complex (`complex_product`), else as of `triple_product`.

    Raises:
        IndexError: where an index is out of range.
        ValueError: where shapes or types do not fit.

    >>> nodes, counts = torch.tensor([[2.0], [1.0]], requires_grad=True), np.empty((2, 4), np.int64)
    >>> edge, loop = (np.array([0]), np.array([0]), np.array([1])), (np.array([1]), np.array([0]), np.array([1]))
    >>> loss = cross_entropy(nodes, torch.ones(1, 1), edge, loop, counts)
    >>> loss.backward()
    >>> round(loss.item(), 4), counts.tolist()
    (0.7201, [[0, 0, 0, 1], [0, 0, 1, 0]])
    >>> [round(value, 4) for value in nodes.grad[:, 0].tolist()]
    [-0.0596, 0.6119]
    """
    return _CrossEntropy.apply(nodes, relations, positives, negatives, counts, paired)  # pyright: ignore[reportReturnType]


class _CrossEntropy(torch.autograd.Function):
    @staticmethod
    def forward(ctx, nodes, relations, positives, negatives, counts, paired):
        if not len(positives[0]) == len(negatives[0]) < LARGEST // 2:
            raise ValueError(f"{len(positives[0])} true edges and {len(negatives[0])} false ones")
        if len({len(column) for column in (*positives, *negatives)}) > 1:  # the kernels know nothing of bounds
            raise ValueError("heads, relations and tails differ in length")
        check_tables(nodes, relations, paired)
        if nodes.dtype != relations.dtype:
            raise ValueError(f"nodes of {nodes.dtype} and relations of {relations.dtype}")
        joined, count = join(positives, negatives, nodes, relations), 2 * len(positives[0])
        grad, pieces = relations.new_empty(count).numpy(), max(1, min(PIECES, count // SMALLEST))
        losses, found = np.empty(pieces), np.zeros((pieces, *counts.shape), np.int64)
        tables = (t.detach().contiguous().numpy() for t in (nodes, relations))
        pair_losses(*[*tables, joined.kinds, joined.other, paired, grad, losses, found])
        found.sum(axis=0, out=counts)
        ctx.found = differentiate(grad, nodes, relations, joined, paired)
        return relations.new_tensor(losses.sum() / max(1, count))

    @staticmethod
    def backward(ctx: Any, *grads: Tensor):
        if ctx.found is None:
            raise RuntimeError("the gradients of a cross entropy are there once: what asks twice must make it twice")
        # Handed over, not kept: whoever takes them may write to them.
        found, ctx.found = ctx.found, None
        if float(grads[0]) != 1:
            found = [gradient.mul_(grads[0]) for gradient in found]
        return (*found, None, None, None, None)
