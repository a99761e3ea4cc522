"""The model page: its sections in order, and the one HTML file that holds them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from relwise.report.about import about
from relwise.report.attention import attention
from relwise.report.calibration import calibration
from relwise.report.data import data
from relwise.report.facts import Facts
from relwise.report.findings import findings
from relwise.report.markup import join, tag
from relwise.report.measures import measures, per_relation
from relwise.report.sampler import sampler
from relwise.report.settings import settings
from relwise.report.style import COLOURS, CONTENT, PAGE
from relwise.report.training import training
from relwise.report.warnings import warnings


@dataclass(frozen=True)
class Section:
    """A part of the page.

    Args:
        key: its anchor.
        title: its heading.
        body: what it holds.
    """

    key: str
    title: str
    body: Markup


SECTIONS: tuple[tuple[str, str, Callable[[Facts], Markup]], ...] = (
    ("about", "What this is", about),
    ("measures", "How good it is", measures),
    ("relations", "In each relation", per_relation),
    ("calibration", "Are the probabilities true?", calibration),
    ("warnings", "What not to use it for", warnings),
    ("findings", "Leaks and findings", findings),
    ("data", "What it was trained on", data),
    ("training", "How the training went", training),
    ("sampler", "What the negatives were", sampler),
    ("attention", "How attention is spread", attention),
    ("settings", "Settings and versions", settings),
)


def sections(facts: Facts) -> list[Section]:
    """All sections of the page, in order."""
    return [Section(key, title, made(facts)) for key, title, made in SECTIONS]


def contents(parts: Sequence[Section]) -> Markup:
    """Links to the sections."""
    links = [tag("li", tag("a", part.title, href=f"#{part.key}")) for part in parts]
    return tag("nav", tag("ul", *links), aria_label="Contents")


def body(parts: Sequence[Section]) -> Markup:
    """The sections under their headings."""
    return join([tag("section", tag("h2", p.title, id=p.key), p.body, aria_labelledby=p.key) for p in parts])


def page(facts: Facts) -> str:
    """The whole page as one HTML document that asks for nothing else."""
    parts = sections(facts)
    title = f"Model report: {facts.name}"
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        # The page holds data: no script of anybody's is ever to run in it, and it loads nothing.
        tag("meta", http_equiv="Content-Security-Policy", content="default-src 'none'; style-src 'unsafe-inline'"),
        tag("title", title),
        tag("style", Markup(COLOURS + CONTENT + PAGE)),
    )
    foot = "Made by relwise from a run folder. This page holds figures of your data; whoever gets it gets them."
    whole = tag(
        "body",
        tag("a", "Skip to the content", href="#content", class_="skip"),
        tag("header", tag("h1", title), contents(parts)),
        tag("main", body(parts), id="content"),
        tag("footer", tag("p", foot)),
        class_="rw",
    )
    return f"<!DOCTYPE html>\n{tag('html', head, whole, lang='en')}\n"
