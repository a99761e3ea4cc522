"""Progress of a training: a bar with loss, validation measure and time left on a terminal, else plain lines."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from relwise.train.loop import TrainingState


class TrainingProgress:
    """Shows a training's progress on stderr; a context manager whose methods are `Trainer.fit`'s callbacks.

    Args:
        steps: steps at most.
        measure: the validation measure that selects.
        quiet: show nothing.
    """

    def __init__(self, steps: int, measure: str, quiet: bool = False) -> None:
        self.steps, self.measure, self.quiet = steps, measure, quiet
        self.bar: Progress | None = None
        if not quiet and sys.stderr.isatty():
            self.bar = Progress(
                TextColumn("training"),
                BarColumn(),
                MofNCompleteColumn(),
                TextColumn("{task.fields[text]}"),
                TimeElapsedColumn(),
                TextColumn("left"),
                TimeRemainingColumn(),
                console=Console(stderr=True),
            )

    def __enter__(self) -> Self:
        if self.bar:
            self.bar.start()
            self.task = self.bar.add_task("training", total=self.steps, text="")
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, at: TracebackType | None) -> None:
        if self.bar:
            self.bar.stop()

    def on_step(self, state: TrainingState, loss: float) -> None:
        if self.bar:
            self.bar.update(self.task, completed=state.step, text=f"loss {loss:.4f}{self._validation(state)}")

    def on_validation(self, state: TrainingState) -> None:
        if not self.bar and not self.quiet:
            left = state.seconds / state.step * (self.steps - state.step)
            line = f"step {state.step}/{self.steps}  loss {state.history[-1]['loss']:.4f}{self._validation(state)}"
            print(f"{line}  {state.seconds:.0f} s, at most {left:.0f} s left", file=sys.stderr, flush=True)

    def _validation(self, state: TrainingState) -> str:
        if not state.history:
            return ""
        value = state.history[-1][self.measure]
        return f"  valid {self.measure} {100 * value:.2f} (best {100 * state.best:.2f} at {state.best_step})"
