"""Plain HTML elements that NiceGUI keeps in step with the server: real links, buttons and fields, for keyboards."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar
from urllib.parse import urlencode

from markupsafe import Markup
from nicegui import ui
from nicegui.elements.mixins.text_element import TextElement

E = TypeVar("E", bound=ui.element)

VALUE = "(event) => emit(event.target.value)"
TYPED = """(event) => {
  const field = event.target, address = new URL(location);
  address.searchParams.set('q', field.value);
  history.replaceState(history.state, '', address);
  clearTimeout(field.waiting);
  field.waiting = setTimeout(() => emit(field.value), 150);
}"""
"""What is typed, once typing rests for a moment; the address keeps it, so that going back finds it again."""


def text(name: str, content: str, classes: str = "", **attributes: str) -> TextElement:
    """An element with text, which is never markup.

    Args:
        name: the element's.
        content: its text.
        classes: its CSS classes.
        attributes: others by name; `aria_label` is `aria-label`.
    """
    made = TextElement(tag=name, text=content)
    made.classes(classes)
    return dress(made, **attributes)


def dress(element: E, **attributes: str | bool) -> E:
    """Give an element attributes; `for_` is `for`."""
    for key, value in attributes.items():
        element.props[key.rstrip("_").replace("_", "-")] = value
    return element


def box(name: str = "div", classes: str = "", **attributes: str | bool) -> ui.element:
    """An element to hold others."""
    return dress(ui.element(name).classes(classes), **attributes)


def markup(content: Markup) -> ui.html:
    """Markup made by `relwise.report.markup`, which has escaped what came from data."""
    return ui.html(str(content), sanitize=False)


def link(content: str, page: str, current: bool = False, **query: str | None) -> TextElement:
    """A link to a page of ours."""
    made = text("a", content, href=address(page, **query))
    return dress(made, aria_current="page") if current else made


def address(page: str, **query: str | None) -> str:
    """The address of a page of ours, from any other of them; what is None is left out.

    >>> address("entity", type="plane", id="a&b", run=None)
    './entity?type=plane&id=a%26b'
    """
    given = {key: value for key, value in query.items() if value is not None}
    return f"./{page}{'?' if given else ''}{urlencode(given)}"


def chips(*contents: str | None) -> None:
    """Small notes behind a name; None is none."""
    for content in contents:
        if content is not None:
            text("span", content, "chip")


def button(content: str, pressed: Callable[[], Awaitable[None] | None], **attributes: str) -> TextElement:
    """A button."""
    made = text("button", content, type="button", **attributes)
    made.on("click", pressed, [])
    return made


def choice(label: str, name: str, options: Sequence[tuple[str, str]], chosen: Callable[[str], Any]) -> None:
    """A labelled list to choose from: (value, text) each, the first chosen."""
    with box():
        text("label", label, for_=name)
        with box("select", id=name) as made:
            for value, told in options:
                text("option", told, value=value)
        made.on("change", lambda event: chosen(str(event.args)), js_handler=VALUE)
