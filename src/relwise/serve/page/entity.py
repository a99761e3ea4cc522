"""An entity's page: what is known of it, and what is likely and missing, each with its reasons."""

from __future__ import annotations

from nicegui import run as threads
from nicegui import ui

from relwise.errors import InputError
from relwise.serve.page.elements import box, button, chips, choice, dress, markup, text
from relwise.serve.page.explained import explained
from relwise.serve.page.lookup import (
    Entity,
    Kind,
    Known,
    Prediction,
    attributes_of,
    entity_at,
    find_node,
    kinds_of,
    known_of,
    likeliest,
)
from relwise.serve.page.search import entity_link
from relwise.serve.page.site import Site, problem
from relwise.serve.runs import ServedRun

AT_ONCE = 15  # predictions listed, and how many more at a time
MOST = 200


async def entity_page(site: Site, run_name: str | None, node_type: str, node_id: str) -> None:
    """Attributes, the likeliest missing relationships, the known ones."""
    run = site.run(run_name)
    if run is None:
        return
    graph = run.predictor.graph
    try:
        node = find_node(graph, node_type, node_id)
    except InputError as error:
        with site.frame("entity", run, "No such entity"):
            text("h1", "There is no such entity")
            problem(error)
        return
    entity = entity_at(graph, node)
    with site.frame("entity", run, entity.label):
        with text("h1", entity.label):
            chips(entity.type, entity.other_id)
        _attributes(run, node)
        text("h2", "Likely, and missing from the data")
        await _Missing(site, run, run_name, node, entity).show()
        text("h2", "Known")
        # It looks through all edges, of which there may be many: not in the loop that serves all others.
        _known(await threads.io_bound(known_of, graph, node) or [], run_name)


def _attributes(run: ServedRun, node: int) -> None:
    with ui.element("dl"):
        for name, value in attributes_of(run.predictor.graph, node):
            text("dt", name)
            text("dd", value)


def _known(groups: list[Known], run_name: str | None) -> None:
    if not groups:
        text("p", "No relationship of it is known.")
    for group in groups:
        with text("h3", f"{words(group.kind)} "):
            text("span", f"{group.count:,}", "chip")
        with box("ul", "plain"):
            for other in group.others:
                with ui.element("li"):
                    entity_link(other, run_name)
                    chips(other.type, other.other_id)
        if group.count > len(group.others):
            text("p", f"and {group.count - len(group.others):,} more", "muted")


def words(kind: Kind) -> str:
    """A kind of relationship, seen from the entity: the arrow points from head to tail."""
    return f"{kind.relation} →" if kind.side == "head" else f"→ {kind.relation}"


class _Missing:
    """The list of likely relationships, its filters, and what opens in it.

    Args:
        site, run: whose.
        run_name: as the address has it.
        node, entity: whose relationships.
    """

    def __init__(self, site: Site, run: ServedRun, run_name: str | None, node: int, entity: Entity) -> None:
        self.site, self.run, self.run_name, self.node, self.entity = site, run, run_name, node, entity
        self.relation: str | None = None
        self.other: str | None = None
        self.count, self.turn = AT_ONCE, 0
        self.listed: list[Prediction] = []
        kinds = kinds_of(run.predictor.graph, entity.type)
        relations, others = dict.fromkeys(k.relation for k in kinds), dict.fromkeys(k.other for k in kinds)
        with box("div", "fields"):
            choice("Relation", "relation", [("", "all"), *((name, name) for name in relations)], self._set_relation)
            choice("With", "other", [("", "any type"), *((name, name) for name in others)], self._set_other)
        if self.site.marks(run).file is None:
            text("p", "What you say of these, right or wrong, is lost when the server ends: see Marks.", "muted")
        self.list = box("div", aria_live="polite")

    async def show(self) -> None:
        """Ask, and list; of an answer that comes after a later question nothing is shown."""
        self.turn += 1
        turn, asked = self.turn, (self.node, self.count, self.relation, self.other)
        with self.list:
            found = await self.site.ask(lambda: likeliest(self.run.predictor, *asked))
        if found is None or turn != self.turn:
            return
        predictions, left = found
        before = len(self.listed)
        if before and predictions[:before] == self.listed:
            # What is opened there stays open, and whoever uses the keyboard goes on where the new ones begin.
            self.more.delete()
        else:
            before = 0
            self.list.clear()
            with self.list:
                if not predictions:
                    text("p", "Nothing is missing here that the model could name.")
                if left:
                    text("p", f"{left:,} relations were not asked for: choose one above.", "muted")
                self.rows = box("ol", "plain")
        with self.rows:
            for prediction in predictions[before:]:
                _Row(self.site, self.run, self.run_name, prediction)
        self.listed = predictions
        with self.list:
            self.more = box()
            if len(predictions) == self.count < MOST:
                with self.more:
                    button("Show more", self._more)
            if before and len(predictions) > before:
                ui.run_javascript(f"document.querySelectorAll('.prediction .what a')[{before}]?.focus()")

    async def _set_relation(self, name: str) -> None:
        self.relation, self.count, self.listed = name or None, AT_ONCE, []
        await self.show()

    async def _set_other(self, name: str) -> None:
        self.other, self.count, self.listed = name or None, AT_ONCE, []
        await self.show()

    async def _more(self) -> None:
        self.count = min(MOST, self.count + AT_ONCE)
        await self.show()


