"""Edges as three parallel arrays, and the one key by which two edges are told to be the same."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Edges:
    """Edges (head, relation, tail) in a graph's one node space.

    Args:
        heads: (n,) node index of each edge's head.
        relations: (n,) relation index.
        tails: (n,) node index of each edge's tail.
        times: (n,) `datetime64[us]`, NaT where unknown; None where no edge has a time.

    >>> edges = Edges(np.array([0, 1]), np.array([0, 0]), np.array([1, 2]))
    >>> len(edges), edges[np.array([1])].tails.tolist()
    (2, [2])
    """

    heads: IntArray
    relations: IntArray
    tails: IntArray
    times: npt.NDArray[np.datetime64] | None = None

    def __post_init__(self) -> None:
        for name in ("heads", "relations", "tails"):
            object.__setattr__(self, name, _read_only(getattr(self, name)))
        if not len(self.heads) == len(self.relations) == len(self.tails):
            raise ValueError("heads, relations and tails differ in length")
        if self.times is not None and len(self.times) != len(self.heads):
            raise ValueError("times differ in length from heads")

    def __len__(self) -> int:
        return len(self.heads)

    def __getitem__(self, index: npt.NDArray) -> Edges:
        """The edges at `index` (integers or a boolean mask)."""
        times = None if self.times is None else self.times[index]
        heads, relations, tails = (_ours(array[index]) for array in (self.heads, self.relations, self.tails))
        return Edges(heads, relations, tails, times)

    @staticmethod
    def empty() -> Edges:
        none = np.empty(0, np.int64)
        return Edges(none, none, none)

    @staticmethod
    def concatenate(*parts: Edges) -> Edges:
        """All parts one after the other; times are dropped unless every part has them."""
        times = None
        if parts and all(part.times is not None for part in parts):
            times = np.concatenate([part.times for part in parts if part.times is not None])
        none = Edges.empty()
        return Edges(
            _ours(np.concatenate([part.heads for part in parts or (none,)])),
            _ours(np.concatenate([part.relations for part in parts or (none,)])),
            _ours(np.concatenate([part.tails for part in parts or (none,)])),
            times,
        )


def _read_only(given: npt.ArrayLike) -> IntArray:
    """A copy that no one can write to: the very array where it is one already, so that edges are shared, not copied."""
    if type(given) is np.ndarray and given.dtype == np.int64 and _is_frozen(given):
        return given
    return _ours(np.array(given, dtype=np.int64))


def _is_frozen(array: npt.NDArray) -> bool:
    """Whether neither the array nor what it is a view of can be written to."""
    owner: object = array
    while isinstance(owner, np.ndarray):
        if owner.flags.writeable:
            return False
        owner = owner.base
    return owner is None


def _ours(array: npt.NDArray) -> npt.NDArray:
    """An array that no one else holds, from now on read-only."""
    array.setflags(write=False)
    return array


def edge_keys(
    heads: npt.NDArray,
    relations: npt.NDArray,
    tails: npt.NDArray,
    num_nodes: int,
    directed: npt.NDArray[np.bool_],
) -> IntArray:
    """One integer per edge, equal exactly for edges that state the same fact.

    The two orientations of an undirected relation's edge get one key:
    `key = (r · N + a) · N + b` with `(a, b) = (head, tail)`, or sorted where r is undirected.

    Args:
        heads, relations, tails: (n,) integers.
        num_nodes: N, the size of the node space.
        directed: (R,) whether each relation is directed.

    Raises:
        OverflowError: where R · N² does not fit into 63 bits.

    >>> edge_keys(np.array([3, 1]), np.array([0, 0]), np.array([1, 3]), 10, np.array([False])).tolist()
    [13, 13]
    """
    if len(directed) * num_nodes**2 >= 2**63:
        raise OverflowError(f"{num_nodes:,} nodes and {len(directed):,} relations: an edge's key exceeds 64 bits")
    heads, relations, tails = (np.asarray(a, dtype=np.int64) for a in (heads, relations, tails))
    swap = ~np.asarray(directed, dtype=bool)[relations] & (heads > tails)
    first, second = np.where(swap, tails, heads), np.where(swap, heads, tails)
    return (relations * num_nodes + first) * num_nodes + second
