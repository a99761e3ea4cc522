"""Negatives on the GPU, in Triton: propose, refuse known edges, score the pool and choose, in one pass.

It draws, refuses and chooses what `relwise.kernels.pool` does on the CPU: every draw is a function of (seed, edge,
number of the draw) alone. Only where two scores differ by less than their rounding may another node be chosen. Nothing
of the pool is written to memory: not its nodes, nor its scores, nor anything of size pool × d.

One warp takes one edge, and 32 slots of its pool at a time, a slot a lane. It draws; searches the known partners of
the edge's anchor by halves, all lanes in step and in the same row, which the L1 cache keeps unless it is a hub's; draws
again in the lanes that were refused; then gathers the 32 nodes' states, 32 columns at a time, which are whole lines of
128 bytes, 16 a lane. In each lane the likeliest candidate below the wanted probability and the least likely above it
are kept; slots are compared with each other once an edge. (With 64 columns the scores and what is made of them
stand in twice as many lanes: twice the registers, and half the programs a multiprocessor.)

The states are read pool times an edge, some 25 GB for 100,000 edges, a pool of 500 and d = 128, but from the L2 cache
where N × d fits into it. One warp a program: some 16 programs a multiprocessor, whose waits overlap.
"""

# pyright: reportArgumentType=false, reportAttributeAccessIssue=false, reportInvalidTypeForm=false
# pyright: reportOperatorIssue=false
# What a kernel's numbers are, Triton knows and pyright cannot.
from __future__ import annotations

import torch
import triton
import triton.language as tl
from torch import Tensor

from relwise.kernels.cuda.common import launch, mix, power
from relwise.kernels.pool import DRAWS


def propose_and_choose(
    seed: int,
    anchor: Tensor,
    low: Tensor,
    high: Tensor,
    owner: Tensor,
    begin: Tensor,
    end: Tensor,
    partners: Tensor,
    query: Tensor,
    nodes: Tensor,
    wanted: Tensor,
    bound: Tensor,
    pool: int,
    first: int = 0,
) -> tuple[Tensor, Tensor]:
    """(n,) int64 the node of each pool whose probability is nearest to `wanted`, and how many draws were refused.

    Nearest is as `relwise.negatives.base.NegativeSampler.choose` has it; -1 where every edge is known.

    Args:
        seed: of all draws, 0 .. 2^64 - 1.
        anchor: (n,) int64, the end that stays.
        low, high: (n,) int64, the range that replacements are drawn from.
        owner: (n,) int64, the number of the edge whose first draws an edge takes: its own, where it shares no pool.
        begin, end: (n,) int64, where the known partners of an edge's anchor stand in `partners`.
        partners: int32, ascending between `begin` and `end`.
        query: (n, d) whose product with a node's state is the logit of the corrupted edge.
        nodes: (N, d) node states.
        wanted: (n,) wanted probability, float64.
        bound: (n,) its logit, rounded down, in the states' dtype.
        pool: k.
        first: the number of the first edge, where they are a slice of those whose draws `seed` decides.
    """
    chosen, refused = torch.empty_like(anchor), torch.empty_like(anchor)
    width = nodes.shape[1]
    launch(
        choose, (len(anchor),), anchor, low, high, owner, begin, end, partners, query.contiguous(),
        nodes.contiguous(), wanted, bound, chosen, refused, int(seed), first, pool,
        LIMIT=DRAWS, WIDTH=width, COLUMNS=power(width, 16, 32), SLOTS=power(pool, 8, 32), num_warps=1,
    )  # fmt: skip
    return chosen, refused


@triton.jit
def _draw(seed, edge, number, low, span):
    """Uniform on `span` nodes from `low`."""
    count = edge.to(tl.uint64) * 16777216 + number.to(tl.uint64) + 1
    bits = mix(seed + count * 0x9E3779B97F4A7C15)
    return low + (((bits >> 32) * span.to(tl.uint64)) >> 32).to(tl.int32)


@triton.jit
def _is_partner(row, length, node, asked):
    """Which of the nodes that are asked for stand in a row, which ascends. The steps are the same for all."""
    below = node * 0
    size = length
    while size > 1:
        half = size // 2
        there = tl.load(row + below + half - 1, mask=asked != 0, other=0)
        below = tl.where(there < node, below + half, below)
        size -= half
    there = tl.load(row + below, mask=(asked != 0) & (below < length), other=-1)
    return tl.where(there == node, asked, 0)


