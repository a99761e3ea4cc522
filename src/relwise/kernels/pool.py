"""Negatives on the CPU: propose, refuse known edges, score the pool and choose, in one pass.

Every draw is a function of (seed, edge, number of the draw) alone, so the result is the same with any number of
threads, and proposing first and choosing afterwards gives what the fused pass gives. Edges may share a pool: the
first draw of each slot is then that of the block's first edge, and what an edge refuses it draws anew for itself, so
that every edge has k candidates that are not known. Nothing of size edges × pool or pool × d is made.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit, prange

from relwise.kernels.compiling import INNER, OUTER, PARALLEL
from relwise.kernels.known import MARKS, enter, find_refused, is_partner, leave, table_size
from relwise.kernels.mixing import mix
from relwise.kernels.nearest import GROUP, nearest_of_each, round_down
from relwise.kernels.panels import up
from relwise.kernels.pool_products import pool_logits, workspace
from relwise.kernels.products import row_product
from relwise.kernels.sieve import NOTHING, passes, place_in, row_key
from relwise.kernels.tile import ROWS
from relwise.kernels.vector import prefetch

# After so many refusals in a row, walk on from the last draw to the next edge that is not known: exact, and it ends.
DRAWS = 32
STRETCH = 64  # edges that are looked up together
LINES = 4  # of a row of partners, asked for before it is read
PARTS = 64  # pieces of the work, each with scratch of its own
FEW = 8  # blocks of a piece, at least: for fewer its scratch would be a part of the work


class Corruptible(NamedTuple):
    """Edges to corrupt, and the known edges at each of their ends. Index 0 is the head's, 1 the tail's.

    Args:
        ends: (2, n) each edge's head and tail.
        relations: (n,) its relation.
        ranges: (2, R, 2) first node of the relation's type at that end, and one past its last.
        rows: (2, n) the row of the known partners of the *other* end: what may not be put at this one.
        indptr: (rows + 1,) where each row begins.
        partners: the nodes of each row, ascending.
        sieve: of the rows' partners (`sieve.sieve_of_rows`), or none.
    """

    ends: npt.NDArray[np.int32]
    relations: npt.NDArray[np.int32]
    ranges: npt.NDArray[np.int64]
    rows: npt.NDArray[np.int32]
    indptr: npt.NDArray[np.int64]
    partners: npt.NDArray[np.int32]
    sieve: npt.NDArray[np.uint8] = NOTHING


@njit(**INNER)
def look_up(edges, edge, end):
    """Of an edge whose `end` is replaced: its anchor, the range of its candidates, and its row of known partners."""
    low, high = edges.ranges[end, edges.relations[edge]]
    row = edges.rows[end, edge]
    return np.int64(edges.ends[1 - end, edge]), low, high, edges.indptr[row], edges.indptr[row + 1]


@njit(**OUTER)
def draw(seed, edge, number, low, high):
    """Uniform on low..high-1 (to within 2^-32 of its share)."""
    golden = np.uint64(0x9E3779B97F4A7C15)
    bits = mix(np.uint64(seed) + golden * (np.uint64(edge) * np.uint64(1 << 24) + np.uint64(number) + np.uint64(1)))
    return low + np.int64(((bits >> np.uint64(32)) * np.uint64(high - low)) >> np.uint64(32))


@njit(**INNER)
def redraw(seed, edge, slot, node, place, partners):
    """What an edge puts in a slot in place of a refused node, and how many proposals were refused, that one counted."""
    anchor, low, high, first, last = place[0], place[1], place[2], place[3], place[4]
    for attempt in range(1, DRAWS):
        node = draw(seed, edge, slot * DRAWS + attempt, low, high)
        if node != anchor and not is_partner(partners, first, last, node):
            return node, attempt
    for walked in range(high - low):
        node = low + (node - low + 1) % (high - low)
        if node != anchor and not is_partner(partners, first, last, node):
            return node, DRAWS + walked
    return np.int64(-1), DRAWS + high - low


@njit(**OUTER)
def draw_ends(seed, index, open_, replaced):
    """Fill `replaced` (n,) with the end that is replaced, 0 or 1: drawn evenly, save where only one end is open.

    Args:
        open_: (2, edges) whether the end leaves an unknown edge to make.
    """
    for i in range(len(index)):
        e = index[i]
        coin = np.int64(mix(mix(np.uint64(seed)) + np.uint64(i)) >> np.uint64(63))
        replaced[i] = coin if open_[coin, e] else 1 - coin


@njit(**OUTER)
def arrange(relations, num_relations, index, replaced, shared):
    """Edges in blocks of about `shared` that have relation and replaced end in common; heads' blocks come first.

    Neighbours in `index` go to different blocks: they often have an anchor in common, and would choose alike.

    Returns:
        order: (n,) positions in `index`, block after block.
        blocks: (B + 1,) where each block begins.
        tails: the first block whose tails are replaced.
    """
    groups = 2 * num_relations
    start = np.zeros(groups + 1, np.int64)
    for i in range(len(index)):
        start[replaced[i] * num_relations + relations[index[i]] + 1] += 1
    counts = np.zeros(groups + 1, np.int64)  # blocks before each group
    for g in range(groups):
        counts[g + 1] = counts[g] + (start[g + 1] + shared - 1) // shared
        start[g + 1] += start[g]
    blocks = np.empty(counts[groups] + 1, np.int64)
    for g in range(groups):
        number, size = counts[g + 1] - counts[g], start[g + 1] - start[g]
        for b in range(number):
            blocks[counts[g] + b] = start[g] + b * (size // number) + min(b, size % number)
    blocks[counts[groups]] = len(index)
    order, seen = np.empty(len(index), np.int64), np.zeros(groups, np.int64)
    for i in range(len(index)):
        g = replaced[i] * num_relations + relations[index[i]]
        number = counts[g + 1] - counts[g]
        order[blocks[counts[g] + seen[g] % number] + seen[g] // number] = i
        seen[g] += 1
    return order, blocks, counts[num_relations]


@njit(**INNER)
def find_places(edges, index, replaced, order, begin, end, places, lines):
    """Look up all edges of a stretch before the first is worked on, so that their look-ups in memory overlap.

    Without an `order` edges are taken as they come. So many lines of each row of partners are asked for: always all,
    also of a shorter row, as a jump that depends on what was looked up would end the overlap.
    """
    for p in range(begin, end):
        i = order[p] if len(order) else p
        anchor, low, high, first, last = look_up(edges, index[i], replaced[i])
        place = places[p - begin]
        place[0], place[1], place[2], place[3], place[4] = anchor, low, high, first, last
        for line in range(lines):
            prefetch(edges.partners, first + 16 * line)


@njit(**PARALLEL)
def propose(seed, edges, index, replaced, owner, candidates, refused):
    """Fill `candidates` (n, k) with nodes that make unknown edges; -1 where every edge is known.

    Args:
        edges: a `Corruptible`.
        index: (n,) which of them.
        replaced: (n,) the end that is replaced.
        owner: (n,) the position whose first draws an edge takes: its own, or that of its block's first edge.
    """
    sieved = len(edges.sieve) > 0
    for stretch in prange(-(-len(index) // STRETCH)):
        begin, end = np.int64(stretch) * STRETCH, min((np.int64(stretch) + 1) * STRETCH, len(index))
        places = np.empty((STRETCH, 5), np.int64)
        find_places(edges, index, replaced, index[:0], begin, end, places, 0 if sieved else LINES)
        for i in range(begin, end):
            low, high, first = places[i - begin, 1], places[i - begin, 2], places[i - begin, 3]
            for slot in range(candidates.shape[1]):
                node = draw(seed, owner[i], slot * DRAWS, low, high)
                candidates[i, slot] = node
                if sieved:
                    prefetch(edges.sieve, place_in(edges.sieve, row_key(first, node)) >> np.uint64(3))
        for i in range(begin, end):
            anchor, first, last = places[i - begin, 0], places[i - begin, 3], places[i - begin, 4]
            refused[i] = 0
            for slot in range(candidates.shape[1]):
                node = candidates[i, slot]
                known = passes(edges.sieve, row_key(first, node)) and is_partner(edges.partners, first, last, node)
                if node == anchor or known:
                    place = anchor, places[i - begin, 1], places[i - begin, 2], first, last
                    candidates[i, slot], count = redraw(seed, i, slot, node, place, edges.partners)
                    refused[i] += count


@njit(**INNER)
def _refuse(
    seed, order, begin, end, places, partners, candidates, table, marks, link, nodes, slots, others, stops, refused
):  # fmt: skip
    """What each of a block's edges refuses of the pool, and draws anew in its place: in `slots` and `others` (-1:
    nothing is left), edge after edge; `stops` has where each one's end. The new rows are asked for."""
    start = np.int64(0)
    for p in range(begin, end):
        n, i, proposals = p - begin, order[p], np.int64(0)
        place = places[n, 0], places[n, 1], places[n, 2], places[n, 3], places[n, 4]
        stop = find_refused(partners, place[3], place[4], place[0], candidates, table, marks, link, slots, start)
        for s in range(start, stop):
            others[s], times = redraw(seed, i, slots[s], np.int64(candidates[slots[s]]), place, partners)
            proposals += times
            prefetch(nodes, np.uint64(max(others[s], 0)))
        refused[i], stops[n], start = proposals, stop, stop


