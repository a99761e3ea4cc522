"""`Split`: a graph's edges by what they are for."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from relwise.data.edges import Edges
from relwise.errors import InputError


@dataclass(frozen=True, eq=False)
class LabelledEdges:
    """Edges and whether each holds.

    Args:
        edges: n edges.
        labels: (n,) bool.
    """

    edges: Edges
    labels: npt.NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.edges)

    @property
    def positives(self) -> Edges:
        return self.edges[self.labels]


@dataclass(frozen=True, eq=False)
class Split:
    """The edges of a graph by what they are for (see the package's text).

    Args:
        message: the training edges, the only ones that carry messages.
        supervised: (len(message),) bool, which of them may be learnt from.
        valid, test: labelled edges.
        filter: all known edges of every part.
    """

    message: Edges
    supervised: npt.NDArray[np.bool_]
    valid: LabelledEdges
    test: LabelledEdges
    filter: Edges

    @property
    def supervision(self) -> Edges:
        return self.message[self.supervised]

    def part(self, name: str) -> LabelledEdges:
        """The labelled edges of `"valid"` or `"test"`."""
        if name not in ("valid", "test"):
            raise InputError(f"there is no split {name!r}", remedy="it is valid or test")
        return self.valid if name == "valid" else self.test
