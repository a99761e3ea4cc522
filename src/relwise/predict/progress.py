"""Progress of long work on stderr: a bar on a terminal, else a line now and then."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

EVERY = 10.0  # seconds between two lines where stderr is no terminal


class Bar:
    """A bar on stderr where that is a terminal; a context manager.

    Args:
        what: is counted.
        total: how many there are.
        quiet: show nothing.
    """

    def __init__(self, what: str, total: int, quiet: bool = False) -> None:
        self.what, self.total, self.quiet = what, total, quiet
        self.bar: Progress | None = None
        if not quiet and sys.stderr.isatty():
            self.bar = Progress(
                TextColumn(what),
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
            self.task = self.bar.add_task(self.what, total=self.total, text="")
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, at: TracebackType | None) -> None:
        if self.bar:
            self.bar.stop()

    def show(self, done: int, text: str) -> None:
        """So many are done; the text stands behind them."""
        if self.bar:
            self.bar.update(self.task, completed=done, text=text)

    @property
    def in_lines(self) -> bool:
        """Whether there is no bar, so that lines tell of the progress."""
        return not self.bar and not self.quiet


class PairsProgress(Bar):
    """How many heads are done of scoring a whole relation, and how many pairs were kept.

    Args:
        heads: how many there are.
        quiet: show nothing.
    """

    def __init__(self, heads: int, quiet: bool = False) -> None:
        super().__init__("heads", heads, quiet)
        self.told = time.monotonic()

    def at(self, done: int, kept: int) -> None:
        """So many heads are done; so many pairs were kept."""
        self.show(done, f"{kept:,} pairs")
        if self.in_lines and time.monotonic() - self.told > EVERY:
            self.told = time.monotonic()
            print(f"{done:,} of {self.total:,} heads, {kept:,} pairs kept", file=sys.stderr, flush=True)
