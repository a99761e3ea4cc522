"""What typed paths say of one end and the candidates that they reach: `walk_blocks` without the others.

The same walks and the same sums, in time that grows with the walks and not with the nodes. Where paths reach a good
part of the nodes this takes longer than `block_evidence`, which goes over all of them in order.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from numba import njit

from relwise.kernels.compiling import INNER, OUTER
from relwise.predict.evidence.plan import Plan
from relwise.predict.evidence.ties import Ties
from relwise.predict.evidence.walks import CAP, NOTHING, follow


def reached_evidence(
    ties: Ties,
    plan: Plan,
    own: npt.NDArray[np.float64],
    shared: npt.NDArray[np.float64],
    anchor: int,
    candidates: tuple[int, int],
    cap: int = CAP,
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]:
    """(m,) the candidates that some path reaches, ascending, and (m,) their evidence.

    Args:
        ties, plan, own, shared, cap: as of `walk_blocks.block_evidence`.
        anchor: a node.
        candidates: the range of the nodes that the other end may be.
    """
    low, high = candidates
    n = ties.num_nodes
    # Zeros are pages that nobody has touched: what is not reached costs nothing.
    reach, ends, place = np.zeros(n), np.zeros(n), np.zeros(n, np.int32)
    touched, ended, found = np.empty(n, np.int32), np.empty(n, np.int32), np.empty(n, np.int32)
    values, sums = np.zeros(high - low, np.float32), np.zeros((high - low, 3))
    weights = np.ascontiguousarray(own[plan.columns], dtype=np.float64)
    count = _reached(
        ties.indptr, ties.neighbours, plan.steps, plan.weights, plan.back, weights, shared, anchor, low, high, cap,
        reach, ends, place, touched, ended, found, values, sums,
    )  # fmt: skip
    order = np.argsort(found[:count])
    return found[:count][order].astype(np.int64), values[:count][order]


@njit(**OUTER)
def _reached(
    indptr, neighbours, steps, weights, back, own, shared, anchor, low, high, cap, reach, ends, place, touched, ended,
    found, values, sums,
):  # fmt: skip # pragma: no cover (compiled)
    """Fill `found` with nodes and `values` with their evidence; returns how many. `place` is one past their place."""
    count, filled = 0, 0
    for p in range(len(steps)):
        a, b, c = steps[p, 0], steps[p, 1], steps[p, 2]
        if b < 0:
            for e in range(indptr[a, anchor], indptr[a, anchor + 1]):
                end = neighbours[e]
                if low <= end < high:
                    count = _placed(end, count, place, found)
                    values[place[end] - 1] += np.float32(own[p])
                    sums[place[end] - 1, 0] = 1.0
            continue
        filled, last = follow(
            indptr, neighbours, steps, weights, back, p, anchor, cap, reach, touched, filled, ends, ended, True
        )
        for k in range(last):
            end = ended[k]
            weight, ends[end] = ends[end], 0.0
            if weight > NOTHING and low <= end < high and end != anchor:
                count = _placed(end, count, place, found)
                values[place[end] - 1] += _root(weight, own[p])
                sums[place[end] - 1, 1 if c < 0 else 2] += weight
    for i in range(count):
        if sums[i, 0] > 0.0:
            values[i] += np.float32(shared[0])
        for k in range(1, 3):
            values[i] += _root(sums[i, k], shared[k])
    return count


@njit(**INNER)
def _placed(end, count, place, found):  # pragma: no cover (compiled)
    if place[end] == 0:
        found[count] = end
        count += 1
        place[end] = count
    return count


@njit(**INNER)
def _root(weight, factor):  # pragma: no cover (compiled)
    return np.float32(factor) * np.float32(math.sqrt(math.sqrt(np.float32(weight))))
