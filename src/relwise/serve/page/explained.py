"""An explanation as HTML: the sentence first, then the neighbourhood, the paths, attributes and similar ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from relwise.data.graph import Graph, counted
from relwise.report.markup import bullets, join, table, tag
from relwise.serve.page.drawing import neighbourhood
from relwise.serve.page.lookup import NAME, shown

SHOWN = 16  # ties of a table
BACKWARDS = "~ marks a relation that is followed backwards, from its tail to its head."
LEGEND = "Beside each tie: how much of the logit hangs on it, and \u03b1, its attention. A dashed one speaks against."


def explained(graph: Graph, found: Mapping[str, Any]) -> Markup:
    """An explanation.

    Args:
        graph: for the types of relations.
        found: as `Explanation.to_json` has it.
    """
    found = _readable(found, {})
    types = {name: (r.head, r.tail) for name, r in zip(graph.relation_names, graph.relations, strict=True)}
    halves = [
        tag("div", *_block("What carried it", _carried(found, types))),
        tag(
            "div",
            *_block("Paths between the two", _paths(found["paths"])),
            *_block("Attributes that mattered", _attributes(found["attributes"])),
            *_block("Known ones most like it", _similar(found["similar"], found["relation"])),
            *_block("Left out", bullets(found["notes"]) if found["notes"] else None),
        ),
    ]
    return join([tag("p", found["sentence"], class_="sentence"), tag("div", *halves, class_="halves")])


def _readable(part: Any, long: dict[str, str]) -> Any:
    """A part of an explanation with names that can be seen and are not long, in its sentence too.

    Args:
        part: what `Explanation.to_json` holds there.
        long: filled with the long names that were met, each with what stands for it.
    """
    if isinstance(part, list):
        return [_readable(one, long) for one in part]
    if not isinstance(part, Mapping):
        return part
    if part.keys() == {"id", "name"}:
        for word in part.values():
            if len(word) > NAME:
                long[word] = shown(word)
        return {"id": part["id"], "name": shown(part["name"], part["id"])}
    made = {key: _readable(one, long) for key, one in part.items()}
    if "sentence" in made:
        for word in sorted(long, key=len, reverse=True):
            made["sentence"] = made["sentence"].replace(word, long[word])
    return made


def _block(title: str, content: Markup | None) -> list[Markup]:
    return [] if content is None else [tag("h4", title), content]


def _carried(found: Mapping[str, Any], types: Mapping[str, tuple[str, str]]) -> Markup | None:
    """The drawing, and the same as a table for those who do not see it."""
    ties = [*found["carriers"], *found["against"]]
    if not ties:
        return None
    rows = [
        [
            f"{one['head']['name']} - {one['relation']} → {one['tail']['name']}",
            f"{one['effect']:+.2g}",
            "" if one["attention"] is None else f"{100 * one['attention']:.0f} %",
        ]
        for one in ties[:SHOWN]
    ]
    figures = table("How much of the logit hangs on each tie", ["tie", "effect", "attention"], rows)
    return join(
        [
            neighbourhood(found, types),
            tag("p", LEGEND, class_="muted"),
            tag("details", tag("summary", "The figures"), figures),
        ]
    )


def _paths(paths: Sequence[Mapping[str, Any]]) -> Markup | None:
    if not paths:
        return None
    items = []
    for one in paths:
        example = " → ".join(node["name"] for node in one["examples"][0]) if one["examples"] else ""
        told = f"such as {example}" if example else ""
        count = counted(one["count"], "path")
        items.append(join([f"{count} ", tag("strong", one["pattern"]), tag("div", told, class_="muted")]))
    return join([bullets(items), tag("p", BACKWARDS, class_="muted")]) if "~" in str(items) else bullets(items)


def _attributes(attributes: Sequence[Mapping[str, Any]]) -> Markup | None:
    if not attributes:
        return None
    rows = [[f"{one['side']}: {one['name']}", one["value"], f"{one['effect']:+.2g}"] for one in attributes]
    return table("How much lower the logit were without it", ["attribute", "value", "effect"], rows, text=2)


def _similar(similar: Sequence[Mapping[str, Any]], relation: str) -> Markup | None:
    if not similar:
        return None
    return bullets(
        [
            f"{one['head']['name']} - {relation} → {one['tail']['name']} ({100 * one['similarity']:.0f} % alike)"
            for one in similar
        ]
    )
