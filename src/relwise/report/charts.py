"""Charts as SVG in the page: no script, no picture file; colours are the page's, so that they follow light and dark.

A chart is drawn about as wide as a telephone is, and is scaled up on wider screens: its letters are never too small.
Series differ in their dashes and marks too, not in their colour alone, and every chart has its figures as a table.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from markupsafe import Markup

from relwise.report.markup import join, table, tag

WIDTH, HEIGHT = 360, 230
LEFT, RIGHT, TOP, BOTTOM = 46, 12, 10, 40
POINTS = 400  # of a line at most: more is no more to be seen

Points = Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Axis:
    """One direction of a chart.

    Args:
        low, high: what it spans; ends: where in the picture.
        label: what it measures.
    """

    low: float
    high: float
    ends: tuple[float, float]
    label: str

    def at(self, value: float) -> float:
        """Where a value lies, in the picture."""
        first, last = self.ends
        return round(first + (value - self.low) / (self.high - self.low) * (last - first), 2)


def across(low: float, high: float, label: str) -> Axis:
    """A horizontal axis."""
    return Axis(*_apart(low, high), (LEFT, WIDTH - RIGHT), label)


def upright(low: float, high: float, label: str) -> Axis:
    """A vertical axis."""
    return Axis(*_apart(low, high), (HEIGHT - BOTTOM, TOP), label)


def _apart(low: float, high: float) -> tuple[float, float]:
    return (low, high) if high > low else (low - 0.5, low + 0.5)


def ticks(low: float, high: float, count: int = 5) -> list[float]:
    """Round numbers from low to high, about so many.

    >>> ticks(0, 1), ticks(0.93, 0.99), ticks(0, 250)
    ([0.0, 0.2, 0.4, 0.6, 0.8, 1.0], [0.94, 0.96, 0.98], [0, 50, 100, 150, 200, 250])
    """
    rough = (high - low) / count
    power = 10 ** math.floor(math.log10(rough))
    step = next(m * power for m in (1, 2, 5, 10) if m * power >= rough * 0.999)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    places = _places(step)
    return [round(i * step, places) if places else round(i * step) for i in range(first, last + 1)]


def _places(step: float) -> int:
    """How many decimals tell numbers so far apart from each other."""
    return max(0, -math.floor(math.log10(step) + 1e-9))


def labels(marks: Sequence[float]) -> list[str]:
    """Ticks as they are written, all with as many decimals.

    >>> labels([0.0, 0.5, 1.0]), labels([0, 500, 1000])
    (['0.0', '0.5', '1.0'], ['0', '500', '1,000'])
    """
    if len(marks) < 2:
        return [number(mark) for mark in marks]
    places = _places(marks[1] - marks[0])
    return [f"{mark:,.{places}f}" if places <= 5 else number(mark) for mark in marks]


def line_chart(
    title: str, x_label: str, y_label: str, series: Mapping[str, Points], mark: tuple[float, str] | None = None
) -> Markup:
    """Lines over one axis.

    Args:
        title: the chart's.
        x_label, y_label: what the axes measure.
        series: each line's points by its name, in order of x.
        mark: a moment worth a vertical line, and its name.
    """
    lines = {name: _thinned([p for p in points if math.isfinite(p[1])]) for name, points in series.items()}
    lines = {name: points for name, points in lines.items() if points}
    if not lines:
        return Markup("")
    every = [point for points in lines.values() for point in points]
    x = across(min(p[0] for p in every), max(p[0] for p in every), x_label)
    y = upright(*_padded([p[1] for p in every]), y_label)
    drawn: list[Markup] = [_frame(x, y)]
    if mark is not None:
        at = x.at(mark[0])
        drawn.append(tag("line", x1=at, x2=at, y1=TOP, y2=HEIGHT - BOTTOM, class_="mark"))
        drawn.append(_beside(at, TOP + 11, mark[1]))
    for i, points in enumerate(lines.values()):
        path = " ".join(f"{x.at(a)},{y.at(b)}" for a, b in points)
        drawn.append(tag("polyline", points=path, class_=f"series s{i}"))
    rows = _rows(lines)
    return _figure(title, drawn, list(lines), table(title, [x_label, *lines], rows))


def histogram(
    title: str, x_label: str, y_label: str, bounds: Sequence[float], series: Mapping[str, list[int]]
) -> Markup:
    """How often values fall between bounds; the first series as bars, others as steps over them.

    Args:
        title: the chart's.
        x_label, y_label: what the axes measure.
        bounds: (n + 1,) of the bars.
        series: (n,) counts by name.
    """
    x = across(bounds[0], bounds[-1], x_label)
    y = upright(0, max(1, *(max(counts) for counts in series.values())), y_label)
    drawn: list[Markup] = [_frame(x, y)]
    for i, counts in enumerate(series.values()):
        cells = list(zip(bounds, bounds[1:], counts, strict=False))
        if i == 0:
            drawn += [
                tag("rect", x=x.at(a), y=y.at(n), width=round(x.at(b) - x.at(a) - 0.5, 2),
                    height=round(y.at(0) - y.at(n), 2), class_="bar s0")
                for a, b, n in cells if n
            ]  # fmt: skip
        else:
            corners = [(bounds[0], 0), *((e, n) for a, b, n in cells for e in (a, b)), (bounds[-1], 0)]
            path = " ".join(f"{x.at(a)},{y.at(n)}" for a, n in corners)
            drawn.append(tag("polyline", points=path, class_=f"series s{i}"))
    rows = [
        [f"{number(a)} to {number(b)}", *(f"{counts[i]:,}" for counts in series.values())]
        for i, (a, b) in enumerate(pairwise(bounds))
    ]
    return _figure(title, drawn, list(series), table(title, [x_label, *series], rows))


def diagonal(
    title: str, x_label: str, y_label: str, series: Mapping[str, Sequence[tuple[float, float, int]]]
) -> Markup:
    """Points that would lie on the diagonal if all were well: a reliability diagram.

    Args:
        title: the chart's.
        x_label, y_label: what the axes, both from 0 to 1, measure.
        series: (x, y, count) by name; a point is the larger, the more it counts.
    """
    x, y = across(0, 1, x_label), upright(0, 1, y_label)
    drawn = [_frame(x, y), tag("line", x1=x.at(0), y1=y.at(0), x2=x.at(1), y2=y.at(1), class_="mark")]
    most = max((count for points in series.values() for *_, count in points), default=1)
    for i, points in enumerate(series.values()):
        path = " ".join(f"{x.at(a)},{y.at(b)}" for a, b, _ in points)
        drawn.append(tag("polyline", points=path, class_=f"series s{i}"))
        for a, b, count in points:
            size = round(1.5 + 3 * math.sqrt(count / max(1, most)), 2)
            drawn.append(tag("circle", cx=x.at(a), cy=y.at(b), r=size, class_=f"dot s{i}"))
    rows = [[name, f"{a:.3f}", f"{b:.3f}", f"{n:,}"] for name, points in series.items() for a, b, n in points]
    return _figure(title, drawn, list(series), table(title, ["", x_label, y_label, "edges"], rows))


def number(value: float) -> str:
    """A number as a reader wants it.

    >>> number(0.5), number(12000.0), number(0.123456)
    ('0.5', '12,000', '0.123')
    """
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def _frame(x: Axis, y: Axis) -> Markup:
    """Grid, ticks and labels."""
    bottom = HEIGHT - BOTTOM
    marks, heights = ticks(x.low, x.high), ticks(y.low, y.high)
    across_ticks = [
        tag("text", label, x=x.at(t), y=bottom + 14, text_anchor="middle")
        for t, label in zip(marks, labels(marks), strict=True)
    ]
    up_ticks = [
        join([
            tag("line", x1=LEFT, x2=WIDTH - RIGHT, y1=y.at(t), y2=y.at(t), class_="grid"),
            tag("text", label, x=LEFT - 5, y=y.at(t) + 4, text_anchor="end"),
        ])
        for t, label in zip(heights, labels(heights), strict=True)
    ]  # fmt: skip
    middle = (TOP + bottom) / 2
    return join(
        [
            *up_ticks,
            *across_ticks,
            tag("line", x1=LEFT, x2=WIDTH - RIGHT, y1=bottom, y2=bottom, class_="axis"),
            tag("text", x.label, x=(LEFT + WIDTH - RIGHT) / 2, y=HEIGHT - 6, text_anchor="middle", class_="label"),
            tag("text", y.label, x=0, y=0, text_anchor="middle", class_="label",
                transform=f"translate(11 {middle}) rotate(-90)"),
        ]
    )  # fmt: skip


def _beside(at: float, height: float, text: str) -> Markup:
    """A note on the side of a vertical line where there is room."""
    left = at > WIDTH * 0.6
    return tag("text", text, x=at - 4 if left else at + 4, y=height, text_anchor="end" if left else "start")


def _figure(title: str, drawn: Sequence[Markup], names: Sequence[str], figures: Markup) -> Markup:
    # The picture's text is its title: the figures stand in the table below, where a screen reader finds them.
    picture = tag("svg", *drawn, viewBox=f"0 0 {WIDTH} {HEIGHT}", role="img", aria_label=title)
    legend = None
    if len(names) > 1:
        keys = [
            tag("li", tag("svg", tag("line", x1=0, x2=24, y1=5, y2=5, class_=f"series s{i}"), viewBox="0 0 24 10",
                          aria_hidden="true"), name)
            for i, name in enumerate(names)
        ]  # fmt: skip
        legend = tag("ul", *keys, class_="legend")
    return tag(
        "figure",
        tag("figcaption", title),
        picture,
        legend,
        tag("details", tag("summary", "The figures"), figures),
    )


def _padded(values: Sequence[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    room = 0.06 * (high - low) or 0.05 * abs(high) or 0.5
    return low - room, high + room


def _thinned(points: Points) -> Points:
    """At most `POINTS` of them, the last among them."""
    step = math.ceil(len(points) / POINTS)
    return points if step <= 1 else [*points[:-1:step], points[-1]]


def _rows(lines: Mapping[str, Points]) -> list[list[str]]:
    values = {name: dict(points) for name, points in lines.items()}
    every = sorted({at for points in values.values() for at in points})
    return [[number(at), *(number(v[at]) if at in v else "" for v in values.values())] for at in every]
