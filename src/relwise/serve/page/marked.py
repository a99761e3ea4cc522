"""The page of marks: what was said of predictions, and the tables to take along."""

from __future__ import annotations

from nicegui import ui

from relwise.serve.page.elements import box, button, link, text
from relwise.serve.page.lookup import ends_of, shown
from relwise.serve.page.marks import FILE, Triple
from relwise.serve.page.search import entity_link
from relwise.serve.page.site import Site
from relwise.serve.runs import ServedRun

LISTED = 200


async def marks_page(site: Site, run_name: str | None) -> None:
    """All marks with a button to take each back, and links to the CSV files."""
    run = site.run(run_name)
    if run is None:
        return
    with site.frame("marks", run):
        text("h1", "What you said of predictions")
        _told(site, run)
        with box("ul", "plain"):
            for told, page, part in (
                ("All marks (CSV: head, relation, tail, label)", "marks.csv", None),
                ("The wrong ones, for test (CSV: head, relation, tail, part)", "negatives.csv", "test"),
                ("The wrong ones, for valid (CSV: head, relation, tail, part)", "negatives.csv", "valid"),
            ):
                with ui.element("li"):
                    link(told, page, run=run_name, part=part)
        _Listed(site, run, run_name).show()


def _told(site: Site, run: ServedRun) -> None:
    """Where marks are kept, and that they are not where they are not."""
    marks = site.marks(run)
    seen = "Everybody who may use this page sees them."
    if marks.file is not None:
        text("p", f"Marks are kept in {FILE} of the run folder. {seen}")
    else:
        text(
            "p",
            "Marks made now are lost when the server ends, for the run folder cannot be written to: download them. "
            f"{seen}",
            "problem",
            role="alert",
        )
    if marks.unread:
        text("p", f"{marks.unread:,} lines of {FILE} are no marks: they are left out here, and left in it.", "problem")
    text("p", "The wrong ones as a table are what negatives of [split] in schema.toml names for the next training.")


class _Listed:
    """The list, newest first.

    Args:
        site, run: whose.
        run_name: as the address has it.
    """

    def __init__(self, site: Site, run: ServedRun, run_name: str | None) -> None:
        self.site, self.run, self.run_name = site, run, run_name
        self.failed, self.listed = box(), box()

    def show(self) -> None:
        marks = self.site.marks(self.run)
        self.listed.clear()
        with self.listed:
            if not marks:
                text("p", "None yet: open an entity, and say Right or Wrong beside a prediction.", "muted")
            with box("ul", "plain hits"):
                for edge, holds in marks.items()[: -LISTED - 1 : -1]:
                    with box("li", "marked"):
                        self._row(edge, holds)
            if len(marks) > LISTED:
                text("p", f"{len(marks) - LISTED:,} older ones stand in the tables above.", "muted")

    def _row(self, edge: Triple, holds: bool) -> None:
        ends = ends_of(self.run.predictor.graph, edge)
        with box("div", "what"):
            text("span", "Right" if holds else "Wrong", "chip")
            # Of a graph that this run no longer has: its ids are all there is to show.
            for i, side in ((0, "head"), (2, "tail")):
                if ends is None:
                    text("span", shown(edge[i]), "name")
                else:
                    entity_link(ends[i // 2], self.run_name)
                if side == "head":
                    text("span", f"{edge[1]} →")
        names = (shown(edge[0]), edge[1], shown(edge[2]))
        button("Take back", lambda: self._take_back(edge), aria_label=f"Take back: {' '.join(names)}")

    def _take_back(self, edge: Triple) -> None:
        self.failed.clear()
        with self.failed:
            self.site.mark(self.run, edge, None)
        self.show()
