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

from relwise.kernels.compiling import INNER, PARALLEL
from relwise.predict.evidence.plan import Plan
from relwise.predict.evidence.ties import Ties
from relwise.predict.evidence.walks import CAP, NOTHING, follow


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


@njit(**PARALLEL)
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
    filled = 0
    for p in range(len(steps)):
        a, b, c = steps[p, 0], steps[p, 1], steps[p, 2]
        if b < 0:
            for e in range(indptr[a, anchor], indptr[a, anchor + 1]):
                end = neighbours[e]
                if low <= end < high:
                    out[end - low] += np.float32(own[p])
                    sums[0, end - low] = 1.0
            continue
        filled, _ = follow(
            indptr, neighbours, steps, weights, back, p, anchor, cap, reach, touched, filled, ends, touched[:0], False
        )
        ends[anchor] = 0.0
        _add_roots(ends[low:high], own[p], out)
        total = sums[1 if c < 0 else 2]
        for end in range(high - low):
            total[end] += ends[low + end]
        ends[:] = 0.0
    for k in range(filled):
        reach[touched[k]] = 0.0


@njit(**INNER)
def _add_roots(weights, factor, out):  # pragma: no cover (compiled)
    """out += factor · f(weights): two square roots, which processors take many at a time."""
    scale = np.float32(factor)
    for i in range(len(weights)):
        x = np.float32(weights[i] if weights[i] > NOTHING else 0.0)
        out[i] += scale * math.sqrt(math.sqrt(x))
