"""Pools that edges share, scored by products of matrices: many negatives for the price of few."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from relwise.kernels.blocks import draw_blocks
from relwise.kernels.matmul import product
from relwise.kernels.pool import arrange
from relwise.negatives.base import Asked, IntArray
from relwise.negatives.corrupt import ENDS, Corruptor
from relwise.nn.decoders import Decoder

Weigh = Callable[[Tensor], Tensor]
"""`weigh(logits)`: (m, k) what each negative of a positive counts, 1 in all; of a logit of minus infinity nothing."""


@dataclass(frozen=True, eq=False)
class SharedPools:
    """The pools of n positives, which lie in B blocks, each of one replaced end and its type.

    Args:
        order: (n,) the positives' positions in what was asked, block after block. All that follows is in this order.
        blocks: (B + 1,) where each block begins.
        tails: where the first edge stands whose tail is replaced; those before replace heads.
        anchors, relations, replaced: (n,) the end that stays, the relation, and the node that is replaced.
        candidates: (B, k) what a block's edges may put there.
        refused: (n, k) which of them they may not.
        slots: (n,) one candidate for each positive that it does not refuse; -1 where it refuses all.
    """

    order: IntArray
    blocks: IntArray
    tails: int
    anchors: IntArray
    relations: IntArray
    replaced: IntArray
    candidates: IntArray
    refused: npt.NDArray[np.bool_]
    slots: IntArray


def draw_pools(corruptor: Corruptor, asked: Asked, pool: int, shared: int) -> tuple[SharedPools, IntArray]:
    """Pools of `pool` nodes, each for about `shared` positives.

    A pool holds a node once: what was drawn twice counts once. Known edges and self-loops are refused, and nothing is
    drawn in their place. A type of no more than `pool` nodes is a pool by itself, so a pool as large as the graph asks
    of every positive about every node.

    Returns:
        The pools, and (n,) for each positive, as asked, one node that makes an unknown edge.
    """
    index, replaced, table = asked.index, asked.replaced, corruptor.table
    # Relations whose ends are of one type have candidates in common: of hundreds of relations each alone has few edges.
    relations = table.relations[index].astype(np.int64)
    kinds, kind = np.unique(table.ranges.reshape(-1, 2), axis=0, return_inverse=True)
    group = kind.reshape(2, -1)[replaced, relations]
    order, blocks, tails = arrange(group, len(kinds), np.arange(len(index)), replaced, shared)
    size = min(pool, int((table.ranges[..., 1] - table.ranges[..., 0]).max()))
    candidates, refused = np.empty((len(blocks) - 1, size), np.int64), np.empty((len(index), size), np.bool_)
    taken, slots = np.empty(len(index), np.int64), np.empty(len(index), np.int64)
    seed = np.uint64(asked.seed)
    draw_blocks(seed, table, index, replaced, order, blocks, candidates, refused, taken, slots)
    which, end = index[order], replaced[order]
    nodes = np.empty_like(taken)
    nodes[order] = taken
    pools = SharedPools(
        order,
        blocks,
        int(blocks[tails]),
        table.ends[1 - end, which].astype(np.int64),
        relations[order],
        table.ends[end, which].astype(np.int64),
        candidates,
        refused,
        slots,
    )
    return pools, nodes


def pool_loss(pools: SharedPools, decoder: Decoder, nodes: Tensor, weigh: Weigh) -> tuple[Tensor, Tensor, Tensor]:
    """Cross entropy, half of it of the positives, half of their pools, each weighed by `weigh`::

        1/2n Σ_i softplus(-s_i) + Σ_j w_ij softplus(s_ij),      s_ij = query_i · keys(h_cj)

    A positive's logit is by the query of the end that is replaced, as its negatives' are.

    Returns:
        The loss; (n,) the positives' logits; (m,) those of one negative each, of the positives that have one.
    """
    device = nodes.device

    def put(array: npt.NDArray[np.int64]) -> Tensor:
        return torch.from_numpy(array).to(device)

    anchors, relations = nodes.index_select(0, put(pools.anchors)), put(pools.relations)
    parts = (slice(0, pools.tails), slice(pools.tails, None))
    query = torch.cat(
        [decoder.query(end, anchors[part], relations[part]) for end, part in zip(ENDS, parts, strict=True)]
    )
    # One look at the nodes for all blocks: each look has a gradient as large as all nodes are.
    at = put(np.concatenate([pools.replaced, pools.candidates.ravel()]))
    keys = decoder.keys(nodes).index_select(0, at)
    told: list[Tensor] = []
    loss: Any = _PoolLoss.apply(query, keys, pools, weigh, told)
    return loss, told[0], told[1]


class _PoolLoss(torch.autograd.Function):
    """The loss, and its gradients in the same pass over the blocks: logits exist of one block at a time."""

    @staticmethod
    def forward(ctx: Any, query: Tensor, keys: Tensor, pools: SharedPools, weigh: Weigh, told: list[Tensor]) -> Tensor:
        count, pool = len(query), pools.candidates.shape[1]
        own, shared = keys[:count], keys[count:].view(-1, pool, keys.shape[1])
        refused, slots = (torch.from_numpy(a).to(query.device) for a in (pools.refused, pools.slots))
        to_query, to_keys = torch.empty_like(query), torch.empty_like(keys)
        to_shared = to_keys[count:].view(shared.shape)
        total, negative = query.new_zeros(()), query.new_empty(count)
        for b in range(len(pools.blocks) - 1):
            rows = slice(int(pools.blocks[b]), int(pools.blocks[b + 1]))
            logits = product(query[rows], shared[b].t()).masked_fill_(refused[rows], -torch.inf)
            weights = weigh(logits)
            total += (weights * functional.softplus(logits)).sum()
            negative[rows] = logits.gather(1, slots[rows, None].clamp(min=0))[:, 0]
            gradient = weights.mul_(logits.sigmoid_())
            to_query[rows], to_shared[b] = product(gradient, shared[b]), product(gradient.t(), query[rows])
        positive = (query * own).sum(dim=1)
        pull = positive.neg().sigmoid()[:, None]
        to_query -= pull * own
        torch.mul(pull, query, out=to_keys[:count]).neg_()
        ctx.save_for_backward(to_query, to_keys)
        told += [positive, negative[slots >= 0]]
        return (functional.softplus(-positive).sum() + total) / (2 * count)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, Tensor, None, None, None]:
        to_query, to_keys = ctx.saved_tensors
        scale = grads[0] / (2 * len(to_query))
        return scale * to_query, scale * to_keys, None, None, None
