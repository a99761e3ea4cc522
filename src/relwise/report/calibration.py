"""Whether probabilities are what they say: of edges given 0.8, do eight in ten hold?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from relwise.report.charts import diagonal
from relwise.report.facts import Facts
from relwise.report.markup import join, table, tag

SERIES = (("final", "calibrated, as shown"), ("network", "network alone, as trained"))
COLUMNS = (
    ("ece", "ECE"), ("brier", "Brier"), ("f1_at_half", "F1 at 0.5"), ("f1_at_threshold", "F1 at threshold"),
    ("f1_best", "best F1"),
)  # fmt: skip
NONE = (
    "The probabilities of this run are not calibrated: they compare predictions with each other, and are no "
    "frequencies. 0.9 does not mean nine in ten."
)
EXPLAINED = (
    "ECE is the mean distance between what was promised and what came, Brier the mean squared error of the "
    "probabilities: the smaller, the better. The threshold of F1 is the best one on validation; best F1 is with the "
    "threshold that is best on test itself, which nobody can know before."
)


def calibration(facts: Facts) -> Markup:
    """The reliability diagram with its measures, before and after; a sentence where the run has none."""
    found = facts.metrics.get("calibration")
    if not found:
        return tag("p", NONE)
    if not found.get("fitted", True):
        shown = [("network", found["network"])]
        text = NONE
    else:
        shown = [(name, found[key]) for key, name in SERIES if found.get(key)]
        text = (
            "A point on the dashed line is a probability that keeps its promise: of the edges given 0.8, eight in ten "
            f"are true. It was fitted on validation edges and is measured on test, for a share of "
            f"{100 * found['prior']:.4g} % true edges among those asked about."
        )
    told = [(key, name) for key, name in COLUMNS if key in shown[0][1]]
    rows = [[name, *(_cell(part[key]) for key, _ in told)] for name, part in shown]
    return join(
        [
            tag("p", text),
            diagonal(
                "Reliability on test",
                "probability given",
                "share that is true",
                {name: points(part["bins"]) for name, part in shown},
            ),
            table("How far a probability can be taken at its word", ["probability", *(n for _, n in told)], rows),
            tag("p", EXPLAINED, class_="muted"),
        ]
    )


def points(bins: Sequence[Mapping[str, Any]]) -> list[tuple[float, float, int]]:
    """Bins as points of the diagram; an empty one is none."""
    return [(b["mean_probability"], b["share_true"], b["count"]) for b in bins if b["count"]]


def _cell(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"
