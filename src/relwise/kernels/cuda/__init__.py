"""The operators on the GPU, in Triton: attention, scoring and negatives.

Each function takes the tensors of its CPU counterpart and can be called alone. Those that are operators are told to
PyTorch's dispatcher by `register_attention` and `register_scoring`; where Triton is not installed nothing is, and the
operators' plain torch bodies run on a GPU as anywhere. Triton itself is imported with the first call.

Triton's interpreter (`TRITON_INTERPRET=1` before Triton is imported) runs the kernels on CPU tensors: so they are
tested on machines without a GPU, and compiled there for one as well.

No kernel uses atomic additions: every sum has one fixed order, and the same input gives the same bits (`common.py` says
how hubs are divided nevertheless).
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any


def register_attention(forward: Any, backward: Any) -> None:
    """Give the operators of `relwise.kernels.attention` their kernels for CUDA, where Triton is installed."""
    if find_spec("triton") is None:
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


def register_scoring(forward: Any, backward: Any) -> None:
    """Give the operators of `relwise.kernels.scoring` their kernels for CUDA, where Triton is installed."""
    if find_spec("triton") is None:
        return

    @forward.register_kernel("cuda")
    def _(nodes, relations, head, relation, tail):
        from relwise.kernels.cuda.scoring import triple_product

        return triple_product(nodes, relations, head, relation, tail)

    @backward.register_kernel("cuda")
    def _(grad, nodes, relations, head, relation, tail):
        from relwise.kernels.cuda.scoring import triple_product_backward

        return triple_product_backward(grad, nodes, relations, head, relation, tail)
