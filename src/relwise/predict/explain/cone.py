"""The part of a message graph that two nodes' final states depend on: level by level, the messages that get there."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from relwise.predict.explain.layers import Floats, Ints, Messages
from relwise.predict.explain.states import LayerStates, MessageArrays

# Messages of one layer that are looked at. Ends are looked at whole; of the others those with few neighbours come
# first: one message among thousands carries next to nothing.
MOST = 40_000


@dataclass(frozen=True, eq=False)
class Level:
    """The messages of one layer, sorted by target and relation, nodes by their place in the cone.

    Args:
        targets: (T,) the nodes whose states after this layer matter, ascending.
        target, source, relation, fact: (E,) of each message; facts counted in the cone.
        row_logit: (E, L).
        edge_state: (E, k) z, or None.
        skipped: how many nodes that matter have too many neighbours to be looked at: their states are kept.
    """

    targets: Ints
    target: Ints
    source: Ints
    relation: Ints
    fact: Ints
    row_logit: Floats
    edge_state: Floats | None
    skipped: int
    by_source: Ints = field(init=False)
    by_fact: Ints = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_source", np.argsort(self.source, kind="stable"))
        object.__setattr__(self, "by_fact", np.argsort(self.fact, kind="stable"))

    def messages(self) -> Messages:
        """As a layer takes them, targets counted among `targets`."""
        return Messages.of(np.searchsorted(self.targets, self.target), self.source, self.relation)

    def without(self, fact: int) -> Level:
        """The same without a fact's messages."""
        kept = np.flatnonzero(self.fact != fact)
        edge_state = None if self.edge_state is None else self.edge_state[kept]
        arrays = self.target[kept], self.source[kept], self.relation[kept], self.fact[kept], self.row_logit[kept]
        return Level(self.targets, *arrays, edge_state, self.skipped)


@dataclass(frozen=True, eq=False)
class Cone:
    """What two ends' final states are made of.

    Args:
        nodes: (n,) node indices, ascending; elsewhere nodes are their places here.
        ends: head and tail.
        facts: (F,) the message graph's number of each fact here.
        levels: of the layers 1 .. T.
        states: (n, d) after 0 .. T - 1 layers, and for the last (2, d) the ends' alone after T.
    """

    nodes: Ints
    ends: tuple[int, int]
    facts: Ints
    levels: tuple[Level, ...]
    states: tuple[Floats, ...]
    last: Floats

    @property
    def depth(self) -> int:
        return len(self.levels)

    def fact_place(self, fact: int) -> int:
        """The place of one of the message graph's facts; -1 where it has none here."""
        place = int(np.searchsorted(self.facts, fact))
        return place if place < len(self.facts) and self.facts[place] == fact else -1


def cone_of(states: LayerStates, head: int, tail: int, most: int = MOST) -> Cone:
    """The cone of two nodes.

    Args:
        states: of the network.
        head, tail: node indices.
        most: messages of one layer that are looked at, those into the ends besides.
    """
    arrays = states.messages
    ends = np.unique([head, tail])
    wanted, found, skipped = ends, [], 0
    for _ in range(states.depth):
        found.append((wanted, skipped, _into(arrays, wanted)))
        sources = np.unique(arrays.source[found[-1][2]]).astype(np.int64)
        wanted, skipped = _affordable(arrays, ends, np.union1d(wanted, sources), most)
    positions = [position for _, _, position in found]
    nodes = np.unique(np.concatenate([ends, *(arrays.source[p] for p in positions), *(w for w, _, _ in found)]))
    facts = np.unique(np.concatenate([arrays.fact[p] for p in positions])).astype(np.int64)
    nodes = nodes.astype(np.int64)
    levels = []
    for t, (targets, left_out, position) in enumerate(reversed(found)):
        target = np.repeat(targets, np.diff(arrays.indptr)[targets])
        levels.append(
            Level(
                np.searchsorted(nodes, targets),
                np.searchsorted(nodes, target),
                np.searchsorted(nodes, arrays.source[position]),
                arrays.relation[position].astype(np.int64),
                np.searchsorted(facts, arrays.fact[position]),
                states.row_logits[t][arrays.row[position]],
                _edge_states(states, position),
                left_out,
            )
        )
    places = np.searchsorted(nodes, [head, tail])
    return Cone(
        nodes, (int(places[0]), int(places[1])), facts, tuple(levels),
        tuple(state[nodes] for state in states.states[:-1]), states.states[-1][[head, tail]],
    )  # fmt: skip


def expand(first: Ints, count: Ints) -> tuple[Ints, Ints]:
    """The numbers `first[i] .. first[i] + count[i] - 1` of all i one after the other, and the i of each.

    >>> [array.tolist() for array in expand(np.array([5, 9]), np.array([2, 1]))]
    [[5, 6, 9], [0, 0, 1]]
    """
    which = np.repeat(np.arange(len(first)), count)
    begins = np.cumsum(count) - count
    return np.arange(len(which)) - begins[which] + first[which], which


def _into(arrays: MessageArrays, nodes: Ints) -> Ints:
    return expand(arrays.indptr[nodes], arrays.indptr[nodes + 1] - arrays.indptr[nodes])[0]


def _affordable(arrays: MessageArrays, ends: Ints, nodes: Ints, most: int) -> tuple[Ints, int]:
    """The ends, and of the other nodes those of fewest messages, as far as `most` goes; and how many are left out."""
    others = np.setdiff1d(nodes, ends)
    counts = arrays.indptr[others + 1] - arrays.indptr[others]
    order = np.argsort(counts, kind="stable")
    kept = others[order[np.cumsum(counts[order]) <= most]]
    return np.union1d(ends, kept), len(others) - len(kept)


def _edge_states(states: LayerStates, position: Ints) -> Floats | None:
    if states.edge_states is None:
        return None
    state, slot = states.edge_states
    of_each = slot[position]
    if not len(state):
        return np.zeros((len(position), state.shape[1]), np.float32)
    return np.where(of_each[:, None] >= 0, state[np.maximum(of_each, 0)], np.float32(0))


def places_of(values: npt.NDArray, sorted_keys: Ints) -> tuple[Ints, npt.NDArray[np.bool_]]:
    """Where values stand among sorted keys, and whether they do.

    >>> [array.tolist() for array in places_of(np.array([4, 5]), np.array([1, 4]))]
    [[1, 1], [True, False]]
    """
    if not len(sorted_keys):
        return np.zeros(len(values), np.int64), np.zeros(len(values), dtype=bool)
    place = np.minimum(np.searchsorted(sorted_keys, values), len(sorted_keys) - 1)
    return place, sorted_keys[place] == values
