"""The page where one begins: an entity by any text in it."""

from __future__ import annotations

from nicegui import run as threads
from nicegui import ui

from relwise.serve.page.elements import TYPED, box, chips, dress, link, text
from relwise.serve.page.lookup import Entity, busiest, named
from relwise.serve.page.site import Site
from relwise.serve.shapes import NodeInfo

LISTED = 30


async def search_page(site: Site, run_name: str | None, sought: str) -> None:
    """A field; what it finds below."""
    run = site.run(run_name)
    if run is None:
        return
    with site.frame("", run):
        graph = run.predictor.graph
        text("h1", "Which relationships are missing?")
        types = ", ".join(f"{len(kind):,} of type {kind.name}" for kind in graph.node_types[:6])
        text("p", f"Find an entity by any text in it: {types}.", "muted")
        text("label", "Search", for_="search")
        field = box("input", id="search", type="search", autocomplete="off")
        # Whoever comes back finds the field ready, with the words that the address keeps. As the default: a value would
        # be put there anew at each update, over what is being typed.
        dress(field, autofocus=True, defaultValue=sought)
        told = text("p", "", "muted", role="status")
        found = box()

        turn = 0

        async def show(words: str) -> None:
            nonlocal turn
            turn += 1
            mine = turn
            if not words.strip():
                told.set_text("")
                best = await threads.io_bound(busiest, run.predictor.graph) or []
                if mine == turn:
                    found.clear()
                    with found:
                        _begin(best, run_name)
                return
            answer = await threads.io_bound(run.search.find, words, None, LISTED)
            if answer is None or mine != turn:  # the server is stopping, or more has been typed meanwhile
                return
            nodes, total = answer
            shown = f", the first {len(nodes)} are shown" if total > len(nodes) else ""
            told.set_text(f"{total:,} found{shown}" if total else "Nothing holds these words.")
            found.clear()
            with found:
                _list(nodes, run_name)

        field.on("input", lambda event: show(str(event.args)), js_handler=TYPED)
        await show(sought)


def _begin(best: list[Entity], run_name: str | None) -> None:
    text("h2", "The best connected")
    with box("ul", "plain hits"):
        for entity in best:
            _hit(entity, run_name)


def _list(nodes: list[NodeInfo], run_name: str | None) -> None:
    with box("ul", "plain hits"):
        for node in nodes:
            note = "" if node.matched in ("id", "label") else f"{node.matched}: {node.text}"
            _hit(named(node.type, node.id, node.label), run_name, note)


def _hit(entity: Entity, run_name: str | None, note: str = "") -> None:
    with ui.element("li"):
        entity_link(entity, run_name)
        chips(entity.type, entity.other_id)
        if note:
            text("div", note, "muted")


def entity_link(entity: Entity, run_name: str | None) -> None:
    """A link to an entity's page."""
    link(entity.label, "entity", type=entity.type, id=entity.id, run=run_name)
