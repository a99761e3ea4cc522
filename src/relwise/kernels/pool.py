"""Negatives on the CPU: propose, refuse known edges, score the pool and choose, in one pass.

Every draw is a function of (seed, edge, number of the draw) alone, so the result is the same with any number of
threads, and proposing first and choosing afterwards gives what the fused pass gives. Nothing of size pool × d is made.
"""

from __future__ import annotations

import numpy as np
from numba import njit, prange

from relwise.kernels.cpu import FAST
from relwise.kernels.hashset import contains, mix

# After so many refusals in a row, walk on from the last draw to the next edge that is not known: exact, and it ends.
DRAWS = 32


@njit(cache=True)
def _key(head, relation, tail, num_nodes, directed):
    if not directed and head > tail:
        head, tail = tail, head
    return (relation * num_nodes + head) * num_nodes + tail


@njit(cache=True)
def _draw(seed, edge, number, low, high):
    """Uniform on low..high-1 (to within 2^-32 of its share)."""
    golden = np.uint64(0x9E3779B97F4A7C15)
    bits = mix(np.uint64(seed) + golden * (np.uint64(edge) * np.uint64(1 << 24) + np.uint64(number) + np.uint64(1)))
    return low + np.int64(((bits >> np.uint64(32)) * np.uint64(high - low)) >> np.uint64(32))


@njit(cache=True)
def _refused(node, anchor, relation, replace_head, directed, num_nodes, table):
    if node == anchor:
        return True
    head, tail = (node, anchor) if replace_head else (anchor, node)
    return contains(table, _key(head, relation, tail, num_nodes, directed))


@njit(cache=True)
def _corrupt(seed, edge, slot, low, high, anchor, relation, replace_head, directed, num_nodes, table):
    """The node that replaces an end in one slot of a pool, and how many proposals were refused on the way."""
    node = low
    for attempt in range(DRAWS):
        node = _draw(seed, edge, slot * DRAWS + attempt, low, high)
        if not _refused(node, anchor, relation, replace_head, directed, num_nodes, table):
            return node, attempt
    for walked in range(high - low):
        node = low + (node - low + 1) % (high - low)
        if not _refused(node, anchor, relation, replace_head, directed, num_nodes, table):
            return node, DRAWS + walked
    return np.int64(-1), DRAWS + high - low


@njit(parallel=True, cache=True)
def propose(seed, low, high, anchor, relation, replace_head, directed, num_nodes, table, candidates, refused):
    """Fill `candidates` (n, k) with nodes that make unknown edges; -1 where every edge is known."""
    for i in prange(len(anchor)):
        r = relation[i]
        refused[i] = 0
        for slot in range(candidates.shape[1]):
            candidates[i, slot], count = _corrupt(
                seed, i, slot, low[i], high[i], anchor[i], r, replace_head[i], directed[r], num_nodes, table
            )
            refused[i] += count


@njit(parallel=True, cache=True, fastmath=FAST)
def propose_and_choose(
    seed, low, high, anchor, relation, replace_head, directed, num_nodes, table,
    query, nodes, target, pool, chosen, refused, first=0,
):  # fmt: skip
    """Fill `chosen` (n,) with the node of each pool whose probability is nearest to `target`.

    A target of 1 or more chooses the hardest of the pool: for all probabilities p < 1, |p - target| falls as p grows.

    Args:
        query: (n, d) whose product with a node's state is the logit of the corrupted edge.
        nodes: (N, d) node states.
        target: (n,) wanted probability.
        pool: k.
        first: the number of the first edge, where they are a slice of those whose draws `seed` decides.
    """
    width = query.shape[1]
    for i in prange(len(anchor)):
        r = relation[i]
        q = query[i]
        best = np.inf
        chosen[i] = -1
        refused[i] = 0
        for slot in range(pool):
            node, count = _corrupt(
                seed, first + i, slot, low[i], high[i], anchor[i], r, replace_head[i], directed[r], num_nodes, table
            )
            refused[i] += count
            if node < 0:
                break
            state = nodes[node]
            logit = nodes.dtype.type(0)
            for k in range(width):
                logit += q[k] * state[k]
            if target[i] >= 1:
                # By the logit itself: probabilities near one cannot be told apart.
                distance = -float(logit)
            else:
                distance = abs(1.0 / (1.0 + np.exp(-float(logit))) - target[i])
            if distance < best or chosen[i] < 0:
                best = distance
                chosen[i] = node
