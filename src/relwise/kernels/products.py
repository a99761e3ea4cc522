"""Products of queries with gathered rows, in tiles that keep loads and sums of several rows under way at a time."""

from __future__ import annotations

import numpy as np
from numba import njit

from relwise.kernels.vector import FAST, prefetch

AHEAD = 8  # rows asked for before they are read


@njit(cache=True, fastmath=FAST)
def row_product(query, row):
    """The product of two rows."""
    total = query.dtype.type(0)
    for k in range(len(query)):
        total += query[k] * row[k]
    return total


@njit(cache=True, fastmath=FAST)
def row_products(query, rows, which, out):
    """Fill `out` (k,) with the products of one query with `rows[which]`."""
    full = len(which) // 4 * 4
    for j in range(0, full, 4):
        for later in range(j + AHEAD, min(j + AHEAD + 4, len(which))):
            prefetch(rows, which[later])
        r0, r1, r2, r3 = rows[which[j]], rows[which[j + 1]], rows[which[j + 2]], rows[which[j + 3]]
        a = b = c = d = query.dtype.type(0)
        for k in range(len(query)):
            x = query[k]
            a += x * r0[k]
            b += x * r1[k]
            c += x * r2[k]
            d += x * r3[k]
        out[j], out[j + 1], out[j + 2], out[j + 3] = a, b, c, d
    for j in range(full, len(which)):
        out[j] = row_product(query, rows[which[j]])


@njit(cache=True, fastmath=FAST)
def block_products(queries, rows, which, out):
    """Fill `out[:m, :k]` with the products of m queries with `rows[which]`, 4 × 4 of them at a time."""
    full, even = len(queries) // 4 * 4, len(which) // 4 * 4
    for i in range(0, full, 4):
        q0, q1, q2, q3 = queries[i], queries[i + 1], queries[i + 2], queries[i + 3]
        for j in range(0, even, 4):
            _tile(
                q0, q1, q2, q3, rows[which[j]], rows[which[j + 1]], rows[which[j + 2]], rows[which[j + 3]],
                out[i : i + 4, j : j + 4],
            )  # fmt: skip
        for j in range(even, len(which)):
            for n in range(4):
                out[i + n, j] = row_product(queries[i + n], rows[which[j]])
    for i in range(full, len(queries)):
        row_products(queries[i], rows, which, out[i])


@njit(cache=True, fastmath=FAST)
def _tile(q0, q1, q2, q3, r0, r1, r2, r3, out):
    a0 = a1 = a2 = a3 = b0 = b1 = b2 = b3 = c0 = c1 = c2 = c3 = d0 = d1 = d2 = d3 = q0.dtype.type(0)
    for k in range(len(q0)):
        w, x, y, z = r0[k], r1[k], r2[k], r3[k]
        q = q0[k]
        a0 += q * w
        a1 += q * x
        a2 += q * y
        a3 += q * z
        q = q1[k]
        b0 += q * w
        b1 += q * x
        b2 += q * y
        b3 += q * z
        q = q2[k]
        c0 += q * w
        c1 += q * x
        c2 += q * y
        c3 += q * z
        q = q3[k]
        d0 += q * w
        d1 += q * x
        d2 += q * y
        d3 += q * z
    out[0, 0], out[0, 1], out[0, 2], out[0, 3] = a0, a1, a2, a3
    out[1, 0], out[1, 1], out[1, 2], out[1, 3] = b0, b1, b2, b3
    out[2, 0], out[2, 1], out[2, 2], out[2, 3] = c0, c1, c2, c3
    out[3, 0], out[3, 1], out[3, 2], out[3, 3] = d0, d1, d2, d3


@njit(cache=True, fastmath=FAST | {"nnan"})
def nearest(logits, wanted, bound):
    """The slot whose probability is nearest to `wanted`.

    The sigmoid rises, so the likeliest candidate at or below `wanted` and the least likely above it are the only two
    in question, and on either side logits tell apart what rounds to one probability. Of two that are equally near the
    less likely is taken, of equal logits the first. Where a logit is no number, any slot may be taken.

    Args:
        logits: (k,) of a pool.
        wanted: a probability; 1 or more asks for the likeliest, 0 or less for the least likely.
        bound: its logit, rounded down in the logits' dtype.
    """
    lowest, highest = logits.dtype.type(-np.inf), logits.dtype.type(np.inf)
    low, high = lowest, highest
    for slot in range(len(logits)):
        logit = logits[slot]
        low = max(low, logit if logit <= bound else lowest)
        high = min(high, highest if logit <= bound else logit)
    if low == lowest or high == highest:
        best = high if low == lowest else low
    else:
        distance = wanted - 1 / (1 + np.exp(-np.float64(low)))
        best = low if distance <= 1 / (1 + np.exp(-np.float64(high))) - wanted else high
    # Every slot is looked at, and none skipped by a jump: so this too runs many slots at a time.
    found = np.int32(len(logits))
    for slot in range(len(logits)):
        found = min(found, np.int32(slot) if logits[slot] == best else np.int32(len(logits)))
    return found if found < len(logits) else np.int32(0)
