"""All settings, and what it was computed with: what somebody needs to make the run again."""

from __future__ import annotations

from markupsafe import Markup

from relwise.report.facts import Facts
from relwise.report.markup import join, table


def settings(facts: Facts) -> Markup:
    """Two tables."""
    chosen = {"seed": facts.seed, **facts.settings.model_dump()}
    rows = [[key, "none" if value is None else str(value)] for key, value in chosen.items()]
    made = {"relwise": facts.version, **facts.training.get("computed_with", {})}
    return join(
        [
            table("What it was computed with", ["what", "value"], [[k, str(v)] for k, v in made.items()], text=2),
            table("All settings", ["key", "value"], rows, text=2),
        ]
    )
