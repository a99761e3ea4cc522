"""The small form, for CI: every part on tiny graphs, in one process; asserts what must agree, and never a time."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from record import machine
from speed_parts import cases, layer, step
from speed_parts.peers import LEAN
from speed_parts.processes import OUT_OF_MEMORY, Rows, Spec, in_process, in_turn

LIMIT = 1.2e9  # bytes: enough to start in, too little for the lean peer's million edges


def run_small(
    parts: list[str], device: str, measure: Callable[[Spec], Rows], as_row: Callable[..., dict[str, str]]
) -> list[dict[str, str]]:
    """Measure each part's small form and assert what it must show.

    Raises:
        AssertionError: where results differ, or a figure is none.
    """
    about = machine() | {"threads": str(torch.get_num_threads())}
    rows: list[dict[str, str]] = []
    with tempfile.TemporaryDirectory() as folder:
        for part in parts:
            for group in [] if part == "show" else cases.small(part):
                group = [{**spec, "device": device, "folder": folder} for spec in group]
                for spec, found in in_turn(group, measure):
                    assert found, spec
                    for row in found:
                        _check(spec, row)
                        rows.append(as_row(spec, row, about))
    if "layer" in parts:
        layers_agree()
        if device == "cpu":
            processes_work()
    if "step" in parts:
        difference = step.same_states(cases.case("step", "tiny", dim=16))
        print(f"the peers' network and ours, as they begin: states differ by {difference:.1e}")
        assert difference < 1e-5
    return rows


def layers_agree() -> None:
    """Our layer and the lean one: the same states and gradients from the same weights."""
    for dtype, bound in ((torch.float64, 1e-12), (torch.float32, 1e-5)):
        for graph in ("tiny", "power-law-20k"):
            found = layer.differences(dtype, graph)
            worst = max(found, key=lambda name: found[name])
            print(f"ours and the lean peer, {graph}, {dtype}: at most {found[worst]:.1e} apart ({worst})")
            assert found[worst] < bound, found


def processes_work() -> None:
    """A process gives its row; one without the memory it needs, one that says so."""
    spec = cases.case("layer", "tiny", dim=16, huge=False, seconds=0.05)
    rows = in_process(spec, 20e9, 1)
    assert rows[0]["samples"], rows
    spec = cases.case("layer", "power-law-1M", LEAN, dim=64, seconds=0.05)
    assert in_process(spec, LIMIT, 1) == [{"status": OUT_OF_MEMORY}]


def write_triples(folder: Path) -> Path:
    """Random triples in three parts, as the ranking's comparison reads them."""
    rng = np.random.default_rng(0)
    triples = np.unique(rng.integers(0, [70, 3, 70], (3000, 3)), axis=0)
    for part, rows in zip(("train", "valid", "test"), np.split(rng.permutation(triples), [1800, 2200]), strict=True):
        lines = "".join(f"e{h}\tr{r}\te{t}\n" for h, r, t in rows)
        (folder / f"{part}.txt").write_text(lines, encoding="utf-8")
    return folder


def _check(spec: Spec, row: dict[str, Any]) -> None:
    assert row["status"] == "ok", (spec, row)
    for name in ("median_s", "fastest_s", "slowest_s"):
        assert 0 < row[name] < math.inf, (spec, row)
    assert row["fastest_s"] <= row["median_s"] <= row["slowest_s"], row
    if "floor_s" in row:
        assert 0 < row["floor_s"] < math.inf, row
    if spec["part"] == "epoch":
        assert math.isfinite(row["detail"]["last_loss"]), row
