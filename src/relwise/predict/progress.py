"""Progress of scoring a whole relation: a bar on a terminal, else a line now and then."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

EVERY = 10.0  # seconds between two lines where stderr is no terminal


class PairsProgress:
    """Shows on stderr how many heads are done and how many pairs were kept; a context manager.

    Args:
        heads: how many there are.
        quiet: show nothing.
    """

    def __init__(self, heads: int, quiet: bool = False) -> None:
        self.heads, self.quiet, self.told = heads, quiet, time.monotonic()
        self.bar: Progress | None = None
        if not quiet and sys.stderr.isatty():
            self.bar = Progress(
                TextColumn("heads"),
                BarColumn(),
                MofNCompleteColumn(),
                TextColumn("{task.fields[kept]:,} pairs"),
                TimeElapsedColumn(),
                TextColumn("left"),
                TimeRemainingColumn(),
                console=Console(stderr=True),
            )

    def __enter__(self) -> Self:
        if self.bar:
            self.bar.start()
            self.task = self.bar.add_task("heads", total=self.heads, kept=0)
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, at: TracebackType | None) -> None:
        if self.bar:
            self.bar.stop()

    def at(self, done: int, kept: int) -> None:
        """So many heads are done; so many pairs were kept."""
        if self.bar:
            self.bar.update(self.task, completed=done, kept=kept)
        elif not self.quiet and time.monotonic() - self.told > EVERY:
            self.told = time.monotonic()
            print(f"{done:,} of {self.heads:,} heads, {kept:,} pairs kept", file=sys.stderr, flush=True)
