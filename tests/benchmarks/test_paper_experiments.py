"""Table 3, figures 2 and 3, the look-up models: each runs in small on a fake graph, and goes on where it stopped."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import false_negatives
import figure2
import figure3
import lookup
import paper
import table3
import table3_search
import trials
from record import read_rows, write_rows
from relwise.data.graph import Graph
from relwise.data.split import Split, split_graph
from tests.fakes import small_graph

SMALL = {"dim": 8, "steps": 6, "warmup": 2, "pool": 3}


@pytest.fixture(scope="module")
def data() -> tuple[Graph, Split]:
    graph = small_graph()
    return graph, split_graph(graph)


@pytest.fixture
def results(tmp_path: Path, data: tuple[Graph, Split], monkeypatch: pytest.MonkeyPatch) -> Path:
    for module in (table3, table3_search, figure2, figure3, lookup):
        monkeypatch.setattr(module, "CSV", tmp_path / f"{module.__name__}.csv")
        monkeypatch.setattr(module, "ROOT", tmp_path, raising=False)
    (tmp_path / "docs").mkdir()
    monkeypatch.setattr(lookup, "CURVE", tmp_path / "curve.csv")
    monkeypatch.setattr(trials, "load", lambda name: data)
    for name in trials.OPTIONS:
        monkeypatch.setitem(trials.OPTIONS, name, SMALL)
    monkeypatch.setattr(trials, "RANKS", {"select": "mrr", "eval_every": 3})
    return tmp_path


def _no_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trials, "load", lambda name: pytest.fail("the data are read though every row stands"))


def test_table3(results: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    asked = ["run", "--data", "amazon", "--seeds", "2"]
    assert table3.main(asked) == 0
    rows = read_rows(results / "table3.csv")
    assert [(row["sampler"], row["seed"]) for row in rows] == [(s, seed) for seed in "01" for s in table3.SAMPLERS]
    for row in rows:
        assert 0 < float(row["mrr_joint"]) <= float(row["mrr"]) <= 1
        own = json.loads(row["settings"])
        name, _, pool = row["sampler"].partition("-")
        assert own["sampler"] == name
        assert own["pool"] == int(pool or 3)
    printed = capsys.readouterr().out
    assert "| asa-500 |" in printed
    assert "MRR, joint: asa-" in printed
    _no_reading(monkeypatch)
    assert table3.main(asked) == 0
    assert read_rows(results / "table3.csv") == rows


def test_table3_compares_the_pools_that_validation_chose(results: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def row(sampler: str, seed: int, mrr: float, valid: float) -> dict[str, str]:
        values = {**dict.fromkeys(("hits@1", "hits@10", "hits@30", "ap", "hardness"), 0.5), "mrr": mrr}
        values |= {f"{name}_joint": value for name, value in values.items()}
        rest = {"data": "amazon", "sampler": sampler, "seed": seed, "valid_mrr": valid, "false_negatives": 1}
        return trials.texts({**rest, **values, "two_core_seconds": 3})

    rows = [row("random", s, 0.2 + s / 10, 0.1) for s in (0, 1)]
    rows += [row("asa-10", s, 0.25 + s / 10, 0.3) for s in (0, 1)]
    rows += [row("asa-100", s, 0.9, 0.2) for s in (0, 1)]  # better of test, worse of validation
    write_rows(results / "table3.csv", rows)
    assert table3.main(["show"]) == 0
    printed = capsys.readouterr().out
    assert "MRR, joint: asa-10 less random, seed by seed: 5.00 ± 0.00 (ahead)." in printed
    assert "Not run yet: nscaching-10" in printed


def test_table3_takes_the_best_of_a_search_by_validation(
    results: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    tries = [{"sampler": "nscaching", "pool": pool, "warmup": 0} for pool in (2, 3)]
    monkeypatch.setattr(table3_search, "TRIED", {"nscaching": tries})
    monkeypatch.setattr(table3, "SAMPLERS", {"random": {"sampler": "random"}})
    assert table3_search.best("amazon") == {}
    assert table3.main(["search", "--data", "amazon"]) == 0
    first, second = read_rows(results / "table3_search.csv")
    assert not any(name.startswith("mrr") for name in first)  # nothing of the test edges
    better = tries[float(second["valid_mrr"]) > float(first["valid_mrr"])]
    assert table3_search.best("amazon") == {"nscaching, best found": better}
    assert "| nscaching | 3 | 0 |" in capsys.readouterr().out
    assert table3.main(["run", "--data", "amazon", "--seeds", "1"]) == 0
    rows = read_rows(results / "table3.csv")
    assert [row["sampler"] for row in rows] == ["random", "nscaching, best found"]
    assert json.loads(rows[1]["settings"])["pool"] == better["pool"]
    _no_reading(monkeypatch)
    assert table3.main(["search", "--data", "amazon"]) == 0


def test_figure2(results: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("matplotlib")
    monkeypatch.setattr(figure2, "MU", (0.0, 0.2))
    assert figure2.main(["run", "--seeds", "1"]) == 0
    rows = read_rows(results / "figure2.csv")
    assert [(row["mu_decay"], row["mu"]) for row in rows] == [
        ("constant", "0.0"), ("constant", "0.2"), ("linear", "0.2"), ("exponential", "0.2"),
    ]  # fmt: skip
    assert json.loads(rows[2]["settings"])["mu_decay"] == "linear"
    assert "| all alike | 0.0 |" in capsys.readouterr().out
    assert figure2.main(["picture"]) == 0
    assert (results / "docs" / "figure2.png").stat().st_size > 1000
    _no_reading(monkeypatch)
    assert figure2.main(["run", "--seeds", "1"]) == 0


def test_figure3_counts_every_node_that_can_choose(
    results: Path, data: tuple[Graph, Split], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("matplotlib")
    assert figure3.main(["run"]) == 0
    rows = read_rows(results / "figure3.csv")
    assert [(row["data"], row["layer"]) for row in rows] == [(name, layer) for name in figure3.DATA for layer in "12"]
    middles = (figure3.BINS[1:] + figure3.BINS[:-1]) / 2
    for row in rows:
        for counts, mean in ((row["counts"], row["entropy"]), (row["uniform_counts"], row["uniform"])):
            counted = np.array(json.loads(counts))
            assert counted.sum() == int(row["nodes"]) > 10
            assert np.average(middles, weights=counted) == pytest.approx(float(mean), abs=0.13)  # half a bin
        assert float(row["entropy"]) <= float(row["uniform"])
    assert "| amazon | 2 |" in capsys.readouterr().out
    assert figure3.main(["picture"]) == 0
    assert (results / "docs" / "figure3.png").stat().st_size > 1000
    _no_reading(monkeypatch)
    assert figure3.main(["run"]) == 0


@pytest.mark.parametrize("reciprocal", [{}, {"reciprocal": 0.1}])
def test_lookup(
    results: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], reciprocal: dict[str, float]
) -> None:
    pytest.importorskip("matplotlib")
    small = {"dim": 16, "share": 0.5, "pool": 4, "learning_rate": 0.05, "steps": 100, **reciprocal}
    monkeypatch.setitem(lookup.SETTINGS, ("wn18rr", "complex"), small)
    asked = ["run", "wn18rr", "--decoder", "complex"]
    assert lookup.main(asked) == 0
    (row,) = read_rows(results / "lookup.csv")
    assert int(row["steps"]) == 100
    assert json.loads(row["settings"]).get("reciprocal") == reciprocal.get("reciprocal")
    curve = read_rows(results / "curve.csv")
    assert len(curve) == lookup.VALIDATIONS
    assert float(curve[-1]["loss"]) < float(curve[0]["loss"])
    assert max(float(point["mrr"]) for point in curve) == float(row["valid_mrr"])
    seconds = [float(point["seconds"]) for point in curve]
    assert seconds == sorted(seconds)
    assert float(row["auc"]) > 0.6
    printed = capsys.readouterr().out
    assert "| wn18rr | complex |" in printed
    assert "Not run yet: fb15k237 distmult" in printed
    assert lookup.main(["picture"]) == 0
    _no_reading(monkeypatch)
    assert lookup.main(asked) == 0


def test_lookup_ends_with_its_time_and_tunes_without_a_trace(results: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["tune", "wn18rr", "--decoder", "distmult", "--minutes", "0", "--set", "dim=4"]
    asked += ["--set", "reciprocal=none"]
    assert lookup.main(asked) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "1 steps"
    assert read_rows(results / "lookup.csv") == []


def test_paper_passes_the_experiments_on(
    results: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(false_negatives, "CSV", results / "false_negatives.csv")
    for name, told in {
        "table3": "Table 3: no row stands", "figure2": "Figure 2: no row stands", "figure3": "Figure 3: no row stands",
        "false_negatives": "Negatives drawn after the warm-up", "lookup": "DistMult and ComplEx alone",
    }.items():  # fmt: skip
        assert paper.main([name, "show"]) == 0
        assert told in capsys.readouterr().out
    assert paper.main(["table3", "show", "--data", "amazn"]) == 2
