import pytest
import torch

import relwise.kernels.attention
import relwise.kernels.scoring  # noqa: F401
from tests.kernels.cuda.device import HAS_TRITON

OPERATORS = ["attend", "attend_backward", "triple_product", "triple_product_backward"]


@pytest.mark.skipif(not HAS_TRITON, reason="Triton is not installed")
@pytest.mark.parametrize("name", OPERATORS)
def test_the_dispatcher_has_a_kernel_for_cuda(name):
    assert torch._C._dispatch_has_kernel_for_dispatch_key(f"relwise::{name}", "CUDA")
