"""RelGNN's layers one after the other, and the fusion behind them (eq. 3-7): one operator, on the CPU.

What passes between them is nobody else's: each layer's states are written over by the next one's dropout and, going
back, gradients by what they become. LeakyReLU's gradients cost no pass of their own, and what fusion and first layer
ask of the attributes is added up where it stands. What the forward pass left goes as the backward pass is done with it:
who goes back twice has it made again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from relwise.kernels.adjacency import Adjacency
from relwise.kernels.dropout import Drawn
from relwise.kernels.fusion import add_to_attributes, fuse_backward, fuse_states
from relwise.kernels.matmul import Precision
from relwise.kernels.node_logits import Parts
from relwise.kernels.remaking import remake
from relwise.nn.layer import Found, How, Made, pass_back, pass_on


def relgnn_chain(
    start: Tensor,
    layers: Sequence[Parts],
    attention: Tensor,
    adjacency: Adjacency,
    keep: Tensor | None,
    slope: float,
    precision: Precision = "float32",
    dropped: Sequence[Drawn | None] = (),
) -> Tensor:
    """(N, d) final states, as `relgnn_layer` after `relgnn_layer` and `fuse` give them.

    Args:
        start: (N, d) h^(0).
        layers: at least one; each with matrices of its own, and all with the same relation states.
        attention: (d, L) of the fusion.
        adjacency, keep, slope, precision: as of `relgnn_layer`.
        dropped: of each layer's input; of no length: nothing.
    """
    again = remake(start)
    hows = [
        How(adjacency, keep, slope, precision, drawn, place > 0, again if place == 0 else None)
        for place, drawn in enumerate(dropped or [None] * len(layers))
    ]
    matrices = [tensor for parts in layers for tensor in parts[:-1]]
    given = start, attention, layers[0].relation_state, *matrices
    return _Chain.apply(hows, *given)  # pyright: ignore[reportReturnType]


@dataclass(eq=False)
class _Passed:
    """What a forward pass leaves for the backward pass, which lets go of each part as it is done with it.

    Args:
        state: the last layer's states.
        logits: the fusion's.
        layers: what each layer leaves.
    """

    state: Tensor
    logits: Tensor
    layers: list[tuple[Found, Made]]


class _Chain(torch.autograd.Function):
    @staticmethod
    def forward(ctx, hows, start, attention, relation_state, *matrices):
        start, attention = start.contiguous(), attention.contiguous()
        out, ctx.passed = _pass(hows, start, attention, _layers(matrices, relation_state))
        ctx.save_for_backward(None if hows[0].again else start, attention, relation_state, *matrices)
        ctx.hows = hows
        return out

    @staticmethod
    def backward(ctx, *grads):
        start, attention, relation_state, *matrices = ctx.saved_tensors
        hows, layers, given = ctx.hows, _layers(matrices, relation_state), grads[0].contiguous()
        start = hows[0].again() if start is None else start
        passed, ctx.passed = ctx.passed, None
        if passed is None:  # going back a second time
            _, passed = _pass(hows, start, attention, layers)
        states = given, start, passed.state, attention, passed.logits
        grad, grad_attention, told = fuse_backward(*states, hows[0].slope, activated=True, in_place=True)
        del start, states, passed.state, passed.logits
        grad_relation, by_matrices = None, []
        for how, parts in zip(reversed(hows), reversed(layers), strict=True):
            found, made = passed.layers.pop()
            grad, by_parts = pass_back(grad, parts, found, made, how)
            grad_relation = by_parts[-1] if grad_relation is None else grad_relation.add_(by_parts[-1])
            by_matrices = [*by_parts[:-1], *by_matrices]
        add_to_attributes(given, told, attention, grad)
        return None, grad, grad_attention, grad_relation, *by_matrices


def _pass(hows: Sequence[How], start: Tensor, attention: Tensor, layers: Sequence[Parts]) -> tuple[Tensor, _Passed]:
    """The final states, and what is needed to go back."""
    state, left = start, []
    for how, parts in zip(hows, layers, strict=True):
        state, found, made = pass_on(state, parts, how)
        left.append((found, made))
    out, logits = fuse_states(start, state, attention, hows[0].slope)
    return out, _Passed(state, logits, left)


def _layers(matrices: Sequence[Tensor], relation_state: Tensor) -> list[Parts]:
    count = len(Parts._fields) - 1
    return [Parts._make((*matrices[at : at + count], relation_state)) for at in range(0, len(matrices), count)]
