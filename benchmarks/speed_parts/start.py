"""How long until something happens: importing, and the first training step with and without compiled kernels."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from typing import Any

from speed_parts.measure import seconds_of

IMPORTS = {
    "python alone": "pass",
    "import relwise": "import relwise",
    "import relwise.RelationshipPredictor": "import relwise; relwise.RelationshipPredictor",
}


def measure(spec: dict[str, Any]) -> list[dict[str, Any]]:
    """Rows of imports in fresh processes, and (unless the graph is tiny) of first steps, cold and cached."""
    rows = []
    for name, code in IMPORTS.items():
        times = 1 if "Predictor" in name and spec["graph"] == "tiny" else 4
        samples = [
            seconds_of(lambda code=code: subprocess.run([sys.executable, "-c", code], check=True)) for _ in range(times)
        ]
        rows.append({"operation": name, "samples": samples[-3:]})
    if spec["graph"] == "tiny":
        return rows
    with tempfile.TemporaryDirectory() as folder:
        for name in ("kernels compiled", "kernels cached", "kernels cached"):
            found = _first({**spec, "part": "first"}, {"NUMBA_CACHE_DIR": folder})
            rows += [{"operation": f"{what}, {name}", "samples": [s]} for what, s in found.items()]
    return _together(rows)


def first(spec: dict[str, Any]) -> list[dict[str, Any]]:
    """In a process of its own: the trainer's making, its first step, and a later one."""
    from relwise.settings import Settings
    from relwise.train.loop import Trainer
    from speed_parts.graphs import training_data

    graph, split = training_data(spec["graph"])
    began = time.perf_counter()
    trainer = Trainer(graph, split, Settings.of({"dim": spec["dim"], "warmup": 0}), 0)
    made = time.perf_counter() - began
    steps = [seconds_of(trainer.step) for _ in range(4)]
    return [{"preparing the graph": made, "first step": steps[0], "fourth step": steps[3]}]


def _first(spec: dict[str, Any], environment: dict[str, str]) -> dict[str, float]:
    from speed_parts.processes import COMMAND

    command = [sys.executable, str(COMMAND), "one", json.dumps(spec)]
    done = subprocess.run(command, env=os.environ | environment, capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])[0]


def _together(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    merged: dict[str, list[float]] = {}
    for row in rows:
        merged.setdefault(row["operation"], []).extend(row["samples"])
    return [{"operation": name, "samples": samples} for name, samples in merged.items()]
