"""At random: shares of each relation's facts; and the sharing out of whatever falls into one part as a whole."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from relwise.data.edges import IntArray
from relwise.data.graph import TEST, VALID, Graph, SplitRule


def random_parts(graph: Graph, seed: int) -> npt.NDArray[np.int8]:
    """Each edge's part: of each relation the rule's shares of its facts.

    One draw per fact, so that both orientations of an undirected edge fall into one part.
    """
    _, facts = np.unique(graph.keys(graph.edges), return_inverse=True)
    return share_out(facts, facts, graph.edges.relations, graph.split_rule, seed)


def share_out(
    facts: IntArray, units: IntArray, relations: IntArray, rule: SplitRule, seed: int
) -> npt.NDArray[np.int8]:
    """(n,) each edge's part, that of its unit, with parts of about the sizes that the rule asks for.

    A part's size is counted in facts. Units are drawn by their rarest relation, so that a small relation is not
    left out of a part by chance. A unit of more than twice a part's share of those would miss the share by more
    than leaving it out, and is not drawn for it.

    Args:
        facts: (n,) the fact that each edge states, numbered from 0 by the order of the facts' keys.
        units: (n,) what falls into one part as a whole, numbered from 0; all statements of a fact are of one unit.
        relations: (n,) each edge's relation.
        rule: whose shares are asked for.
        seed: of the draw.
    """
    if not len(facts):
        return np.zeros(0, dtype=np.int8)
    first = np.unique(facts, return_index=True)[1]
    unit, relation = units[first], relations[first]
    size = np.bincount(unit)
    rarity = np.argsort(np.argsort(np.bincount(relation), kind="stable"))
    rarest = np.full(len(size), len(rarity))
    np.minimum.at(rarest, unit, rarity[relation])
    code = np.zeros(len(size), dtype=np.int8)
    rng = np.random.default_rng([seed, 7])
    for rank in rarity:
        members = rng.permutation(np.flatnonzero(rarest == rank))
        total = size[members].sum()
        for part, share in ((TEST, rule.test), (VALID, rule.valid)):
            drawn = _nearest_to(round(int(total) * float(share)), size[members])
            code[members[drawn]] = part
            members = members[~drawn]
    return code[units]


def _nearest_to(target: int, sizes: IntArray) -> npt.NDArray[np.bool_]:
    """The first of the sizes, without those above twice the target, whose sum is nearest to it.

    >>> _nearest_to(4, np.array([1, 9, 2, 3, 1])).tolist()
    [True, False, True, False, False]
    """
    fitting = np.flatnonzero(sizes <= 2 * target)
    sums = np.concatenate([[0], np.cumsum(sizes[fitting])])
    chosen = np.zeros(len(sizes), dtype=bool)
    chosen[fitting[: int(np.argmin(np.abs(sums - target)))]] = True
    return chosen
