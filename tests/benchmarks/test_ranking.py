"""The comparison with PyKEEN in a small form: equal ranks, on a graph of which most edges are known."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "benchmarks" / "speed_parts" / "ranking.py"


def test_ranks_are_pykeen_s(tmp_path: Path) -> None:
    pytest.importorskip("pykeen")
    spec = importlib.util.spec_from_file_location("speed_ranking", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)

    rng = np.random.default_rng(0)
    triples = np.unique(rng.integers(0, [70, 3, 70], (3000, 3)), axis=0)
    for part, rows in zip(("train", "valid", "test"), np.split(rng.permutation(triples), [1800, 2200]), strict=True):
        lines = "".join(f"e{h}\tr{r}\te{t}\n" for h, r, t in rows)
        (tmp_path / f"{part}.txt").write_text(lines, encoding="utf-8")
    rows = script.compare(tmp_path, dim=4, rounds=2)
    assert [row["who"].split()[0] for row in rows] == ["relwise", "PyKEEN"]
    assert all(0 < row["fastest"] <= row["seconds"] <= row["slowest"] for row in rows)
