"""HTML from plain functions: whatever is not markup already is escaped, so that data can never be read as markup.

>>> tag("p", "a node called ", tag("b", "<script>"), class_="note")
Markup('<p class="note">a node called <b>&lt;script&gt;</b></p>')
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from markupsafe import Markup, escape

EMPTY = {"br", "circle", "input", "line", "meta", "path", "polyline", "rect"}
"""Elements that have no content."""


def tag(name: str, /, *content: object, **attributes: object) -> Markup:
    """An element.

    Args:
        name: the element's.
        content: what it holds; text is escaped, markup is not, None is nothing.
        attributes: by name; `class_` is `class`, `aria_label` is `aria-label`; None leaves one out, True has no value.
    """
    words = "".join(
        f" {key.rstrip('_').replace('_', '-')}" + ("" if value is True else f'="{escape(value)}"')
        for key, value in attributes.items()
        if value is not None and value is not False
    )
    opened = f"<{name}{words}>" if name not in EMPTY or content else f"<{name}{words}/>"
    if name in EMPTY and not content:
        return Markup(opened)
    return Markup(f"{opened}{join(content)}</{name}>")


def join(parts: Sequence[object]) -> Markup:
    """Pieces behind each other, each escaped unless it is markup; None is nothing."""
    return Markup("").join(escape(part) for part in parts if part is not None)


def table(caption: str, header: Sequence[str], rows: Sequence[Sequence[object]], *, text: int = 1) -> Markup:
    """A table with a caption, column headers and row headers, which a screen reader tells with each cell.

    Args:
        caption: what it shows.
        header: the columns' names.
        rows: cells; the first of each is the row's header.
        text: so many columns hold text and stand left, the others hold numbers and stand right.

    On a narrow screen it scrolls by itself, by keyboard too, and the page does not.
    """

    def kind(column: int) -> str | None:
        return None if column < text else "number"

    head = tag("tr", *(tag("th", name, scope="col", class_=kind(i)) for i, name in enumerate(header)))
    lines = [
        tag(
            "tr",
            *(
                tag("th", cell, scope="row") if i == 0 else tag("td", cell, class_=kind(i))
                for i, cell in enumerate(row)
            ),
        )
        for row in rows
    ]
    whole = tag("table", tag("caption", tag("span", caption)), tag("thead", head), tag("tbody", *lines))
    return tag("div", whole, class_="scroll", tabindex="0", role="region", aria_label=caption)


def bullets(items: Sequence[object]) -> Markup:
    """A list."""
    return tag("ul", *(tag("li", item) for item in items))


def prose(text: str) -> Markup:
    """A text of ours, of paragraphs or of a list, whose marks are `**` and the backtick.

    >>> prose("It is **not** `so`.")
    Markup('<p>It is <strong>not</strong> <code>so</code>.</p>')
    >>> prose("- a;\\n- b.")
    Markup('<ul><li>a;</li><li>b.</li></ul>')
    """
    marked = re.sub(r"\*\*(.+?)\*\*", r"<strong>\1</strong>", str(escape(text)))
    marked = re.sub(r"`(.+?)`", r"<code>\1</code>", marked)
    if marked.startswith("- "):
        return bullets([Markup(line) for line in re.split(r"\n?^- ", marked, flags=re.MULTILINE)[1:]])
    return join([tag("p", Markup(block.replace("\n", " "))) for block in marked.split("\n\n")])