class _Row:
    """A prediction: its words, its bar, its buttons, and its reasons once they are asked for.

    Args:
        site, run: whose.
        run_name: as the address has it.
        prediction: what.
    """

    def __init__(self, site: Site, run: ServedRun, run_name: str | None, prediction: Prediction) -> None:
        self.site, self.run = site, run
        self.edge = (prediction.head, prediction.relation, prediction.tail)
        self.marks = site.marks(run)
        name = f"{words(prediction.kind)} {prediction.other.label}"
        with box("li", "prediction"):
            with box("div", "row-line"):
                with box("div", "what"):
                    text("span", f"{words(prediction.kind)} ")
                    entity_link(prediction.other, run_name)
                    chips(prediction.other.type, prediction.other.other_id)
                    if prediction.evidence:
                        text("div", prediction.evidence, "muted")
                with box("div", "chance"):
                    with box("span", aria_hidden="true"):
                        box("span").style(f"width: {100 * prediction.probability:.2f}%")
                    text("span", percent(prediction.probability))
                with box("div", "actions"):
                    self.why = button("Why?", self._toggle, aria_label=f"Why? {name}", aria_expanded="false")
                    self.right = button("Right", lambda: self._mark(True), aria_label=f"Right: {name}")
                    self.wrong = button("Wrong", lambda: self._mark(False), aria_label=f"Wrong: {name}")
            self.reasons = box("div", "why", role="region", aria_label=f"Why {name}")
            self.reasons.set_visibility(False)
            self.failed = box()
            self.asked = False
            self._press()

    async def _toggle(self) -> None:
        opened = not self.reasons.visible
        self.reasons.set_visibility(opened)
        dress(self.why, aria_expanded="true" if opened else "false")
        if not opened or self.asked:
            return
        self.asked = True
        self.reasons.clear()
        with self.reasons:
            waiting = text("p", "Looking for the reasons ...", "muted", role="status")
            found = await self.site.ask(lambda: self.run.predictor.explain(*self.edge))
            waiting.delete()
            if found is None:
                self.asked = False  # opened anew, it is asked anew
            else:
                markup(explained(self.run.predictor.graph, found.to_json()))

    def _mark(self, holds: bool) -> None:
        self.failed.clear()
        with self.failed:
            self.site.mark(self.run, self.edge, None if self.marks.get(self.edge) is holds else holds)
        self._press()

    def _press(self) -> None:
        said = self.marks.get(self.edge)
        dress(self.right, aria_pressed="true" if said is True else "false")
        dress(self.wrong, aria_pressed="true" if said is False else "false")


def percent(probability: float) -> str:
    """A probability as it is shown; never 100 % of what is not certain.

    >>> percent(0.12345), percent(0.99999)
    ('12.3 %', '> 99.9 %')
    """
    return "> 99.9 %" if 0.9995 <= probability < 1 else f"{100 * probability:.1f} %"