@njit(**INNER)
def _multiply(edges, index, order, begin, end, places, nodes, factors, out):
    """out = the states of the block's anchors, each times its relation's row of `factors`."""
    for p in range(begin, end):
        state, factor = nodes[np.uint32(places[p - begin, 0])], factors[edges.relations[index[order[p]]]]
        query = out[p - begin]
        for k in range(len(query)):
            query[k] = state[k] * factor[k]


@njit(**INNER)
def _choose(
    order, begin, end, query, shift, nodes, wanted, bound, candidates, logits, step, slots, others, stops, own,
    scratch, chosen,
):  # fmt: skip
    """Each of a block's edges chooses from the pool, what `_refuse` found replaced; `logits` as of `pool_logits`.

    Args:
        own: what the block's edges want, as `nearest_of_each` asks for it; to be filled.
        scratch: of `nearest_of_each`: what it fills, and what it needs besides.
    """
    start, (own_wanted, goal, own_bound), (taken, ends, gaps) = np.int64(0), own, scratch
    for p in range(begin, end):
        n, i = p - begin, order[p]
        own_wanted[n] = goal[n] = wanted[i]
        own_bound[n] = round_down(bound[i], own_bound)
        for s in range(start, np.int64(stops[n])):
            if others[s] >= 0:
                logits[slots[s] * step + n] = row_product(query[p - shift], nodes[others[s]])
        start = np.int64(stops[n])
    nearest_of_each(logits, len(candidates), step, end - begin, own_wanted, goal, own_bound, taken, ends, gaps)
    start = np.int64(0)
    for p in range(begin, end):
        n, stop = p - begin, np.int64(stops[p - begin])
        slot = taken[n]
        node = np.int64(candidates[slot])
        for s in range(start, stop):
            node = others[s] if slots[s] == slot or others[s] < 0 else node
        chosen[order[p]], start = node, stop


