"""`relwise report RUN`: the model page as one HTML file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from relwise.show import say


def report(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="the run folder")],
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="the HTML file to write; report.html in RUN where left out")
    ] = None,
) -> None:
    """Write what there is to know of a run as one HTML page: measures, charts, findings, what not to use it for.

    The page needs nothing else, no network either: send it to a colleague.

    Example: relwise report my-run --out my-run.html
    """
    from relwise.report import write_report

    say(f"written to {write_report(run, out)}")
