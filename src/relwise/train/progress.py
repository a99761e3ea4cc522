"""Progress of a training: a bar with loss, validation measure and time left on a terminal, else plain lines."""

from __future__ import annotations

import sys

from relwise.predict.progress import Bar
from relwise.train.state import TrainingState


class TrainingProgress(Bar):
    """Shows a training's progress on stderr; a context manager whose methods are `Trainer.fit`'s callbacks.

    Args:
        steps: steps at most.
        measure: the validation measure that selects.
        quiet: show nothing.
    """

    def __init__(self, steps: int, measure: str, quiet: bool = False) -> None:
        super().__init__("training", steps, quiet)
        self.measure = measure

    def on_step(self, state: TrainingState, loss: float) -> None:
        if self.bar:
            self.show(state.step, f"loss {loss:.4f}{self._validation(state)}")

    def on_validation(self, state: TrainingState) -> None:
        if self.in_lines:
            left = state.seconds / state.step * (self.total - state.step)
            line = f"step {state.step}/{self.total}  loss {state.history[-1]['loss']:.4f}{self._validation(state)}"
            print(f"{line}  {state.seconds:.0f} s, at most {left:.0f} s left", file=sys.stderr, flush=True)

    def _validation(self, state: TrainingState) -> str:
        if not state.history:
            return ""
        value = state.history[-1][self.measure]
        return f"  valid {self.measure} {100 * value:.2f} (best {100 * state.best:.2f} at {state.best_step})"
