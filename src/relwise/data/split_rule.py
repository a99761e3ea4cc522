"""`SplitRule`: how a graph's edges are to be divided."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class SplitRule:
    """How edges are divided into train, valid and test, and what their negatives are.

    Args:
        by: `"given"` (the data say it), `"time"`, `"random"`, `"unseen"` (nodes of one type are held out with all
            their edges) or `"group"` (edges that stand or fall together fall into one part).
        valid, test: with `"time"`, the first moment (ISO date) of each part; else its share: of each relation's
            edges (with `"group"`, as near as whole groups come to it), of the type's nodes.
        node_type: with `"unseen"`, the type whose nodes are held out.
        group: with `"group"`, relations whose edges belong together where they tie the same two nodes; empty: the
            graph's own `groups` say what belongs together.
        through: with `group`, relations by which a node stands for another there: its one tail (an office for its
            department).
        negatives: `"uniform"` within the relation's types, or `"degree"`: drawn as often as they have edges. What
            the data give goes before.
    """

    by: Literal["given", "time", "random", "unseen", "group"] = "random"
    valid: str | float = 0.05
    test: str | float = 0.10
    node_type: str | None = None
    group: tuple[str, ...] = ()
    through: tuple[str, ...] = ()
    negatives: Literal["uniform", "degree"] = "uniform"
