"""The operators on the GPU, in Triton: attention, scoring, dropout and negatives.

Each function takes the tensors of its CPU counterpart and can be called alone. Those that are operators are told to
PyTorch's dispatcher by the functions `register_...` below; where Triton is not installed nothing is, and the
operators' plain torch bodies run on a GPU as anywhere. Triton itself is imported with the first call.

Triton's interpreter (`TRITON_INTERPRET=1` before Triton is imported) runs the kernels on CPU tensors: so they are
tested on machines without a GPU, and compiled there for one as well.

No kernel uses atomic additions: every sum has one fixed order, and the same input gives the same bits (`common.py` says
how hubs are divided nevertheless).
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

HAS_TRITON = find_spec("triton") is not None
"""Whether the kernels here can run; without them negatives are chosen on the CPU, and the rest is plain torch."""


def register_attention(forward: Any, backward: Any) -> None:
    """Give the operators of `relwise.kernels.attention` their kernels for CUDA, where Triton is installed."""
    if not HAS_TRITON:
        return

    @forward.register_kernel("cuda")
    def _(target_logit, row_logit, rows, indptr, row, fact, keep, row_indptr, row_target, row_fact, slope):
        from relwise.kernels.cuda.attention import attend

        return attend(target_logit, row_logit, rows, indptr, row, fact, keep, slope)

    @backward.register_kernel("cuda")
    def _(
        grad_out, target_logit, row_logit, rows, logsumexp, indptr, row, fact, keep, row_indptr, row_target, row_fact,
        slope,
    ):  # fmt: skip
        from relwise.kernels.cuda.attention import attend_backward

        edges = (indptr, row, fact, keep, row_indptr, row_target)
        return attend_backward(grad_out, target_logit, row_logit, rows, logsumexp, *edges, slope)


def register_scoring(forward: Any, backward: Any, paired: bool) -> None:
    """Give the operators of `relwise.kernels.scoring` their kernels for CUDA, where Triton is installed.

    Args:
        forward, backward: the operators.
        paired: whether rows are of complex numbers.
    """
    if not HAS_TRITON:
        return

    @forward.register_kernel("cuda")
    def _(nodes, relations, head, relation, tail):
        from relwise.kernels.cuda.scoring import edge_product

        return edge_product(nodes, relations, head, relation, tail, paired)

    @backward.register_kernel("cuda")
    def _(grad, nodes, relations, head, relation, tail):
        from relwise.kernels.cuda.scoring import edge_product_backward

        return edge_product_backward(grad, nodes, relations, head, relation, tail, paired)


def register_dropout(operator: Any) -> None:
    """Give the operator of `relwise.kernels.dropout` its kernel for CUDA, where Triton is installed."""
    if not HAS_TRITON:
        return

    @operator.register_kernel("cuda")
    def _(x, threshold, seed):
        from relwise.kernels.cuda.dropout import drop

        return drop(x, threshold, seed)
