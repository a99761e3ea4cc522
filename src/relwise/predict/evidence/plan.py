"""Patterns, and the order in which walks follow them: from the head, or from the tail."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from relwise.data.graph import Graph
from relwise.predict.evidence.ties import Ties

LONGEST = 3  # steps of a pattern

Pattern = tuple[int, ...]
"""One to three kinds of tie (see `Ties`), from the head to the tail."""


def describe_pattern(graph: Graph, pattern: Pattern) -> str:
    """A pattern in words: `~` stands before a relation that is followed from its tail to its head.

    >>> graph = Graph.from_triples([("ann", "likes", "bob"), ("bob", "knows", "eve")])
    >>> describe_pattern(graph, (1, 2))
    '~likes > knows'
    """
    return " > ".join(("~" if kind & 1 else "") + graph.relation_names[kind >> 1] for kind in pattern)


def reversed_pattern(ties: Ties, pattern: Pattern) -> Pattern:
    """The same path from the tail to the head."""
    return tuple(ties.reverse(kind) for kind in pattern[::-1])


@dataclass(frozen=True, eq=False)
class Plan:
    """Patterns as arrays, for walks that begin at one end.

    Args:
        steps: (P, 3) kinds of tie from the end where walks begin, -1 behind the last.
        weights: (P, 2) the kind whose ties of the first and second inner node weigh a path.
        columns: (P,) where each pattern stands among those given: what begins alike stands together here.
        back: (2 R,) each kind seen from its other end.
    """

    steps: npt.NDArray[np.int64]
    weights: npt.NDArray[np.int64]
    columns: npt.NDArray[np.int64]
    back: npt.NDArray[np.int64]

    @staticmethod
    def of(ties: Ties, patterns: Sequence[Pattern], from_tail: bool = False) -> Plan:
        """The plan of some patterns.

        >>> graph = Graph.from_triples([("ann", "likes", "bob"), ("bob", "knows", "eve")])
        >>> plan = Plan.of(Ties.of(graph, graph.edges), [(0, 2)], from_tail=True)
        >>> plan.steps.tolist(), plan.weights.tolist()
        ([[3, 1, -1]], [[2, -1]])
        """
        back = np.array([ties.reverse(kind) for kind in range(ties.num_kinds)], dtype=np.int64)
        rows = []
        for column, pattern in enumerate(patterns):
            if not 1 <= len(pattern) <= LONGEST:
                raise ValueError(f"a pattern has one to {LONGEST} steps, not {len(pattern)}")
            steps = reversed_pattern(ties, pattern) if from_tail else pattern
            # An inner node's weight is by the tie with which a walk from the head leaves it.
            leaving = [int(back[kind]) for kind in steps[:-1]] if from_tail else list(steps[1:])
            rows.append((_padded(steps, LONGEST), _padded(leaving, LONGEST - 1), column))
        rows.sort()
        table = np.array([(*steps, *weights, column) for steps, weights, column in rows], dtype=np.int64)
        table = table.reshape(len(rows), 2 * LONGEST)
        return Plan(table[:, :LONGEST].copy(), table[:, LONGEST:-1].copy(), table[:, -1].copy(), back)


def _padded(kinds: Sequence[int], length: int) -> tuple[int, ...]:
    return tuple(kinds) + (-1,) * (length - len(kinds))
