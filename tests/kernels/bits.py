"""Run some operations and print what bits they give: `python -m tests.kernels.bits`, for `test_compiling.py`.

Those whose arithmetic LLVM did otherwise each time it saw them, while it was free to.
"""

from __future__ import annotations

import hashlib

import numpy as np
import torch
from torch import Tensor

from relwise.kernels import cpu, losses, node_logits


def draw(*shape: int) -> Tensor:
    return torch.randn(shape)


def boundaries(rows: int, entries: int) -> Tensor:
    return torch.tensor([0, *sorted(torch.randint(0, entries, (rows - 1,)).tolist()), entries], dtype=torch.int32)


def logits_of_nodes() -> list[Tensor]:
    relations = torch.randint(0, 7, (150,), dtype=torch.int32)
    given = draw(60, 2), draw(150, 2), draw(60, 8), boundaries(60, 150), torch.arange(150), relations
    out = draw(8, 2, 8), draw(7, 2)
    node_logits._backward(*(t.numpy() for t in given), 64, *(t.numpy() for t in out))
    return [*out]


def logits_of_edges() -> list[Tensor]:
    given = draw(2, 90), draw(90), draw(14, 2), boundaries(40, 90), torch.randint(0, 14, (90,), dtype=torch.int32)
    out = draw(14, 2), draw(40, 2)
    cpu.logits_backward(*(t.numpy() for t in (*given, *out)))
    return [*out]


def cross_entropy() -> list[Tensor]:
    nodes, relations, kinds = draw(60, 16), draw(4, 16), torch.randint(0, 4, (76,), dtype=torch.int32)
    other, found = torch.randint(0, 60, (304,), dtype=torch.int32), (draw(152), torch.zeros(1, dtype=torch.float64))
    given = nodes, relations, kinds.repeat_interleave(2), other
    losses.pair_losses(*(t.numpy() for t in given), False, *(t.numpy() for t in found), np.zeros((1, 2, 10), np.int64))
    return [*found]


if __name__ == "__main__":
    torch.manual_seed(0)
    for operation in (logits_of_nodes, logits_of_edges, cross_entropy):
        for place, tensor in enumerate(operation()):
            digest = hashlib.sha256(tensor.detach().contiguous().numpy().tobytes()).hexdigest()
            print(operation.__name__, place, digest)
