"""How much each message adds to one logit, to first order: by which the ties worth an occlusion are found."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from relwise.predict.explain.layers import Floats, Ints, pass_on, trace
from relwise.predict.explain.occlusion import Occlusion

HEAD, TAIL = 1, 2


@dataclass(frozen=True, eq=False)
class Influence:
    """The facts of a cone, and the message of each that is nearest to an end.

    Args:
        effect: (F,) how much lower the logit were without the fact, by the gradient.
        flow: (F,) how much attention it has: of its messages, each one's α times that on its way to an end.
        layer: (F,) the last layer in which it has a message; 0 of one that has none left.
        message: (F,) which of that layer's messages: the one with the most attention.
        attention: (F,) α of that message, the heads' mean.
        side: (F,) 1 where it bears on the head, 2 on the tail, 3 on both.
    """

    effect: Floats
    flow: Floats
    layer: Ints
    message: Ints
    attention: Floats
    side: Ints


def influence_of(occlusion: Occlusion) -> Influence:
    """The facts of a cone by their influence on its edge's logit."""
    cone, states = occlusion.cone, occlusion.states
    count, n, ends = len(cone.facts), len(cone.nodes), list(cone.ends)
    effect, flow = np.zeros(count, np.float32), np.zeros(count, np.float32)
    layer, message = np.zeros(count, np.int64), np.zeros(count, np.int64)
    attention, side = np.zeros(count, np.float32), np.zeros(count, np.int64)
    upstream, share, bears = np.zeros_like(cone.states[0]), np.zeros(n), np.zeros(n, np.int64)
    np.add.at(upstream, ends, _by_last(occlusion))
    share[ends] = 1
    np.bitwise_or.at(bears, ends, [HEAD, TAIL])
    for t in range(cone.depth, 0, -1):
        level, weights, table = cone.levels[t - 1], states.weights[t - 1], cone.states[t - 1]
        messages = level.messages()
        passed = pass_on(weights, table[level.targets], table, level.row_logit, messages, level.edge_state)
        deeper = level.relation if t > 1 else None
        traced = trace(weights, passed, upstream[level.targets], table, messages, level.edge_state, deeper)
        alpha = passed.alpha.mean(axis=1)
        np.add.at(effect, level.fact, traced.effect)
        along = alpha * share[level.target]
        np.add.at(flow, level.fact, along.astype(np.float32))
        np.bitwise_or.at(side, level.fact, bears[level.target])
        # Of each fact not met in a later layer the message with the most attention: the last to be written.
        new = np.flatnonzero(layer[level.fact] == 0)
        new = new[np.argsort(alpha[new], kind="stable")]
        layer[level.fact[new]] = t
        message[level.fact[new]], attention[level.fact[new]] = new, alpha[new]
        if traced.by_table is not None:
            below = traced.by_table
            below[level.targets] += traced.by_own
            upstream = below
            np.add.at(share, level.source, along)
            np.bitwise_or.at(bears, level.source, bears[level.target])
    return Influence(effect, flow, layer, message, attention, side)


def _by_last(occlusion: Occlusion) -> Floats:
    """(2, d) the gradient of the logit by the ends' states after the last layer."""
    cone, states = occlusion.cone, occlusion.states
    with torch.enable_grad():
        last = torch.from_numpy(cone.last[None].copy()).requires_grad_()
        start = torch.from_numpy(cone.states[0][None, list(cone.ends)])
        (grad,) = torch.autograd.grad(states.logits(start, last, occlusion.relation).sum(), [last])
    return grad[0].numpy()
