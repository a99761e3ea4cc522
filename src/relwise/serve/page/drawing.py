"""The neighbourhood that carried a prediction, as SVG: who, by which relation, with how much weight.

Drawn from top to bottom, as wide as a telephone: the head with its neighbours beside it, the relationship asked about
as a dashed line, the tail with its neighbours. The thicker a line, the more of the logit hangs on it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from markupsafe import Markup

from relwise.report.markup import tag

WIDTH, ROW = 360, 36
STEM, STEP = 22, 62  # where the ends stand, and how far right of a node its neighbours do
LETTER = 6.6  # about so wide: names are cut to fit, and told whole on pointing at them
MOST = 6  # neighbours of an end that are drawn

Place = tuple[str, str]
"""A node: its type and id."""


@dataclass
class Branch:
    """A neighbour.

    Args:
        place: which node.
        name: what people call it.
        relation: by which it is tied, in the words shown.
        effect: on the logit.
        attention: of the message; None where the network has none.
        behind: the neighbours behind it.
    """

    place: Place
    name: str
    relation: str
    effect: float
    attention: float | None
    behind: list[Branch] = field(default_factory=list)


def branches(carriers: Sequence[Mapping[str, Any]], end: Place, types: Mapping[str, tuple[str, str]]) -> list[Branch]:
    """The carriers that hang on one end, those one step further behind the neighbour that they touch.

    Args:
        carriers: as `Explanation.to_json` has them.
        end: the end.
        types: the node types of each relation's head and tail.
    """
    made: dict[Place, Branch] = {}
    for further in (False, True):
        for one in carriers:
            places = [(types[one["relation"]][i], one[side]["id"]) for i, side in enumerate(("head", "tail"))]
            if (end in places) == further:
                continue
            known = [place for place in places if (place in made if further else place == end)]
            if not known:
                continue
            away = 1 - places.index(known[0])
            side = ("head", "tail")[away]
            words = f"{one['relation']} →" if away else f"→ {one['relation']}"
            branch = Branch(places[away], one[side]["name"], words, one["effect"], one["attention"])
            if not further:
                made.setdefault(branch.place, branch)
            elif branch.place not in made:
                made[known[0]].behind.append(branch)
    return sorted(made.values(), key=lambda branch: -abs(branch.effect))[:MOST]


def neighbourhood(explained: Mapping[str, Any], types: Mapping[str, tuple[str, str]]) -> Markup:
    """The drawing of an explanation.

    Args:
        explained: as `Explanation.to_json` has it.
        types: the node types of each relation's head and tail.
    """
    carriers = [*explained["carriers"], *explained["against"]]
    kinds = types[explained["relation"]]
    ends = [(kinds[i], explained[side]["id"]) for i, side in enumerate(("head", "tail"))]
    trees = [branches(carriers, end, types) for end in ends]
    most = max((abs(b.effect) for tree in trees for one in tree for b in (one, *one.behind)), default=1.0) or 1.0
    drawn: list[Markup] = []
    row, stems = 0, []
    for side, tree in zip(("head", "tail"), trees, strict=True):
        stems.append(_height(row))
        drawn.append(_named(STEM, row, explained[side]["name"], side, "end"))
        start = row
        for branch in tree:
            row += 1
            here = row
            drawn += [_line(STEM, start, here, branch, most), _neighbour(STEM + STEP, here, branch)]
            for behind in branch.behind[:2]:
                row += 1
                drawn.append(_line(STEM + STEP, here, row, behind, most))
                drawn.append(_neighbour(STEM + 2 * STEP, row, behind))
        row += 2
    asked = tag("path", d=f"M{STEM - 12} {stems[0]} V{stems[1]}", class_="asked")
    ends_of = [tag("path", d=f"M{STEM - 12} {y} H{STEM}", class_="asked") for y in stems]
    words = f"{explained['relation']}: {100 * explained['probability']:.1f} %"
    label = tag("text", _cut(words, STEM), x=STEM, y=stems[1] - ROW * 0.75, class_="label")
    height = _height(row - 2) + ROW // 2
    what = "Neighbours whose ties carried this prediction, the stronger the thicker the line"
    return tag(
        "svg", asked, *ends_of, label, *drawn, viewBox=f"0 0 {WIDTH} {height}", role="img", aria_label=what,
        class_="neighbourhood",
    )  # fmt: skip


def _told(branch: Branch, most: int = 1_000) -> str:
    """The relation, the effect on the logit, and α: short, for a telephone is narrow.

    Args:
        branch: what is told of.
        most: letters there is room for; it is the relation's name that is cut.
    """
    weight = "" if branch.attention is None else f", \u03b1 {100 * branch.attention:.0f} %"
    before, name, after = _parted(branch.relation)
    figures = f"{branch.effect:+.2g}{weight}"
    room = max(2, most - len(f"{before}{after} {figures}"))
    return f"{before}{name if len(name) <= room else f'{name[: room - 1]}…'}{after} {figures}"


def _parted(words: str) -> tuple[str, str, str]:
    """An arrow before or behind, and the relation's name.

    >>> _parted("visits →"), _parted("→ visits")
    (('', 'visits', ' →'), ('→ ', 'visits', ''))
    """
    before = "→ " if words.startswith("→ ") else ""
    after = " →" if words.endswith(" →") and not before else ""
    return before, words.removeprefix(before).removesuffix(after), after


def _height(row: int) -> int:
    return 20 + row * ROW


def _line(x: int, above: int, below: int, branch: Branch, most: float) -> Markup:
    """From a node down and to the right to its neighbour."""
    width = round(1 + 7 * abs(branch.effect) / most, 2)
    kind = "for" if branch.effect >= 0 else "against"
    y0, y1 = _height(above), _height(below)
    path = f"M{x} {y0} V{y1 - 12} Q{x} {y1} {x + 14} {y1} H{x + STEP - 6}"
    return tag("path", tag("title", _told(branch)), d=path, class_=f"tie {kind}", stroke_width=width)


def _neighbour(x: int, row: int, branch: Branch) -> Markup:
    return _named(x, row, branch.name, _told(branch, _letters(x + 12)), whole=_told(branch))


def _named(x: int, row: int, name: str, below: str, kind: str = "node", whole: str = "") -> Markup:
    y = _height(row)
    return tag(
        "g",
        tag("title", f"{name} ({whole or below})"),
        tag("circle", cx=x, cy=y, r=7 if kind == "end" else 5, class_=kind),
        tag("text", _cut(name, x + 12), x=x + 12, y=y - 1, class_="label"),
        tag("text", _cut(below, x + 12), x=x + 12, y=y + 12),
    )


def _letters(x: int) -> int:
    """How many there is room for from x on."""
    return int((WIDTH - x) / LETTER)


def _cut(text: str, x: int) -> str:
    most = _letters(x)
    return text if len(text) <= most else f"{text[: most - 1]}…"
