"""`Facts`: what the sections of the page are made of, whichever way a run came into memory."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from relwise.bundle import MANIFEST, Run, read_run
from relwise.data.graph import Graph
from relwise.settings import Settings


@dataclass(frozen=True, eq=False)
class Facts:
    """A run, and what its folder says beside it.

    Args:
        name: what people call the run: its folder's name.
        run: the run.
        version: the relwise that made it.
    """

    name: str
    run: Run
    version: str

    @property
    def graph(self) -> Graph:
        return self.run.graph

    @property
    def settings(self) -> Settings:
        return self.run.settings

    @property
    def metrics(self) -> Mapping[str, Any]:
        return self.run.metrics

    @property
    def training(self) -> Mapping[str, Any]:
        return self.run.training


def read_facts(folder: str | Path) -> Facts:
    """The facts of a run folder. Raises InputError where it is none, or damaged."""
    folder = Path(folder)
    run = read_run(folder)
    manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    return Facts(folder.resolve().name, run, str(manifest.get("relwise", "unknown")))
