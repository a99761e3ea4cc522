"""Options that several commands have."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

SchemaOption = Annotated[
    Path | None, typer.Option(metavar="FILE", help="the schema of DATA's tables, where it lies elsewhere")
]
