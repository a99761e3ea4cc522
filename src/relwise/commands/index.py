"""`relwise index RUN`: an index for likely candidates of large node types."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from relwise.show import console, folded_table, print_json, say


def index(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="the run folder")],
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON object and nothing else")] = False,
) -> None:
    """Build an index of the run's large node types, kept in RUN, and tell how much it finds and how fast.

    `relwise predict RUN --approximate` asks it. Recall is the share of the 10 likeliest by scoring everything that it
    finds, over queries drawn from the known relationships.

    Example: relwise index my-run
    """
    from relwise.predictor import RelationshipPredictor

    model = RelationshipPredictor.load(run)
    built = model.build_index()
    folder = run / "index"
    built.save(folder, model.digest)
    measured = {name: asdict(one.measured) for name, one in built.types.items()}
    if as_json:
        print_json(measured)
        return
    if not measured:
        print("no node type is large enough for an index: scoring all candidates is as fast")
        return
    table = folded_table("node type", "nodes", "centres", "looked at", "recall@10", "ms a query", "ms scoring all")
    for name, one in measured.items():
        table.add_row(
            name, f"{one['nodes']:,}", str(one["centres"]), str(one["nprobe"]), f"{one['recall']:.3f}",
            f"{one['approximate_ms']:.2f}", f"{one['exact_ms']:.2f}",
        )  # fmt: skip
    console().print(table)
    slower = [name for name, one in measured.items() if one["approximate_ms"] > one["exact_ms"]]
    if slower:
        print(f"scoring all is faster for {', '.join(slower)}: leave --approximate out there")
    say(f"written to {folder}")
