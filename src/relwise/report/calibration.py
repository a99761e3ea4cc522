"""Whether probabilities are what they say: of edges given 0.8, do eight in ten hold?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from relwise.report.charts import diagonal
from relwise.report.facts import Facts
from relwise.report.markup import join, table, tag

SERIES = (("final", "calibrated (what is shown)"), ("network", "network alone, as trained"))


def calibration(facts: Facts) -> Markup:
    """The reliability diagram with its two measures, before and after; a sentence where the run has none."""
    found = facts.metrics.get("calibration")
    if not found:
        return tag(
            "p",
            "The probabilities of this run are not calibrated: they compare predictions with each other, and are no "
            "frequencies. 0.9 does not mean nine in ten.",
        )
    shown = [(name, found[key]) for key, name in SERIES if found.get(key)]
    prior = found.get("prior")
    assumed = "" if prior is None else f" A share of {100 * prior:.4g} % true edges among those asked about is assumed."
    text = (
        "A point on the dashed line is a probability that keeps its promise: of the edges given 0.8, eight in ten are "
        f"true. It was fitted on validation edges and is measured on test.{assumed}"
    )
    rows = [[name, f"{part['ece']:.4f}", f"{part['brier']:.4f}"] for name, part in shown]
    return join(
        [
            tag("p", text),
            diagonal(
                "Reliability on test",
                "probability given",
                "share that is true",
                {name: points(part["bins"]) for name, part in shown},
            ),
            table("Distance from the promise: the smaller, the better", ["probability", "ECE", "Brier"], rows),
            tag(
                "p",
                "ECE is the mean distance between what was promised and what came; Brier is the mean squared error of "
                "the probabilities.",
                class_="muted",
            ),
        ]
    )


def points(bins: Sequence[Mapping[str, Any]]) -> list[tuple[float, float, int]]:
    """Bins as points of the diagram; an empty one is none."""
    return [(b["mean_probability"], b["share_true"], b["count"]) for b in bins if b["count"]]
