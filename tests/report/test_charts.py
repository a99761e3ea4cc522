from __future__ import annotations

import math
import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relwise.report.charts import (
    BOTTOM,
    HEIGHT,
    LEFT,
    POINTS,
    RIGHT,
    TOP,
    WIDTH,
    across,
    diagonal,
    histogram,
    line_chart,
    ticks,
)  # fmt: skip
from tests.report.reading import Reader


@given(st.floats(-1e6, 1e6), st.floats(0.01, 1e6))
def test_ticks_are_round_within_and_evenly_spaced(low: float, span: float) -> None:
    made = ticks(low, low + span)
    assert 2 <= len(made) <= 12
    assert all(low - span * 1e-6 <= t <= low + span * (1 + 1e-6) for t in made)
    steps = {round((b - a) / span, 4) for a, b in pairwise(made)}
    assert max(steps) - min(steps) <= 2e-4


def _points(chart: str) -> list[tuple[float, float]]:
    """The first line's corners."""
    found = re.search(r'<polyline points="([^"]*)"', chart)
    assert found
    return [(float(x), float(y)) for x, y in (pair.split(",") for pair in found[1].split())]


def test_a_line_goes_where_its_values_are() -> None:
    chart = line_chart("t", "step", "loss", {"loss": [(0, 1.0), (10, 3.0), (20, 2.0)]}, (10, "kept"))
    (x0, y0), (x1, y1), (x2, y2) = _points(chart)
    assert (x0, x2) == (LEFT, WIDTH - RIGHT)
    assert x1 == pytest.approx((x0 + x2) / 2)
    assert TOP < y1 < y2 < y0 < HEIGHT - BOTTOM
    assert y2 == pytest.approx((y0 + y1) / 2, abs=0.02)
    assert ">kept</text>" in chart
    assert Reader(chart).tables["t"] == [["step", "loss"], ["0", "1"], ["10", "3"], ["20", "2"]]


def test_a_long_line_is_thinned_and_keeps_its_end() -> None:
    points = [(i, math.sin(i)) for i in range(5 * POINTS)]
    drawn = _points(line_chart("t", "x", "y", {"a": points}))
    assert len(drawn) <= POINTS + 1
    assert drawn[-1][0] == across(0, len(points) - 1, "x").at(len(points) - 1)


def test_a_value_that_is_no_number_is_left_out() -> None:
    assert len(_points(line_chart("t", "x", "y", {"a": [(0, 1.0), (1, float("nan")), (2, 1.0)]}))) == 2
    assert line_chart("t", "x", "y", {"a": [(0, float("nan"))]}) == ""


def test_bars_are_as_high_as_their_counts() -> None:
    chart = histogram("t", "x", "n", [0, 1, 2, 3], {"a": [4, 0, 2], "b": [1, 1, 1]})
    heights = [float(h) for h in re.findall(r'<rect[^>]* height="([^"]*)"', chart)]
    assert heights == [HEIGHT - BOTTOM - TOP, pytest.approx((HEIGHT - BOTTOM - TOP) / 2)]
    assert Reader(chart).tables["t"][1:] == [["0 to 1", "4", "1"], ["1 to 2", "0", "1"], ["2 to 3", "2", "1"]]


def test_a_point_on_the_diagonal_is_drawn_on_it() -> None:
    chart = diagonal("t", "given", "true", {"a": [(0.25, 0.25, 10), (0.75, 0.75, 40)]})
    line = re.search(r'<line x1="([^"]*)" y1="([^"]*)" x2="([^"]*)" y2="([^"]*)" class="mark"', chart)
    assert line
    x1, y1, x2, y2 = map(float, line.groups())
    for x, y in re.findall(r'<circle cx="([^"]*)" cy="([^"]*)"', chart):
        along = (float(x) - x1) / (x2 - x1)
        assert float(y) == pytest.approx(y1 + along * (y2 - y1), abs=0.02)
    small, large = map(float, re.findall(r' r="([^"]*)"', chart))
    assert small < large


def test_series_differ_in_more_than_colour_and_are_named() -> None:
    chart = line_chart("t", "x", "y", {"one": [(0, 0), (1, 1)], "<two>": [(0, 1), (1, 0)]})
    assert 'class="series s0"' in chart
    assert 'class="series s1"' in chart
    assert "&lt;two&gt;" in chart
    assert "<two>" not in chart
