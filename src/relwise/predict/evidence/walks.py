"""Weighted typed paths between pairs of nodes, counted in memory bounded by the nodes.

A path h - u - v - t follows a kind of tie at each step (`Ties`). It counts with 1 / d_u · 1 / d_v, where d_u is how
many ties of the second step's kind u has, and d_v how many of the third's v has: the chance that a walk through them
comes to t. Paths are simple: u and v are neither h nor t, so no path passes over a tie between h and t themselves, and
what is asked about is never its own evidence. A node with more than `CAP` ties of the kind that leaves it is not passed
through: a path through it would weigh less than 1 / CAP.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from relwise.kernels.compiling import INNER, OUTER

CAP = 10_000  # ties of one kind
NOTHING = 1e-12  # weights that are less are what rounding left: a true one is 1 / CAP² at the least


@njit(**OUTER)
def pair_walks(indptr, neighbours, steps, back, heads, tails, cap, out):  # pragma: no cover (compiled)
    """Fill `out` with the weighted paths of n pairs under P patterns.

    Args:
        indptr, neighbours: of `Ties`.
        steps: (P, 3) the kinds of each pattern's steps, -1 behind its last; in order, so that what begins alike is
            found once.
        back: (2 R,) each kind seen from its other end.
        heads, tails: (n,) nodes; equal heads stand together.
        cap: ties of one kind beyond which a node is not passed through.
        out: (n, P) float32.
    """
    n = indptr.shape[1] - 1
    reach = np.zeros(n, np.float64)
    touched = np.empty(n, np.int32)
    first = 0
    while first < len(heads):
        head, last = heads[first], first
        while last < len(heads) and heads[last] == head:
            last += 1
        filled = 0
        for p in range(len(steps)):
            a, b, c = steps[p]
            if b < 0:
                for i in range(first, last):
                    low, high = indptr[a, head], indptr[a, head + 1]
                    where = low + np.searchsorted(neighbours[low:high], tails[i])
                    out[i, p] = 1.0 if where < high and neighbours[where] == tails[i] else 0.0
                continue
            # What of the nodes before the last step the head reaches, and with which weight.
            if _begins_anew(steps, p):
                for k in range(filled):
                    reach[touched[k]] = 0.0
                filled = reach_from(indptr, neighbours, a, b, c, b, head, cap, reach, touched)
            final = b if c < 0 else c
            behind = back[final]
            for i in range(first, last):
                tail, total = tails[i], 0.0
                if tail == head:  # a walk that comes back is no path
                    out[i, p] = 0.0
                    continue
                for e in range(indptr[behind, tail], indptr[behind, tail + 1]):
                    v = neighbours[e]
                    if reach[v] > 0.0:
                        ties = indptr[final, v + 1] - indptr[final, v]
                        if ties <= cap:
                            total += reach[v] / ties
                if c >= 0 and total > 0.0:
                    total -= _through_end(indptr, neighbours, a, b, c, behind, head, tail, cap)
                out[i, p] = total if total > NOTHING else 0.0
        for k in range(filled):
            reach[touched[k]] = 0.0
        first = last


@njit(**INNER)
def follow(
    indptr, neighbours, steps, weights, back, p, anchor, cap, reach, touched, filled, ends, ended, noted
):  # pragma: no cover (compiled)
    """Add the weights of all paths of pattern p from an anchor to `ends`, the anchor's own among them.

    Args:
        indptr, neighbours: of `Ties`.
        steps, weights, back: of `Plan`; pattern p has two steps or three.
        reach, touched, filled: what `reach_from` left of the pattern before.
        ends: (N,) zeros.
        ended, noted: where noted, the nodes whose weight is no zero any more, for `ended`.

    Returns:
        How many nodes stand in `touched`, and in `ended`.
    """
    a, b, c = steps[p, 0], steps[p, 1], steps[p, 2]
    final, leaving = (b, weights[p, 0]) if c < 0 else (c, weights[p, 1])
    if _begins_anew(steps, p):
        for k in range(filled):
            reach[touched[k]] = 0.0
        filled = reach_from(indptr, neighbours, a, b, c, weights[p, 0], anchor, cap, reach, touched)
    last = 0
    for k in range(filled):
        v = touched[k]
        ties = indptr[leaving, v + 1] - indptr[leaving, v]
        if ties == 0 or ties > cap:
            continue
        part = reach[v] / ties
        for e in range(indptr[final, v], indptr[final, v + 1]):
            end = neighbours[e]
            if noted and ends[end] == 0.0:
                ended[last] = end
                last += 1
            ends[end] += part
    if c >= 0:
        _take_back(indptr, neighbours, back, a, b, c, weights[p, 0], leaving, anchor, cap, ends)
    return filled, last


@njit(**INNER)
def _begins_anew(steps, p):  # pragma: no cover (compiled)
    """Whether pattern p comes to the nodes before its last step by other ties than the pattern before it."""
    if p == 0 or steps[p - 1, 1] < 0 or steps[p - 1, 0] != steps[p, 0]:
        return True
    if steps[p, 2] < 0 or steps[p - 1, 2] < 0:
        return steps[p, 2] >= 0 or steps[p - 1, 2] >= 0  # of two steps, both come there by the first alone
    return steps[p - 1, 1] != steps[p, 1]


@njit(**INNER)
def _take_back(indptr, neighbours, back, a, b, c, first, second, anchor, cap, ends):  # pragma: no cover
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
def reach_from(indptr, neighbours, a, b, c, leaving, anchor, cap, reach, touched):  # pragma: no cover
    """The nodes one step before the end, by their weights so far; returns how many stand in `touched`."""
    filled = 0
    for e in range(indptr[a, anchor], indptr[a, anchor + 1]):
        u = neighbours[e]
        if c < 0:
            reach[u] = 1.0
            touched[filled] = u
            filled += 1
            continue
        ties = indptr[leaving, u + 1] - indptr[leaving, u]
        if ties == 0 or ties > cap:
            continue
        for f in range(indptr[b, u], indptr[b, u + 1]):
            v = neighbours[f]
            if v != anchor:
                if reach[v] == 0.0:
                    touched[filled] = v
                    filled += 1
                reach[v] += 1.0 / ties
    return filled


@njit(**INNER)
def _through_end(indptr, neighbours, a, b, c, behind, head, tail, cap):  # pragma: no cover (compiled)
    """What walks h - t - v - t, which are no paths, weigh."""
    low, high = indptr[a, head], indptr[a, head + 1]
    where = low + np.searchsorted(neighbours[low:high], tail)
    if where >= high or neighbours[where] != tail:
        return 0.0
    ties = indptr[b, tail + 1] - indptr[b, tail]
    if ties == 0 or ties > cap:
        return 0.0
    total = 0.0
    e, end = indptr[b, tail], indptr[b, tail + 1]
    f, stop = indptr[behind, tail], indptr[behind, tail + 1]
    while e < end and f < stop:
        if neighbours[e] < neighbours[f]:
            e += 1
        elif neighbours[e] > neighbours[f]:
            f += 1
        else:
            v = neighbours[e]
            degree = indptr[c, v + 1] - indptr[c, v]
            if v != head and degree <= cap:
                total += 1.0 / (ties * degree)
            e += 1
            f += 1
    return total
