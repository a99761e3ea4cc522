"""Tables on a terminal: measures, and whatever else is shown in rows."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table

from relwise.card import MEASURES, measure_rows


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


def print_measures(metrics: Mapping[str, Any]) -> None:
    """`RelationshipPredictor.metrics` as a table in percent; leaking edges apart, where there are any."""
    table = folded_table(f"{metrics['split']}, percent", "edges", *MEASURES)
    sections, counts = {"all": metrics}, metrics["leakage"]["counts"]
    if counts["same"] or counts["reversed"]:
        sections["not reversed"] = metrics["without_reversed"]
    if counts["leaked"]:
        sections["not leaked"] = metrics["without_leaked"]
    for edges, values in sections.items():
        for name, *cells in measure_rows(values):
            table.add_row(name, edges, *cells)
        table.add_section()
    console().print(table)
    if len(sections) > 1:
        print("not reversed: without edges that stand in train turned round; not leaked: nor under another relation.")
    print("F1: the network's at 0.5; a baseline's, whose score is no probability, at its best threshold on validation.")
