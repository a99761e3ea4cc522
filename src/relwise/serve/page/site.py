"""What all pages share: the service, the marks, and the frame around each page."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeVar

from nicegui import ui

from relwise.errors import InputError
from relwise.report import Section
from relwise.serve.observe import failure, note
from relwise.serve.page.elements import box, link, text
from relwise.serve.page.marks import Marks, Triple
from relwise.serve.page.style import HEAD
from relwise.serve.refusal import Refusal
from relwise.serve.runs import ServedRun
from relwise.serve.service import Service

T = TypeVar("T")

PAGES = (("", "Search"), ("marks", "Marks"), ("model", "Model"))


@dataclass(frozen=True, eq=False)
class Site:
    """The pages of one application.

    Args:
        service: its runs, and the worker that asks them.
        kept: the marks of each run, by its name; a run without has marks that end with the server.
    """

    service: Service
    kept: dict[str, Marks] = field(default_factory=dict)
    sections: dict[str, list[Section]] = field(default_factory=dict)
    """The model page of each run, once somebody has asked for it."""

    def marks(self, run: ServedRun) -> Marks:
        """What was said of a run's predictions."""
        return self.kept.setdefault(run.name, Marks())

    def run(self, name: str | None) -> ServedRun | None:
        """The run of a name, the first where none is given; tells on the page where there is none."""
        try:
            return self.service.runs.get(name)
        except Refusal as error:
            with self.frame("", None):
                problem(error)
            return None

    async def ask(self, work: Callable[[], T]) -> T | None:
        """What `work()` returns, asked where all questions to the model are; tells on the page what went wrong."""
        try:
            return await self.service.worker.run(work)
        except (InputError, Refusal) as error:
            problem(error)
        except Exception as error:
            note(failed=failure(error))
            problem(InputError("the server failed", remedy="its log says where"))
        return None

    def mark(self, run: ServedRun, edge: Triple, holds: bool | None) -> None:
        """Say of an edge that it holds, or does not, or nothing; tells on the page what went wrong."""
        try:
            self.marks(run).set(edge, holds)
        except InputError as error:
            problem(error)

    @contextmanager
    def frame(self, page: str, run: ServedRun | None, title: str = "") -> Iterator[None]:
        """The head of a page, and what holds its content.

        Args:
            page: which of the pages it is.
            run: the run that it is about.
            title: what it is called in the browser; empty: as the page.
        """
        ui.add_head_html(HEAD)
        ui.query("body").classes("rw")
        names = list(self.service.runs.by_name)
        asked = None if run is None or run.name == names[0] else run.name
        ui.page_title(f"{title or dict(PAGES).get(page, page)} - relwise")
        with box("header", "bar-top"):
            text("strong", "relwise")
            with box("nav", aria_label="Pages"):
                for key, name in PAGES:
                    told = f"{name} ({len(self.marks(run))})" if key == "marks" and run and self.marks(run) else name
                    link(told, key, key == page, run=asked)
            if len(names) > 1:
                with box("nav", aria_label="Runs"):
                    for name in names:
                        link(name, "", run is not None and name == run.name, run=name)
        with box("main"):
            yield


def problem(error: InputError | Refusal) -> None:
    """What went wrong, and what would mend it."""
    text("p", f"{error.what}; {error.remedy}" if error.remedy else error.what, "problem", role="alert")
