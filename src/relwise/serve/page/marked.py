"""The page of marks: what was said of predictions, and the tables to take along."""

from __future__ import annotations

from nicegui import ui

from relwise.serve.page.elements import box, button, link, text
from relwise.serve.page.marks import Marks, Triple
from relwise.serve.page.site import Site


async def marks_page(site: Site, run_name: str | None) -> None:
    """All marks with a button to take each back, and links to the CSV files."""
    run = site.run(run_name)
    if run is None:
        return
    marks = site.marks(run)
    with site.frame("marks", run):
        text("h1", "What you said of predictions")
        text(
            "p",
            "Marks are kept until the server stops, and everybody who may use this page sees them: download them. The "
            "wrong ones as a table are what negatives of [split] in schema.toml names for the next training.",
        )
        with box("ul", "plain"):
            for told, page, part in (
                ("All marks (CSV: head, relation, tail, label)", "marks.csv", None),
                ("The wrong ones, for test (CSV: head, relation, tail, part)", "negatives.csv", "test"),
                ("The wrong ones, for valid (CSV: head, relation, tail, part)", "negatives.csv", "valid"),
            ):
                with ui.element("li"):
                    link(told, page, run=run_name, part=part)
        listed = box()
        _list(marks, listed)


def _list(marks: Marks, listed: ui.element) -> None:
    listed.clear()
    with listed:
        if not marks:
            text("p", "None yet: open an entity, and say Right or Wrong beside a prediction.", "muted")
        with box("ul", "plain hits"):
            for edge, holds in marks.items():
                with ui.element("li"):
                    head, relation, tail = edge
                    text("span", "Right" if holds else "Wrong", "chip")
                    text("span", f" {head} - {relation} → {tail} ")
                    _take_back(marks, edge, listed)


def _take_back(marks: Marks, edge: Triple, listed: ui.element) -> None:
    def pressed() -> None:
        marks.set(edge, None)
        _list(marks, listed)

    button("Take back", pressed, aria_label=f"Take back: {' '.join(edge)}")
