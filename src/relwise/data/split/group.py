"""By group: edges that tell each other fall into one part.

Two edges belong together

- where `graph.groups` has them in one group (made from the same contract, say);
- where both are of relations that the rule lists in `group` and they tie the same two nodes, in either direction. By a
  relation listed in `through` a node stands for another: all nodes that its edges connect count as one here. With
  offices that are part of departments, what an office buys of a supplier is together with what its department, or
  another of its offices, does.

That is carried on: of two groups that share an edge, all edges belong together. Of the rest, each fact is by itself.
The edges of `through` say who stands for whom; they are always message edges.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from relwise.data.edges import IntArray
from relwise.data.graph import TEST, VALID, Graph
from relwise.data.split.random import share_out
from relwise.errors import InputError

WHERE = "split by group"


def group_parts(graph: Graph, seed: int) -> npt.NDArray[np.int8]:
    """Each edge's part, one for all edges that belong together (see the module's text).

    The shares are of the edges, as near as whole groups come to them.

    Raises:
        InputError: where nothing says what belongs together, or the groups are too large for a part's share.
    """
    rule, edges = graph.split_rule, graph.edges
    listed, through = _indices(graph, rule.group), _indices(graph, rule.through)
    both = [graph.relation_names[i] for i in listed if i in through]
    if both:
        raise InputError(f"{both[0]!r} stands in group and in through", where=WHERE, remedy="leave it out of one")
    if not len(listed) and graph.groups is None:
        raise InputError(
            "nothing says which edges belong together",
            where=WHERE,
            remedy='give relations group = "column", or the split group = ["relation", "relation"]',
        )
    is_through = np.isin(edges.relations, through)
    chosen = np.flatnonzero(~is_through)
    _, facts = np.unique(graph.keys(edges[chosen]), return_inverse=True)
    ties = []
    if graph.groups is not None:
        grouped = np.flatnonzero(graph.groups[chosen] >= 0)
        ties.append((facts[grouped], graph.groups[chosen[grouped]]))
    if len(listed):
        of_listed = np.flatnonzero(np.isin(edges.relations[chosen], listed))
        stands_for = _connected(graph.num_nodes, edges.heads[is_through], edges.tails[is_through])
        heads, tails = (stands_for[ends[chosen[of_listed]]] for ends in (edges.heads, edges.tails))
        ties.append((facts[of_listed], np.minimum(heads, tails) * graph.num_nodes + np.maximum(heads, tails)))
    parts = np.zeros(len(edges), dtype=np.int8)
    parts[chosen] = share_out(facts, _units(facts, ties), edges.relations[chosen], rule, seed)
    for code, name, share in ((VALID, "valid", rule.valid), (TEST, "test", rule.test)):
        if not (parts == code).any():
            raise InputError(
                f"the groups are too few or too large for a share of {share:g} in {name}",
                where=WHERE,
                remedy="set a larger share, or name fewer relations in group and through",
            )
    return parts


def _indices(graph: Graph, names: tuple[str, ...]) -> IntArray:
    try:
        return np.array([graph.relation_index(name) for name in names], dtype=np.int64)
    except InputError as error:
        raise InputError(error.what, where=WHERE, remedy=error.remedy) from None


def _units(facts: IntArray, ties: list[tuple[IntArray, IntArray]]) -> IntArray:
    """(n,) the unit of each edge, numbered by first fact, from what ties facts: (facts, tokens), a token's facts tied.

    >>> _units(np.array([0, 1, 2, 2]), [(np.array([0, 2]), np.array([50, 50]))]).tolist()
    [0, 1, 0, 0]
    """
    count = nodes = int(facts.max(initial=-1)) + 1
    first, second = [], []
    for tied, tokens in ties:
        distinct, token = np.unique(tokens, return_inverse=True)
        first.append(tied)
        second.append(nodes + token)
        nodes += len(distinct)
    none = np.empty(0, np.int64)
    label = _connected(nodes, np.concatenate([none, *first]), np.concatenate([none, *second]))[:count]
    _, at, unit = np.unique(label, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(at))[unit][facts]


def _connected(count: int, first: IntArray, second: IntArray) -> IntArray:
    """(count,) the component of each of `count` nodes in the graph of the pairs (first, second)."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    pairs = coo_array((np.ones(len(first), dtype=np.int32), (first, second)), shape=(count, count))
    return connected_components(pairs, directed=False)[1].astype(np.int64)
