"""An HTML page as a test reads it: its tables, its text, what it would load, whether its elements close."""

from __future__ import annotations

from html.parser import HTMLParser


class Reader(HTMLParser):
    """Reads a page whole; raises where an element is closed that is not open.

    Attributes:
        tables: by caption, rows of cells' texts, the header first.
        ids: of elements; targets: of links; loads: addresses that a browser would fetch; scripts: how many.
        text: all of it.
    """

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tables: dict[str, list[list[str]]] = {}
        self.ids: list[str] = []
        self.targets: list[str] = []
        self.loads: list[str] = []
        self.scripts = 0
        self.names: list[str] = []
        self.text = ""
        self._open: list[str] = []
        self._rows: list[list[str]] = []
        self._caption = ""
        self.feed(str(page))  # of markup too: a parser that is fed escaped strings gives escaped strings
        self.close()
        assert not self._open, self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.names.append(tag)
        self.scripts += tag == "script" or any(name.startswith("on") for name in given)
        if given.get("id"):
            self.ids.append(str(given["id"]))
        if tag == "a" and given.get("href"):
            self.targets.append(str(given["href"]))
        elif tag != "a":
            self.loads += [str(given[name]) for name in ("src", "href", "data", "srcset") if given.get(name)]
        if tag == "table":
            self._rows, self._caption = [], ""
        elif tag == "tr":
            self._rows.append([])
        elif tag in ("td", "th"):
            self._rows[-1].append("")
        self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag, tag
        if tag == "table":
            self.tables[self._caption] = self._rows

    def handle_data(self, data: str) -> None:
        self.text += data
        if "caption" in self._open:
            self._caption += data
        elif self._open and ({"td", "th"} & set(self._open)):
            self._rows[-1][-1] += data
