"""Which candidates of a pool are known edges: the known partners of an edge's anchor against the pool, exactly.

A row of partners is read once against a small table of the pool that stays in the nearest cache, so a candidate costs
no look-up in memory. A hub's row, longer than its pool is worth, is searched by halves instead.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic

from relwise.kernels.compiling import INNER, OUTER
from relwise.kernels.nearest import SLOTS

INT32, INT64 = ir.IntType(32), ir.IntType(64)
LONG = 2048  # partners beyond which sixteen searches by halves take less time than reading them all
TOGETHER = np.uint64(8)  # partners that are looked up before a jump
MARKS = 4  # marks for each place of the table
SCAN = 16  # partners read for each candidate, at most: a search by halves costs about as much


@njit(**OUTER)
def is_partner(partners, first, last, node):
    """Whether `node` is in `partners[first:last]`, which ascends."""
    place, count = np.uint64(first), np.uint64(last - first)
    if last <= first:
        return False
    while count > np.uint64(1):
        # Added, not jumped over: which half it is, is anybody's guess.
        half = count >> np.uint64(1)
        place += half * np.uint64(partners[place + half - np.uint64(1)] < node)
        count -= half
    return partners[place] == node


def _match_sixteen(typingctx, candidates, start, anchor, partners, first, last):  # pragma: no cover (emits code)
    def emit(context, builder, signature, args):
        candidates, partners = (context.make_array(signature.args[i])(context, builder, args[i]).data for i in (0, 3))
        _, start, anchor, _, first, last = args
        numbers = ir.VectorType(INT32, SLOTS)

        def differs(number):
            """Zero where a candidate is this number."""
            alone = builder.insert_element(numbers(ir.Undefined), number, INT32(0))
            return builder.xor(pool, builder.shuffle_vector(alone, alone, numbers([0] * SLOTS)))

        def least(one, other):
            return builder.select(builder.icmp_unsigned("<", one, other), one, other)

        place = builder.bitcast(builder.gep(candidates, [start]), numbers.as_pointer())
        pool = builder.load(place, align=4)
        begin, end = differs(builder.trunc(anchor, INT32)), builder.sub(last, INT64(1))
        before, loop, after = builder.block, builder.append_basic_block("partners"), builder.append_basic_block("found")
        builder.cbranch(builder.icmp_signed("<", first, last), loop, after)

        builder.position_at_end(loop)
        n, least_yet = builder.phi(INT64), builder.phi(numbers)
        # Past the last partner the last one again: no second loop for what is left.
        at = [builder.add(n, INT64(i)) for i in range(4)]
        at = [builder.select(builder.icmp_signed("<", i, end), i, end) for i in at]
        a, b, c, d = (differs(builder.load(builder.gep(partners, [i]))) for i in at)
        joined = least(least_yet, least(least(a, b), least(c, d)))
        following = builder.add(n, INT64(4))
        for phi, start_value, step in ((n, first, following), (least_yet, begin, joined)):
            phi.add_incoming(start_value, before)
            phi.add_incoming(step, loop)
        builder.cbranch(builder.icmp_signed("<", following, last), loop, after)

        builder.position_at_end(after)
        result = builder.phi(numbers)
        result.add_incoming(begin, before)
        result.add_incoming(joined, loop)
        bits = builder.bitcast(builder.icmp_unsigned("==", result, numbers([0] * SLOTS)), ir.IntType(SLOTS))
        return builder.zext(bits, INT32)

    whole = types.int64
    return types.uint32(candidates, whole, whole, partners, whole, whole), emit


match_sixteen: Any = intrinsic(_match_sixteen)
"""`match_sixteen(candidates, start, anchor, partners, first, last)`: bits of those of sixteen candidates, from `start`
on, that are the anchor or among `partners[first:last]`; both arrays C-ordered int32."""


@njit(**INNER)
def search_sixteen(candidates, start, anchor, partners, first, last):
    """The same by halves, where the partners are too many to read."""
    bits = np.uint32(0)
    for slot in range(SLOTS):
        node = candidates[start + slot]
        found = node == anchor or is_partner(partners, first, last, node)
        bits |= np.uint32(found) << np.uint32(slot)
    return bits


@njit(**OUTER)
def table_size(pool):
    """Places for `enter`: a power of two, mostly empty, in the nearest cache for pools of some hundreds."""
    size = 1024
    while size < 32 * pool:
        size *= 2
    return size


@njit(**OUTER)
def enter(table, marks, link, candidates):
    """Put a pool into `table`, where a node's low bits lead to a slot, and `link` to further ones; else -1.

    Nodes are drawn uniformly, so that their low bits are as good as any hash. `marks` says of more of these bits
    whether any node has them: a byte each, of which four times as many fit into the nearest cache.

    Args:
        table: (`table_size(pool)`,) int32, all -1.
        marks: (`MARKS` · `table_size(pool)`,) uint8, all 0.
    """
    mask, wide = len(table) - 1, np.uint32(len(marks) - 1)
    for slot in range(len(candidates)):
        place = candidates[slot] & mask
        link[slot] = table[place]
        table[place] = slot
        marks[np.uint32(candidates[slot]) & wide] = 1


@njit(**OUTER)
def leave(table, marks, candidates):
    """Empty `table` and `marks` of a pool."""
    mask, wide = len(table) - 1, np.uint32(len(marks) - 1)
    for slot in range(len(candidates)):
        table[candidates[slot] & mask] = -1
        marks[np.uint32(candidates[slot]) & wide] = 0


# Of one way out: with another one the references of its arrays would be counted at each call.
@njit(**OUTER)
def find_refused(partners, first, last, anchor, candidates, table, marks, link, slots, at):
    """Write to `slots` from `at` on which candidates are the anchor or among `partners[first:last]`; returns their end.

    The anchor must not be among its own partners.
    """
    count, wide = at, np.uint32(len(marks) - 1)
    # Unsigned: a signed place is first asked whether it counts from the end.
    position, end = np.uint64(first), np.uint64(last)
    if last - first > SCAN * len(candidates):
        for slot in range(len(candidates)):
            if candidates[slot] == anchor or is_partner(partners, first, last, candidates[slot]):
                slots[count] = slot
                count += 1
        position = end
    else:
        count = _match(anchor, candidates, table, link, slots, count)
    while position + TOGETHER <= end:
        # Mostly none is marked, and one jump is cheaper than eight.
        marked = np.uint8(0)
        for near in range(TOGETHER):
            marked |= marks[np.uint32(partners[position + near]) & wide]
        if marked:
            for near in range(TOGETHER):
                if marks[np.uint32(partners[position + near]) & wide]:
                    count = _match(partners[position + near], candidates, table, link, slots, count)
        position += TOGETHER
    while position < end:
        if marks[np.uint32(partners[position]) & wide]:
            count = _match(partners[position], candidates, table, link, slots, count)
        position += np.uint64(1)
    return count


@njit(**INNER)
def _match(node, candidates, table, link, slots, count):
    slot = table[node & (len(table) - 1)]
    while slot >= 0:
        if candidates[slot] == node:
            slots[count] = slot
            count += 1
        slot = link[slot]
    return count
