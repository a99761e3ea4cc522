"""What typed paths say of one end and every candidate for the other: the same weights as `walks.pair_walks` counts.

The weights are added up as evidence here, and never stand in memory for all patterns at a time:

    s(c) = Σ_p φ_p f(x_p(c)) + ψ_2 f(Σ_{p of 2 steps} x_p(c)) + ψ_3 f(Σ_{p of 3 steps} x_p(c)) + ψ_1 [tied otherwise]

with f(x) = x^(1/4) of `features.weight`.
"""

from __future__ import annotations

import math

import numba
import numpy as np
import numpy.typing as npt
from numba import njit, prange

from relwise.kernels.compiling import INNER
from relwise.predict.evidence.plan import Plan
from relwise.predict.evidence.ties import Ties
from relwise.predict.evidence.walks import CAP, NOTHING, reach_from


def block_evidence(
    ties: Ties,
    plan: Plan,
    own: npt.NDArray[np.float64],
    shared: npt.NDArray[np.float64],
    anchors: npt.NDArray[np.integer],
    candidates: tuple[int, int],
    cap: int = CAP,
) -> npt.NDArray[np.float32]:
    """(q, n) the evidence of q anchors with each of n candidates.

    Args:
        ties: who is tied to whom.
        plan: of P patterns, from the anchors' end.
        own: (P,) φ, in the order of the patterns that the plan was made of.
        shared: (3,) ψ_1, ψ_2, ψ_3.
        anchors: (q,) nodes.
        candidates: the range of the nodes that the other end may be.
        cap: ties of one kind beyond which a node is not passed through.
    """
    low, high = candidates
    out = np.zeros((len(anchors), high - low), np.float32)
    parts = max(1, min(len(anchors), 2 * numba.get_num_threads()))
    starts = np.ascontiguousarray(anchors, dtype=np.int64)
    weights = np.ascontiguousarray(own[plan.columns], dtype=np.float64)
    _blocks(
        ties.indptr, ties.neighbours, plan.steps, plan.weights, plan.back, weights, shared, starts, low, high, cap,
        parts, out,
    )  # fmt: skip
    return out


@njit(parallel=True, cache=True)
def _blocks(
    indptr, neighbours, steps, weights, back, own, shared, anchors, low, high, cap, parts, out
):  # pragma: no cover
    n = indptr.shape[1] - 1
    for part in prange(parts):
        reach = np.zeros(n, np.float64)
        ends = np.zeros(n, np.float64)
        sums = np.zeros((3, high - low), np.float64)
        touched = np.empty(n, np.int32)
        for q in range(part, len(anchors), parts):
            _one(
                indptr, neighbours, steps, weights, back, own, anchors[q], low, high, cap, reach, ends, sums, touched,
                out[q],
            )  # fmt: skip
            for c in range(high - low):
                if sums[0, c] > 0.0:
                    out[q, c] += np.float32(shared[0])
            for k in range(1, 3):
                _add_roots(sums[k], shared[k], out[q])
            sums[:] = 0.0


@njit(**INNER)
def _one(
    indptr, neighbours, steps, weights, back, own, anchor, low, high, cap, reach, ends, sums, touched, out
):  # pragma: no cover
    """Add one anchor's evidence to `out`, and the weights themselves to `sums` by the paths' length."""
    filled, one, two = 0, np.int64(-1), np.int64(-1)
    for p in range(len(steps)):
        a, b, c = steps[p, 0], steps[p, 1], steps[p, 2]
        if b < 0:
            for e in range(indptr[a, anchor], indptr[a, anchor + 1]):
                end = neighbours[e]
                if low <= end < high:
                    out[end - low] += np.float32(own[p])
                    sums[0, end - low] = 1.0
            continue
        final, leaving = (b, weights[p, 0]) if c < 0 else (c, weights[p, 1])
        key = -1 - b if c < 0 else b
        if a != one or key != two:
            for k in range(filled):
                reach[touched[k]] = 0.0
            filled = reach_from(indptr, neighbours, a, b, c, weights[p, 0], anchor, cap, reach, touched)
            one, two = a, key
        for k in range(filled):
            v = touched[k]
            ties = indptr[leaving, v + 1] - indptr[leaving, v]
            if ties == 0 or ties > cap:
                continue
            part = reach[v] / ties
            for e in range(indptr[final, v], indptr[final, v + 1]):
                ends[neighbours[e]] += part
        if c >= 0:
            take_back(indptr, neighbours, back, a, b, c, weights[p, 0], leaving, anchor, cap, ends)
        ends[anchor] = 0.0
        _add_roots(ends[low:high], own[p], out)
        total = sums[1 if c < 0 else 2]
        for end in range(high - low):
            total[end] += ends[low + end]
        ends[:] = 0.0
    for k in range(filled):
        reach[touched[k]] = 0.0


@njit(**INNER)
def take_back(indptr, neighbours, back, a, b, c, first, second, anchor, cap, ends):  # pragma: no cover
    """Take off the walks anchor - u - v - u, which are no paths."""
    returns = back[b] == c  # every step back along the tie that was come by
    for e in range(indptr[a, anchor], indptr[a, anchor + 1]):
        u = neighbours[e]
        ties = indptr[first, u + 1] - indptr[first, u]
        if ties == 0 or ties > cap or ends[u] == 0.0:
            continue
        for f in range(indptr[b, u], indptr[b, u + 1]):
            v = neighbours[f]
            degree = indptr[second, v + 1] - indptr[second, v]
            if v == anchor or degree == 0 or degree > cap:
                continue
            if not returns:
                start, stop = indptr[c, v], indptr[c, v + 1]
                where = start + np.searchsorted(neighbours[start:stop], u)
                if where == stop or neighbours[where] != u:
                    continue
            ends[u] -= 1.0 / (ties * degree)


@njit(**INNER)
def _add_roots(weights, factor, out):  # pragma: no cover (compiled)
    """out += factor · f(weights): two square roots, which processors take many at a time."""
    scale = np.float32(factor)
    for i in range(len(weights)):
        x = np.float32(weights[i] if weights[i] > NOTHING else 0.0)
        out[i] += scale * math.sqrt(math.sqrt(x))
