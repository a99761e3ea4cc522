"""Contrast by WCAG 2's formula: https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio"""

from __future__ import annotations

import re

import pytest

from relwise.report.style import CONTENT, DARK, LIGHT, PAGE


def _luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def _contrast(one: str, other: str) -> float:
    high, low = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_the_formula_gives_what_wcag_says_of_black_on_white() -> None:
    assert _contrast("#000000", "#ffffff") == pytest.approx(21)


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
def test_text_and_lines_stand_out_from_both_grounds(colours: dict[str, str]) -> None:
    for name in ("ink", "muted", "accent", "second", "third", "warn", "bad"):
        for ground in ("ground", "raised"):
            assert _contrast(colours[name], colours[ground]) >= 4.5, (name, ground)


def test_both_schemes_have_every_colour_that_is_used() -> None:
    used = set(re.findall(r"var\(--(\w+)\)", CONTENT + PAGE))
    assert used <= set(LIGHT)
    assert set(LIGHT) == set(DARK)
