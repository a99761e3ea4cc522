"""`Facts`: what the sections of the page are made of, whichever way a run came into memory."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from relwise.bundle import MANIFEST, read_run
from relwise.data.graph import Graph
from relwise.data.split import Split
from relwise.nn.network import Network
from relwise.settings import Settings


@dataclass(frozen=True, eq=False)
class Facts:
    """A run as a reader sees it.

    Args:
        name: what people call the run: its folder's name.
        version: the relwise that made it.
        graph, split, settings, seed, model: what was trained, on what and how.
        metrics: the measures on test as JSON holds them; `"micro"` is empty where nothing was left to test on.
        log: one row per validation.
        training: steps, seconds, sampler report.
    """

    name: str
    version: str
    graph: Graph
    split: Split
    settings: Settings
    seed: int
    model: Network
    metrics: Mapping[str, Any]
    log: list[dict[str, float]]
    training: Mapping[str, Any]


def read_facts(folder: str | Path) -> Facts:
    """The facts of a run folder. Raises InputError where it is none, or damaged."""
    folder = Path(folder)
    run = read_run(folder)
    manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    return Facts(
        name=folder.resolve().name,
        version=str(manifest.get("relwise", "unknown")),
        graph=run.graph,
        split=run.split,
        settings=run.settings,
        seed=run.seed,
        model=run.model,
        metrics=run.metrics,
        log=run.log,
        training=run.training,
    )
