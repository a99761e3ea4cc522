"""Adam: `Adam: A Method for Stochastic Optimization <https://arxiv.org/abs/1412.6980>`_ (Kingma, Ba; ICLR 2015).

    m ← β1 m + (1 - β1) g,   v ← β2 v + (1 - β2) g²,   w ← w - lr (m / (1 - β1^t)) / (√(v / (1 - β2^t)) + ε)

with g the gradient and, with weight decay, λ w besides: one pass over weights, gradients and moments, PyTorch's own
kernel. `torch.optim.Adam` calls the same; what it does around it took half as long again on a graph of 10,000 nodes,
and loads PyTorch's compiler, for a second, when the first one is made (scratch measurements).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn

BETAS, EPSILON = (0.9, 0.999), 1e-8  # the paper's
_add: Any = torch._foreach_add_  # pyright: ignore[reportPrivateImportUsage]
_update: Any = torch._fused_adam_  # pyright: ignore[reportPrivateImportUsage]
MOMENTS = ("exp_avg", "exp_avg_sq", "step")


class Adam:
    """Updates weights by their gradients. Weights without a gradient stay, as do their moments.

    Args:
        weights: of one type, on one device.
        learning_rate: lr.
        weight_decay: λ.

    Attributes:
        weights: as given.
        moments: of each weight's position, once it was updated: m, v and t, by torch.optim's names (`MOMENTS`).

    >>> weight = nn.Parameter(torch.tensor([1.0, 2.0]))
    >>> optimizer = Adam([weight], learning_rate=0.5)
    >>> (weight * torch.tensor([3.0, -7.0])).sum().backward()
    >>> optimizer.step()
    >>> weight.tolist()
    [0.5, 2.5]
    """

    def __init__(self, weights: Iterable[nn.Parameter], learning_rate: float, weight_decay: float = 0.0) -> None:
        self.weights = list(weights)
        self.learning_rate, self.weight_decay = learning_rate, weight_decay
        self.moments: dict[int, dict[str, Tensor]] = {}

    @torch.no_grad()
    def step(self) -> None:
        """One update."""
        learnt = [(i, weight) for i, weight in enumerate(self.weights) if weight.grad is not None]
        if not learnt:
            return
        moments = [self.moments.get(i) or self._begin(i) for i, _ in learnt]
        means, squares, steps = ([moment[name] for moment in moments] for name in MOMENTS)
        _add(steps, 1)
        _update(
            [weight for _, weight in learnt],
            [weight.grad for _, weight in learnt],
            means,
            squares,
            [],
            steps,
            lr=self.learning_rate,
            beta1=BETAS[0],
            beta2=BETAS[1],
            weight_decay=self.weight_decay,
            eps=EPSILON,
            amsgrad=False,
            maximize=False,
        )

    def forget_gradients(self) -> None:
        """Let go of all gradients."""
        for weight in self.weights:
            weight.grad = None

    def _begin(self, i: int) -> dict[str, Tensor]:
        weight = self.weights[i]
        zeros = (torch.zeros_like(weight), torch.zeros_like(weight), torch.zeros((), device=weight.device))
        self.moments[i] = dict(zip(MOMENTS, zeros, strict=True))
        return self.moments[i]
