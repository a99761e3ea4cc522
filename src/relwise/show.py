"""What is shown on a terminal: measures and whatever else stands in rows, JSON, and what is said beside it."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

from relwise.card import MEASURES, measure_rows

if TYPE_CHECKING:
    from relwise.data.audit import Audit
    from relwise.data.inspect import Proposal


def console() -> Console:
    """For tables: where stdout is no terminal nothing is cut to a terminal's width; ids are never read as markup."""
    width = None if sys.stdout.isatty() else 120
    return Console(width=width, markup=False, highlight=False, emoji=False)


def folded_table(*columns: str) -> Table:
    """A table whose cells are folded, never cut: an id with its end missing is no id."""
    table = Table()
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def print_json(value: Any) -> None:
    """One JSON value and nothing else."""
    print(json.dumps(value, ensure_ascii=False, allow_nan=False))


def say(text: str) -> None:
    """What is neither result nor error: on stderr, so that stdout can be piped."""
    print(text, file=sys.stderr, flush=True)


def print_measures(metrics: Mapping[str, Any]) -> None:
    """`RelationshipPredictor.metrics` as a table in percent; leaking and unseen edges apart, where there are any."""
    table = folded_table(f"{metrics['split']}, percent", "edges", *MEASURES)
    sections, counts = {"all": metrics}, metrics["leakage"]["counts"]
    if counts["same"] or counts["reversed"]:
        sections["not reversed"] = metrics["without_reversed"]
    if counts["leaked"]:
        sections["not leaked"] = metrics["without_leaked"]
    buckets = {name: metrics[name] for name in ("seen", "unseen") if name in metrics}
    sections |= {name: values for name, values in buckets.items() if values["counts"]["micro"]["positives"]}
    for edges, values in sections.items():
        for name, *cells in measure_rows(values):
            table.add_row(name, edges, *cells)
        table.add_section()
    console().print(table)
    if counts["leaked"]:
        print("not reversed: without edges that stand in train turned round; not leaked: nor under another relation.")
    if "unseen" in sections:
        print("unseen: an end of the edge has no training edge (by time: no dated one); seen: both have.")
    print("F1: of probabilities at 0.5; a baseline's, whose score is none, at its best threshold on validation.")
    found = metrics.get("calibration", {})
    if found.get("fitted"):
        ece, brier = ([found[name][key] or 0 for name in ("final", "network")] for key in ("ece", "brier"))
        print(
            f"calibration error (ECE) {ece[0]:.4f}, of the network alone {ece[1]:.4f}; Brier score {brier[0]:.4f}, "
            f"{brier[1]:.4f}; probabilities assume that {100 * found['prior']:.3g} % of the pairs asked about hold"
        )


def print_audit(found: Audit) -> None:
    """What an audit found as a table; then what would mend it all, and what was not examined."""
    if found.findings:
        table = folded_table("severity", "what", "remedy")
        for finding in found.findings:
            table.add_row(finding.severity, finding.sentence, finding.remedy)
            table.add_section()
        console().print(table)
    else:
        print("nothing found")
    if split := found.one_split():
        print(f"one split for all of these: {split}")
    for text in found.unexamined:
        print(f"not examined: {text}")


def print_proposal(proposal: Proposal) -> None:
    """A proposed schema as tables: node types, relations, every column, and what is not used and why."""
    types = folded_table("node type", "table", "rows", "key", "name")
    for node in proposal.nodes:
        types.add_row(node.name, node.table or "-", f"{node.rows:,}", ", ".join(node.key) or "-", node.label or "-")
    relations = folded_table("relation", "head", "tail", "edges", "by", "values in the key", "time")
    for key, relation in proposal.relations.items():
        ends = [end for end in (relation.head, relation.tail) if end.how != "key"]
        how = "\n".join(f"{', '.join(end.columns)}: {end.how}" for end in ends)
        shares = "\n".join("-" if end.how == "alone" else f"{100 * end.share:.4g} %" for end in ends)
        time = relation.time.column if relation.time else "-"
        relations.add_row(key, relation.head.type, relation.tail.type, f"{relation.edges:,}", how, shares, time)
    columns = folded_table("table", "column", "is", "examples", "missing")
    for i, one in enumerate(proposal.columns):
        if i and one.table != proposal.columns[i - 1].table:
            columns.add_section()
        columns.add_row(one.table, one.column, one.use, "; ".join(one.examples), f"{100 * one.missing:.3g} %")
    for table in (types, relations, columns):
        console().print(table)
    for name, reason in proposal.unused.items():
        print(f"not used: {name}: {reason}")
    for doubt in proposal.doubts:
        print(f"look at: {doubt}")
