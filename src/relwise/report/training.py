"""How the training went: loss and validation measures over the steps."""

from __future__ import annotations

from markupsafe import Markup

from relwise.report.charts import line_chart
from relwise.report.facts import Facts
from relwise.report.markup import tag
from relwise.report.measures import NAMES


def training(facts: Facts) -> Markup:
    """Two charts from `log.jsonl`; the state that was kept is marked."""
    log = facts.log
    if not log:
        return tag("p", "The run has no log.")
    kept = facts.training.get("best_step")
    mark = None if kept is None else (float(kept), "kept")
    valid = {
        NAMES[key]: [(row["step"], row[key]) for row in log if key in row]
        for key in ("auc", "ap", "mrr")
        if key in log[0]
    }
    loss = {"loss": [(row["step"], row["loss"]) for row in log]}
    return tag(
        "div",
        line_chart("On validation", "step", "measure", valid, mark),
        line_chart("Training loss", "step", "loss", loss, mark),
        class_="charts",
    )
