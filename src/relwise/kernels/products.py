"""Products of two rows, and of a query with gathered rows, of which four are under way at a time."""

from __future__ import annotations

from numba import njit

from relwise.kernels.compiling import INNER, OUTER
from relwise.kernels.vector import REORDERED, prefetch

AHEAD = 8  # rows asked for before they are read


@njit(fastmath=REORDERED, **INNER)
def row_product(query, row):
    """The product of two rows."""
    total = query.dtype.type(0)
    for k in range(len(query)):
        total += query[k] * row[k]
    return total


@njit(fastmath=REORDERED, **OUTER)
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
