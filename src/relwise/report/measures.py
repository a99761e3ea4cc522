"""How good the run is on test: beside plain counting, on parts of the edges, and in each relation."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from relwise.card import MEASURES
from relwise.report.data import MOST
from relwise.report.facts import Facts
from relwise.report.markup import join, table, tag

NAMES = {
    "auc": "AUC", "ap": "AP", "f1": "F1", "mrr": "MRR", "hits@1": "Hit@1", "hits@10": "Hit@10", "hits@30": "Hit@30",
}  # fmt: skip
PARTS = (
    ("seen", "Edges whose two ends have training edges"),
    ("unseen", "Edges with an end that has no training edge: attributes must speak for it"),
    ("without_reversed", "Without edges that stand in train turned round"),
    ("without_leaked", "Without edges whose two ends are tied in train at all"),
)
EXPLAINED = (
    "All in percent. AUC and AP tell true edges from false ones (AUC of 50 is chance). F1 is at a probability of 0.5; "
    "a plain count is no probability, so its F1 is at its best threshold on validation. MRR and Hit@k rank the true "
    "end of each edge among all entities of its type, known edges left out. The best of a column is bold."
)


def measures(facts: Facts) -> Markup:
    """All measures of the model and of the plain baselines: of all test edges, then of parts of them."""
    metrics = facts.metrics
    if not metrics["micro"]:
        return tag("p", "None: the split leaves no edges to test on.")
    tables = [measure_table("All test edges", metrics)]
    leaked = metrics.get("leakage", {}).get("counts", {})
    for key, caption in PARTS:
        part = metrics.get(key)
        if part is None or not part["counts"]["micro"]["positives"]:
            continue
        if key == "without_reversed" and not (leaked.get("same") or leaked.get("reversed")):
            continue
        if key == "without_leaked" and not leaked.get("leaked"):
            continue
        tables.append(measure_table(caption, part))
    return join([tag("p", EXPLAINED), *tables])


def measure_table(caption: str, values: Mapping[str, Any]) -> Markup:
    """A table of scorers by measures; the caption says of how many edges."""
    counts = values["counts"]["micro"]
    rows = scorers(values)
    best = {key: max((v[key] for _, v in rows if _is_number(v[key])), default=None) for key in MEASURES}
    cells = [[name, *(_cell(v[key], best[key]) for key in MEASURES)] for name, v in rows]
    edges = f"{caption} ({counts['positives']:,} true, {counts['negatives']:,} false)"
    return table(edges, ["scorer", *(NAMES[key] for key in MEASURES)], cells)


def scorers(values: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    """The scorers that a block of measures tells of, by the names that people are shown.

    The final probability is of the network and of the graph's own evidence together, where the run has both; then
    each of the two stands alone beside it.
    """
    rows = [("network", values["micro"])]
    if "network" in values and "evidence" in values:
        rows = [("network + evidence", values["micro"])]
        rows += [(f"{name} alone", values[name].get("micro", values[name])) for name in ("network", "evidence")]
    return rows + [(name.replace("_", " "), measured) for name, measured in values["baselines"].items()]


def per_relation(facts: Facts) -> Markup:
    """The model's measures in each relation, the largest first."""
    relations, counts = facts.metrics["relations"], facts.metrics.get("counts", {})
    if not relations:
        return tag("p", "None: the split leaves no edges to test on.")
    order = sorted(relations, key=lambda name: -counts[name]["positives"])
    rows = [
        [
            name,
            *(f"{counts[name][side]:,}" for side in ("positives", "negatives")),
            *(_cell(relations[name][key], None) for key in MEASURES),
        ]
        for name in order[:MOST]
    ]
    header = ["relation", "true", "false", *(NAMES[key] for key in MEASURES)]
    more = len(order) - len(rows)
    left = (
        tag("p", f"{more:,} more relations stand in metrics.csv of the run folder.", class_="muted") if more else None
    )
    return join([table("The model in each relation, percent", header, rows), left])


def _cell(value: float | None, best: float | None) -> Markup | str:
    if not _is_number(value):
        return "-"
    assert value is not None
    text = f"{100 * value:.2f}"
    return tag("strong", text) if value == best else text


def _is_number(value: float | None) -> bool:
    return value is not None and not math.isnan(value)