@njit(**PARALLEL)
def choose_shared(
    seed, edges, index, replaced, order, blocks, query, factors, nodes, wanted, bound, pool, chosen, refused
):  # fmt: skip
    """As `own_pool.choose_own`, where a block's edges share first draws of a pool, and a product of matrices scores.

    Args:
        order: (n,) as `arrange` gives it.
        blocks: (B + 1,) a stretch of those of `arrange`.
        query: (m, d) of the edges at places `blocks[0]` to `blocks[-1]` of `order`; of no length with `factors`.
        factors: (R, d) where a query is its anchor's state times its relation's row: then it is made here. Else (0, d).
    """
    size, most = table_size(pool), 0
    for b in range(len(blocks) - 1):
        most = max(most, blocks[b + 1] - blocks[b])
    parts, step = max(1, min(PARTS, (len(blocks) - 1) // FEW)), up(most, GROUP)
    for part in prange(parts):
        candidates, link, slots = np.empty(pool, np.int32), np.empty(pool, np.int32), np.empty(most * pool, np.int32)
        others, stops = np.empty(most * pool, np.int64), np.empty(most, np.int64)
        logits, places = np.zeros(up(pool, ROWS) * step, nodes.dtype), np.empty((most, 5), np.int64)
        own = np.zeros(step), np.zeros(step, nodes.dtype), np.zeros(step, nodes.dtype)
        scratch = np.empty(3 * step, np.int32), np.empty(2 * step, nodes.dtype), np.empty(step, nodes.dtype)
        product = np.empty((most if len(factors) else 0, nodes.shape[1]), nodes.dtype)
        space = workspace(step, nodes.shape[1])
        table, marks = np.full(size, -1, np.int32), np.zeros(MARKS * size, np.uint8)
        for b in range((len(blocks) - 1) * part // parts, (len(blocks) - 1) * (part + 1) // parts):
            begin, end = blocks[b], blocks[b + 1]
            find_places(edges, index, replaced, order, begin, end, places, LINES)
            for slot in range(pool):
                candidates[slot] = draw(seed, order[begin], slot * DRAWS, places[0, 1], places[0, 2])
                prefetch(nodes, np.uint32(candidates[slot]))
            for p in range(begin, end if len(factors) else begin):
                prefetch(nodes, np.uint32(places[p - begin, 0]))
            enter(table, marks, link, candidates)
            _refuse(
                seed, order, begin, end, places, edges.partners, candidates, table, marks, link, nodes, slots, others,
                stops, refused,
            )  # fmt: skip
            leave(table, marks, candidates)
            asked, shift = (product, begin) if len(factors) else (query, blocks[0])
            if len(factors):
                _multiply(edges, index, order, begin, end, places, nodes, factors, product)
            pool_logits(asked, begin - shift, end - shift, nodes, candidates, space, step, logits)
            _choose(
                order, begin, end, asked, shift, nodes, wanted, bound, candidates, logits, step, slots, others, stops,
                own, scratch, chosen,
            )  # fmt: skip
