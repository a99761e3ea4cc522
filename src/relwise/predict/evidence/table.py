"""The evidence of edges as numbers, and what each number is.

Of an edge (h, r, t), from the message edges alone and never from that edge (nor, under an undirected relation, its
reverse):

| number | what |
| --- | --- |
| `tied` | 1 where h and t are tied under one of r's patterns of one step: another relation, or in reverse |
| `paths2`, `paths3` | f of the weights of r's patterns of two and of three steps, added up |
| `head_degree`, `tail_degree` | log(1 + the end's ties under r) |
| `head_ties`, `tail_ties` | log(1 + the end's ties of all kinds) |
| one for each pattern of r | f of its weight alone |

A weight is that of `walks`: the paths of the pattern, each divided by the ties that its inner nodes have. It spans many
powers of ten, hence f(x) = x^(1/4), which is 0 where there is no path.

An undirected edge has no head: its evidence is told from the end with fewer ties, whichever way round it is asked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from relwise.predict.evidence.plan import Pattern

SHARED = ("tied", "paths2", "paths3", "head_degree", "tail_degree", "head_ties", "tail_ties")
PATHS = 3  # of them: what stands in pairs, not in ends

Floats = npt.NDArray[np.float64]


def weight(paths: npt.NDArray) -> Floats:
    """f(x) = x^(1/4).

    >>> weight(np.array([0.0, 0.0016])).round(3).tolist()
    [0.0, 0.2]
    """
    return np.sqrt(np.sqrt(np.asarray(paths, dtype=np.float64)))


@dataclass(frozen=True, eq=False)
class Table:
    """The evidence of n edges.

    Args:
        relations: (n,) relation indices.
        shared: (n, 7) the numbers named in `SHARED`.
        own: (n, W) one for each pattern of the edge's relation, in their order; 0 behind the last.
    """

    relations: npt.NDArray[np.int64]
    shared: Floats
    own: Floats

    @staticmethod
    def nothing(relations: npt.NDArray[np.int64], width: int) -> Table:
        """No evidence of any of n edges, W wide."""
        return Table(relations, np.zeros((len(relations), len(SHARED))), np.zeros((len(relations), width)))

    def __getitem__(self, index: npt.NDArray) -> Table:
        return Table(self.relations[index], self.shared[index], self.own[index])


def merged(patterns: Sequence[Pattern], paths: npt.NDArray[np.floating]) -> Floats:
    """(n, 3) `tied`, `paths2`, `paths3` of n pairs.

    Args:
        patterns: P of them.
        paths: (n, P) the weight of each pattern's paths.
    """
    out = np.zeros((len(paths), PATHS))
    for steps, columns in _by_steps(patterns):
        out[:, steps - 1] = _number(steps, paths[:, columns].sum(axis=1, dtype=np.float64))
    return out


def merged_without_each(patterns: Sequence[Pattern], paths: npt.NDArray[np.floating]) -> Floats:
    """(n, P) that of the three numbers of `merged` which a pattern adds to, as it is without the pattern.

    >>> merged_without_each([(0,), (2,), (0, 2)], np.array([[0.0, 1.0, 0.5]])).tolist()
    [[1.0, 0.0, 0.0]]
    """
    out = np.zeros(paths.shape)
    for steps, columns in _by_steps(patterns):
        part = paths[:, columns].astype(np.float64)
        # What stands before and what stands behind: subtracted from the sum of all, a rest would be left of nothing,
        # and its fourth root is no small number.
        before, behind = np.zeros_like(part), np.zeros_like(part)
        before[:, 1:] = part[:, :-1].cumsum(axis=1)
        behind[:, -2::-1] = part[:, :0:-1].cumsum(axis=1)
        out[:, columns] = _number(steps, before + behind)
    return out


def _by_steps(patterns: Sequence[Pattern]) -> list[tuple[int, list[int]]]:
    """The lengths that occur, and where the patterns of each stand."""
    found = ((steps, [i for i, p in enumerate(patterns) if len(p) == steps]) for steps in range(1, PATHS + 1))
    return [(steps, columns) for steps, columns in found if columns]


def _number(steps: int, total: Floats) -> npt.NDArray:
    return total > 0 if steps == 1 else weight(total)
