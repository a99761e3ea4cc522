"""Where a training stands between two steps, and what it leaves: plain numbers, as checkpoints keep them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np

from relwise.negatives.report import Tally


@dataclass
class TrainingState:
    """Where training stands, besides weights and optimizer.

    Args:
        step: steps done.
        best: the best validation value so far, and the step after which it was seen.
        history: one row per validation.
        tally: what the sampler did so far; `seen` of it at the last validation.
    """

    step: int = 0
    best: float = -np.inf
    best_step: int = 0
    history: list[dict[str, float]] = field(default_factory=list)
    tally: Tally = field(default_factory=Tally)
    seen: Tally = field(default_factory=Tally)
    seconds: float = 0.0

    def to_json(self) -> dict[str, Any]:
        """As a checkpoint keeps it, for `from_json`."""
        return vars(self) | {"tally": self.tally.to_state(), "seen": self.seen.to_state()}

    @classmethod
    def from_json(cls, found: dict[str, Any]) -> Self:
        """From what `to_json` gave."""
        return cls(**{**found, "tally": Tally.of_state(found["tally"]), "seen": Tally.of_state(found["seen"])})


@dataclass(frozen=True)
class TrainingResult:
    """What training leaves: the best state's weights are in the trainer's model."""

    steps: int
    best_step: int
    best: float
    seconds: float
    tally: Tally
    history: list[dict[str, float]]
