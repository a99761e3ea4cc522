"""`relwise audit DATA`: what would make measures promise too much, told before any training."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from relwise.commands.options import SchemaOption
from relwise.show import print_audit, print_json, say


def audit(
    data: Annotated[Path, typer.Argument(metavar="DATA", help="the folder of the data")],
    seed: Annotated[int, typer.Option(min=0, help="of the split and of what is sampled")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON object and nothing else")] = False,
    schema: SchemaOption = None,
) -> None:
    """Tell what of DATA and its split would make measures promise too much, and what to do; `train` does it too."""
    from relwise.data.audit import audit as look
    from relwise.data.read import read
    from relwise.data.split import split_graph

    graph = read(data, schema=schema)
    found = look(graph, split_graph(graph, seed), seed, say=say)
    if as_json:
        print_json(found.to_json())
        return
    print_audit(found)
