"""By unseen nodes: a share of one type's nodes is held out with all their edges."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from relwise.data.edges import IntArray
from relwise.data.graph import TEST, TRAIN, VALID, Graph
from relwise.errors import InputError


def unseen_parts(graph: Graph, seed: int) -> npt.NDArray[np.int8]:
    """Each edge's part: test where it touches a node held out for test, else valid where it touches one for valid.

    The shares are of the type's nodes that have edges, at least one node each. Nodes are drawn by seed, save that no
    relation is left without a training edge: where one would be, one of its edges, drawn too, is kept, and the
    nodes of the type at its ends are not held out.

    Raises:
        InputError: where there is no such type, or too few of its nodes have edges.
    """
    rule, edges = graph.split_rule, graph.edges
    if rule.node_type not in graph.type_index:
        raise InputError(
            f"there is no node type {rule.node_type!r}",
            where="split by unseen",
            remedy=f"the node types are {', '.join(graph.type_index)}",
        )
    low, high = graph.type_range(rule.node_type)
    touched = np.zeros(graph.num_nodes, dtype=bool)
    touched[edges.heads] = touched[edges.tails] = True
    rng = np.random.default_rng([seed, 7])
    nodes = low + rng.permutation(np.flatnonzero(touched[low:high]))
    counts = [max(1, round(len(nodes) * float(share))) for share in (rule.test, rule.valid)]
    order = rng.permutation(len(edges))
    while True:
        if sum(counts) > len(nodes):
            raise InputError(
                f"the type {rule.node_type!r} has too few nodes with edges to hold {sum(counts)} out",
                where="split by unseen",
                remedy="set smaller shares for valid and test, or hold out nodes of another type",
            )
        part = np.zeros(graph.num_nodes, dtype=np.int8)
        part[nodes[: counts[0]]] = TEST
        part[nodes[counts[0] : sum(counts)]] = VALID
        parts = np.maximum(part[edges.heads], part[edges.tails])  # test wins
        kept = _one_each(edges.relations[order], np.unique(edges.relations[parts == TRAIN]))
        if not len(kept):
            return parts
        # Which ends the loop: of each of these relations an edge stays a training edge from now on.
        ends = np.concatenate([edges.heads[order[kept]], edges.tails[order[kept]]])
        nodes = nodes[~np.isin(nodes, ends)]


def _one_each(relations: IntArray, without: IntArray) -> IntArray:
    """The first position of each relation but those in `without`."""
    found, first = np.unique(relations, return_index=True)
    return first[~np.isin(found, without)]