@triton.jit
def _corrupt(seed, edge, owner, slot, asked, low, high, anchor, row, length, LIMIT: tl.constexpr):
    """For each slot asked for the node that replaces an end, how many were refused, and whether none is left."""
    node = slot * 0 + low
    count = slot * 0
    pending = asked
    attempt = low * 0
    while (attempt < LIMIT + high - low) & (tl.max(pending) > 0):
        # After LIMIT draws walk on from the last one: exact, and it ends.
        after = tl.where(node + 1 >= high, low, node + 1)
        drawn = _draw(seed, tl.where(attempt == 0, owner, edge), slot * LIMIT + attempt, low, high - low)
        node = tl.where(pending != 0, tl.where(attempt < LIMIT, drawn, after), node)
        loop = tl.where(node == anchor, pending, 0)
        pending = loop | _is_partner(row, length, node, pending - loop)
        count += pending
        attempt += 1
    return node, count, pending


@triton.jit
def _first_best(logit, slot, node, none):
    """Of each lane's best the greatest logit, its slot (`none` where no lane has one) and its node."""
    best = tl.max(tl.where(slot < none, logit, float("-inf")))
    place = tl.min(tl.where((slot < none) & (logit == best), slot, none))
    return best, place, tl.max(tl.where((slot == place) & (slot < none), node, -1))


@triton.jit(do_not_specialize=["seed", "first", "pool"])
def choose(
    anchor, low, high, owner, begin, end, partners, query, nodes, wanted, bound, chosen, refused,
    seed: tl.uint64, first: tl.int64, pool: tl.int32,
    LIMIT: tl.constexpr, WIDTH: tl.constexpr, COLUMNS: tl.constexpr, SLOTS: tl.constexpr,
):  # fmt: skip
    """One edge's negative. Grid: edges."""
    i = tl.program_id(0).to(tl.int64)
    anchor_i = tl.load(anchor + i).to(tl.int32)
    low_i, high_i = tl.load(low + i).to(tl.int32), tl.load(high + i).to(tl.int32)
    owner_i, begin_i = tl.load(owner + i), tl.load(begin + i)
    length = (tl.load(end + i) - begin_i).to(tl.int32)
    real = tl.float64 if nodes.dtype.element_ty == tl.float64 else tl.float32
    limit = tl.load(bound + i).to(real)
    lane = tl.arange(0, SLOTS)
    # Of each lane: the greatest logit up to the bound, and the greatest of minus those above it.
    below, above = tl.full([SLOTS], float("-inf"), real), tl.full([SLOTS], float("-inf"), real)
    slot_below, slot_above = lane * 0 + pool, lane * 0 + pool
    node_below, node_above = lane * 0, lane * 0
    total = i * 0
    opening = low_i * 0 - 1
    start = low_i * 0
    while start < pool:
        slot = start + lane
        asked = (slot < pool).to(tl.int32)
        node, count, failed = _corrupt(
            seed, first + i, owner_i, slot, asked, low_i, high_i, anchor_i, partners + begin_i, length, LIMIT
        )
        known = (asked != 0) & (failed == 0)
        state_at = nodes + node.to(tl.int64) * WIDTH
        logit = tl.zeros([SLOTS], real)
        for left in range(0, WIDTH, COLUMNS):
            column = left + tl.arange(0, COLUMNS)
            asks = tl.load(query + i * WIDTH + column, mask=column < WIDTH, other=0).to(real)
            mask = known[:, None] & (column < WIDTH)[None, :]
            state = tl.load(state_at[:, None] + column[None, :], mask=mask, other=0)
            logit += tl.sum(asks[None, :] * state.to(real), axis=1)
        better = known & (logit <= limit) & (logit > below)
        below, slot_below = tl.where(better, logit, below), tl.where(better, slot, slot_below)
        node_below = tl.where(better, node, node_below)
        better = known & (logit > limit) & (-logit > above)
        above, slot_above = tl.where(better, -logit, above), tl.where(better, slot, slot_above)
        node_above = tl.where(better, node, node_above)
        opening = tl.where(start == 0, tl.max(tl.where((slot == 0) & known, node, -1)), opening)
        # One slot has no node left: then none has, and the first one's refusals are all that count.
        none = tl.max(failed) > 0
        total += tl.sum(tl.where(none, tl.where(slot == 0, count, 0), count))
        start = tl.where(none, pool, start + SLOTS)
    best_below, place_below, last_below = _first_best(below, slot_below, node_below, pool)
    best_above, place_above, first_above = _first_best(above, slot_above, node_above, pool)
    aim = tl.load(wanted + i).to(tl.float64)
    distance_below = aim - 1.0 / (1.0 + tl.exp(-best_below.to(tl.float64)))
    distance_above = 1.0 / (1.0 + tl.exp(best_above.to(tl.float64))) - aim
    nearest = tl.where(distance_below <= distance_above, last_below, first_above)
    nearest = tl.where(place_below == pool, first_above, tl.where(place_above == pool, last_below, nearest))
    # No number compares with NaN: a pool of nothing else gives its first.
    nearest = tl.where((place_below == pool) & (place_above == pool), opening, nearest)
    tl.store(chosen + i, nearest.to(tl.int64))
    tl.store(refused + i, total)
