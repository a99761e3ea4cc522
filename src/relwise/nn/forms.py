"""Which of its two forms a layer of bases takes: a table of rows, or sums before products.

Both give the same states. The *rows* form multiplies once for each of the P pairs of relation and source that exist,
and keeps P × d numbers twice; the *bases* form multiplies once for each of the N nodes and B bases, and keeps nothing
of either size. So rows are for graphs where few pairs exist, bases for those where nearly every edge has a pair of its
own. Which is faster is estimated from counts alone with fixed rates: the same graph takes the same form wherever it
is trained, and a training resumed goes on as it began.

Seconds of a layer forward and backward on one core, with d the size of the states:

    both  = 6 N d² / PRODUCTS + E EDGE + P PAIR
    rows  = 6 (P + R B) d² / PRODUCTS + 4 P d / TABLE + 4 E d (1 / gather(P d) + 1 / gather(N d))
    bases = 8 N B d² / PRODUCTS + 8 P B d / COMBINED + P AGAIN + 4 E d · 2 / gather(N d)

The rates were fitted to 41 timings (least of five; two heads, float32, one thread of an AMD Zen 5 that other programs
used too; fb15k237, wn18rr, amazon and random graphs; B = 2, 4, 10; d = 16 to 256): 8 % off on average, 26 % at most. Of
the 21 settings timed the faster form was chosen in all but one: among 100,000 nodes 1M random edges with B = 10 took
1.69 s by rows and 1.30 s by bases. Rows of 464 MiB, as those are, took from 1.1 to 2.1 s; the model says 1.13.

| graph | N | P | E | R | B | rows, s | bases, s | rows' bytes | form |
| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |
| amazon | 10,099 | 13,185 | 227,274 | 2 | 2 | 0.036 | 0.043 | 13 MiB | rows |
| fb15k237 | 14,541 | 149,689 | 544,230 | 474 | 4 | 0.219 | 0.144 | 146 MiB | bases |
| fb15k237 | 14,541 | 149,689 | 544,230 | 474 | 10 | 0.220 | 0.230 | 146 MiB | rows |
| wn18rr | 40,943 | 103,509 | 173,670 | 22 | 2 | 0.150 | 0.135 | 101 MiB | bases |
| wn18rr | 40,943 | 103,509 | 173,670 | 22 | 10 | 0.150 | 0.417 | 101 MiB | rows |
| random | 20,000 | 181,312 | 200,000 | 50 | 4 | 0.220 | 0.151 | 177 MiB | bases |
| power-law | 1,000,000 | 9,063,462 | 10,000,000 | 50 | 4 | 11.268 | 8.061 | 8,851 MiB | bases |

(d = 128, two heads; power-law: 10M edges among 1M nodes, where the rows are beyond `BUDGET`. Amazon has no bases.)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from relwise.kernels.adjacency import Adjacency

Form = Literal["rows", "bases"]

PRODUCTS = 160e9  # floating-point operations a second in products of matrices
COMBINED = 63e9  # floating-point operations a second in weighted sums of B vectors
CACHED, UNCACHED = 20e9, 10e9  # bytes a second gathered and summed, of a table that the last cache holds, or does not
CACHE = 32 << 20  # bytes
TABLE = 2e9  # bytes a second of a table of rows and its gradients: written, read for logits, summed by source
EDGE = 20e-9  # seconds of an edge's logits and their gradients, two heads
PAIR, AGAIN = 0.17e-6, 0.09e-6  # seconds of a row beside its numbers in either form, and more where it is made anew
# Bytes of the rows and their gradients beyond which the bases form is taken even if slower. A fixed figure, not what
# is free: the two forms round differently, and what a training gives must not depend on what else runs.
BUDGET = 4 << 30
NUMBER = 4  # bytes of a float32


@dataclass(frozen=True)
class Counts:
    """What the costs depend on: N nodes, P rows, E edges, R relations, B bases, the sizes of the states, L heads."""

    nodes: int
    rows: int
    edges: int
    relations: int
    bases: int
    in_dim: int
    out_dim: int
    heads: int = 2


def choose_form(adjacency: Adjacency, bases: int | None, in_dim: int, out_dim: int, heads: int) -> Form:
    """The form that takes less time by the estimate; "bases" where the rows would not fit in `BUDGET`.

    Args:
        adjacency: the message graph.
        bases: B; None: a matrix per relation, which has the rows form alone.
        in_dim, out_dim: of the layer.
        heads: L.

    >>> import torch
    >>> from relwise.kernels.adjacency import build_adjacency
    >>> edges = torch.arange(60), torch.arange(60).flip(0), torch.zeros(60).long()
    >>> choose_form(build_adjacency(*edges, num_nodes=60, num_relations=1), 4, 16, 16, heads=2)
    'rows'
    """
    if bases is None:
        return "rows"
    sizes = adjacency.num_nodes, len(adjacency.row_source), adjacency.num_edges, adjacency.num_relations
    return choose_by_counts(Counts(*sizes, bases, in_dim, out_dim, heads))


def choose_by_counts(counts: Counts) -> Form:
    """`choose_form` by the counts alone.

    >>> wn18rr = {"nodes": 40_943, "rows": 103_509, "edges": 173_670, "relations": 22, "in_dim": 128, "out_dim": 128}
    >>> choose_by_counts(Counts(**wn18rr, bases=10)), choose_by_counts(Counts(**wn18rr, bases=2))
    ('rows', 'bases')
    """
    if rows_memory(counts) > BUDGET:
        return "bases"
    return "rows" if rows_seconds(counts) <= bases_seconds(counts) else "bases"


def rows_memory(counts: Counts) -> int:
    """Bytes of the rows, their gradients and, where that is another size, those of their sources."""
    c = counts
    return NUMBER * c.rows * (2 * c.out_dim + (c.in_dim if c.in_dim != c.out_dim else 0))


def rows_seconds(counts: Counts) -> float:
    """An estimate for one layer of the rows form, forward and backward."""
    c = counts
    products = 6 * (c.rows + c.relations * c.bases) * c.in_dim * c.out_dim / PRODUCTS
    table = NUMBER * c.rows * c.out_dim / TABLE
    gathered = _gathered(c.edges, c.rows, c.out_dim) + _gathered(c.edges, c.nodes, c.out_dim)
    return products + table + gathered + _both(c)


def bases_seconds(counts: Counts) -> float:
    """An estimate for one layer of the bases form; segments of one relation into one target count as many as rows."""
    c = counts
    products = 8 * c.nodes * c.bases * c.in_dim * c.out_dim / PRODUCTS
    combined = 2 * c.rows * c.bases * (c.in_dim + 3 * c.out_dim) / COMBINED + c.rows * AGAIN
    gathered = _gathered(c.edges, c.nodes, c.in_dim) + _gathered(c.edges, c.nodes, c.out_dim)
    return products + combined + gathered + _both(c)


def _both(c: Counts) -> float:
    """The states' own products, and what an edge and a row take however many numbers they have."""
    return 6 * c.nodes * c.in_dim * c.out_dim / PRODUCTS + c.edges * EDGE * c.heads / 2 + c.rows * PAIR


def _gathered(edges: int, rows: int, dim: int) -> float:
    size = NUMBER * dim
    return edges * size / (CACHED if rows * size <= CACHE else UNCACHED)
