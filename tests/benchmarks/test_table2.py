"""Table 2 in small: every method gives a row, what stands is not done again, tables and choices are written."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import table2
import table2_data
import table2_methods
import table2_show
import table2_tune
from record import read_rows, write_rows
from relwise.data.graph import Graph
from relwise.data.split import split_graph
from relwise.errors import InputError
from relwise.evaluate.metrics import average_precision
from table2_methods import METHODS, Among, Even, options
from table2_train import fit
from tests.fakes import small_graph

PAIRS, SAME = 60, 6  # nodes; those of one camp are equal modulo SAME


def _write_folder(folder: Path, parts: tuple[str, ...] = ("train", "valid", "test")) -> None:
    """60 nodes in camps; two relations tie those of one camp; as many labelled non-edges."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    every = [(i, j) for i in range(PAIRS) for j in range(i + 1, PAIRS)]
    rng.shuffle(every)
    near = [(1 + k % 2, *pair) for k, pair in enumerate(p for p in every if (p[0] - p[1]) % SAME == 0)]
    far = [(1 + k % 2, *pair) for k, pair in enumerate(p for p in every if (p[0] - p[1]) % SAME)]
    first = {"train": near[120:], "valid": near[:40], "test": near[40:120]}
    others = {"valid": far[:40], "test": far[40:120]}
    for part in parts:
        label = "" if part == "train" else " 1"
        lines = [f"{r} {i} {j}{label}" for r, i, j in first[part]]
        lines += [f"{r} {i} {j} 0" for r, i, j in others.get(part, [])]
        (folder / f"{part}.txt").write_text("\n".join(lines) + "\n")


@pytest.fixture
def results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The fake data sets, results of their own, and trainings of a moment."""
    _write_folder(tmp_path / "data" / "amazon")
    _write_folder(tmp_path / "data" / "youtube_partial", ("valid", "test"))
    monkeypatch.setenv("RELWISE_DATA", str(tmp_path / "data"))
    monkeypatch.setattr(table2, "CSV", tmp_path / "table2.csv")
    monkeypatch.setattr(table2, "QUICK_CSV", tmp_path / "quick.csv")
    monkeypatch.setattr(table2_tune, "CHOSEN", tmp_path / "chosen.json")
    monkeypatch.setattr(table2_methods, "QUICK_STEPS", {"encoder": 5, "lookup": 5})
    monkeypatch.setattr(table2_methods, "QUICK_SECONDS", 1.0)  # of walks
    monkeypatch.setattr(table2, "QUICK_SECONDS", 600.0)  # steps end it, not time
    return tmp_path


# -- every method ------------------------------------------------------------------------------------------


def test_every_method_gives_a_row(results: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("torch_geometric")
    assert table2.main(["run", "--quick", "--data", "amazon"]) == 0
    rows = {row["method"]: row for row in read_rows(results / "quick.csv")}
    assert list(rows) == list(METHODS)
    for name, row in rows.items():
        for key in ("auc", "ap", "f1", "without_reversed_auc", "valid_ap"):
            assert 0 <= float(row[key]) <= 1, (name, key)
        assert row["seed"] == "0"
        assert row["command"].endswith(f"--methods {name} --quick")
        assert "torch-" in row["versions"]
        own = json.loads(row["settings"])
        if METHODS[name].kind in ("encoder", "lookup"):
            assert int(row["steps"]) == own["steps"] == 5
            assert own["sampler"] == (name.partition("+")[2] or {"conve": "self_adversarial"}.get(name, "random"))
    # Camps can be counted: what is measured is the test edges, the right way round.
    assert float(rows["adamic_adar"]["auc"]) > 0.9
    printed = capsys.readouterr().out
    assert "| relgnn+asa |" in printed
    assert "98.84 | 98.55 | 95.17" in printed  # the paper's, beside ours
    assert "Not run yet" not in printed
    assert "Not tuned, the defaults: distmult" in printed


def test_more_steps_learn_what_camps_there_are(results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table2_methods, "QUICK_STEPS", {"encoder": 60, "lookup": 60})
    assert table2.main(["run", "--quick", "--data", "amazon", "--methods", "rgcn+asa,relgnn"]) == 0
    for row in read_rows(results / "quick.csv"):
        assert float(row["auc"]) > 0.75, row["method"]


def test_time_ends_a_run_in_good_order(results: Path) -> None:
    case = table2_data.amazon()
    told: list[tuple[int, float]] = []
    fitted = fit(case, METHODS["distmult"], {"encoder": "lookup", "dim": 4}, 0, 0.0, lambda *found: told.append(found))
    assert fitted.steps == 1
    assert told == [(1, fitted.valid_ap)]
    assert fitted.valid_ap == average_precision(case.split.valid.labels, fitted.score(case.split.valid.edges))


# -- going on ----------------------------------------------------------------------------------------------


def test_what_stands_is_not_run_again(results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = ["run", "--data", "amazon", "--methods", "path3,degree_product", "--seeds", "2"]
    table2.main(asked)
    rows = read_rows(results / "table2.csv")
    assert [(row["method"], row["seed"]) for row in rows] == [("path3", "0"), ("degree_product", "0")]
    write_rows(results / "table2.csv", [{**row, "seconds": "-1"} for row in rows[:1]])
    table2.main(asked)
    after = read_rows(results / "table2.csv")
    assert [row["method"] for row in after] == ["path3", "degree_product"]
    assert after[0]["seconds"] == "-1"
    assert {key: after[1][key] for key in ("auc", "ap", "f1")} == {key: rows[1][key] for key in ("auc", "ap", "f1")}
    table2.main([*asked, "--again"])
    assert {row["method"]: row["seconds"] for row in read_rows(results / "table2.csv")}["path3"] != "-1"
    # With all rows there, the data are not even read.
    monkeypatch.setenv("RELWISE_DATA", str(results / "nowhere"))
    assert table2.main(asked) == 0


def test_a_row_of_the_defaults_is_told_from_a_tuned_one(results: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["run", "--quick", "--data", "amazon", "--methods", "distmult,distmult+asa,path3"]
    table2.main(asked)
    assert "Not tuned, the defaults: distmult, distmult+asa." in capsys.readouterr().out
    chosen = {"distmult": {"settings": {"dim": 8}}, "distmult+asa": {"settings": {"mu": 0.2, "pool": 3}}}
    (results / "chosen.json").write_text(json.dumps({"amazon": chosen}))
    table2.main(asked)
    told = capsys.readouterr().err
    assert "amazon distmult+asa stands, and is not tuned: run it --again" in told
    table2.main([*asked, "--again"])
    assert "Every method was tuned." in capsys.readouterr().out
    rows = {row["method"]: json.loads(row["settings"]) for row in read_rows(results / "quick.csv")}
    assert (rows["distmult+asa"]["dim"], rows["distmult+asa"]["mu"], rows["distmult+asa"]["pool"]) == (8, 0.2, 3)


def test_the_seed_changes_training_alone(results: Path) -> None:
    tiny = {"amazon": {"distmult": {"settings": {"dim": 8, "steps": 4}}}}
    (results / "chosen.json").write_text(json.dumps(tiny))
    table2.main(["run", "--data", "amazon", "--methods", "distmult", "--seeds", "2"])
    first, second = read_rows(results / "table2.csv")
    assert (first["seed"], second["seed"]) == ("0", "1")
    assert first["auc"] != second["auc"]
    assert json.loads(first["settings"])["dim"] == 8
    assert int(first["steps"]) == 4
    one, two = (table2_data.amazon().split.test.edges for _ in range(2))
    assert np.array_equal(one.heads, two.heads)


# -- tuning ------------------------------------------------------------------------------------------------


def test_a_second_of_tuning_writes_a_choice(results: Path) -> None:
    pytest.importorskip("optuna")
    case = table2_data.amazon()
    assert table2_tune.tune(case, METHODS["distmult+asa"], 1.0)
    found = table2_tune.read_chosen(results / "chosen.json")["amazon"]
    assert set(found) == {"distmult", "distmult+asa"}  # what is shared came first
    for name, share in (("distmult", 0.7), ("distmult+asa", 0.3)):
        assert found[name]["trials"] >= 1
        assert found[name]["budget"] == share
        assert 0 < found[name]["valid_ap"] <= 1
        assert found[name]["seconds"] < 10
        assert set(found[name]["settings"]) == set(METHODS[name].tuned)
    assert set(found["distmult+asa"]["settings"]) == {"mu", "pool", "warmup"}
    # It stands: nothing more to do; and runs go by it. What is shared chosen anew, the variant's no longer stands.
    assert not table2_tune.tune(case, METHODS["distmult+asa"], 1.0)
    chosen = table2_tune.settings_of(table2_tune.read_chosen(), "amazon")
    own = options(METHODS["distmult+asa"], case, chosen)
    shared = options(METHODS["distmult"], case, chosen)
    assert own["mu"] == found["distmult+asa"]["settings"]["mu"]
    different = {key for key in own if own[key] != shared.get(key)}
    assert different == {"mu", "pool", "sampler", "warmup"}
    assert table2_tune.tune(case, METHODS["distmult"], 0.1, again=True)
    assert set(table2_tune.read_chosen()["amazon"]) == {"distmult"}


def test_walks_are_tuned_too(results: Path) -> None:
    pytest.importorskip("optuna")
    pytest.importorskip("torch_geometric")
    table2_tune.tune(table2_data.amazon(), METHODS["metapath2vec"], 1.0)
    found = table2_tune.read_chosen()["amazon"]["metapath2vec"]
    assert found["budget"] == 1.0
    assert set(found["settings"]) == {"dim", "context", "seconds"}


def test_nothing_of_test_is_looked_at_in_tuning(results: Path) -> None:
    pytest.importorskip("optuna")
    case = table2_data.amazon()
    # Test edges and their labels gone, the same can still be tuned.
    blind = replace(case, split=replace(case.split, test=replace(case.split.valid)), subsets={})
    found = table2_tune.search(blind, METHODS["distmult"], {}, 0.2)
    assert found["valid_ap"] > 0


# -- data sets ---------------------------------------------------------------------------------------------


def test_youtube_is_split_anew(results: Path) -> None:
    graph = table2_data.split_anew(results / "data" / "youtube_partial")
    split = split_graph(graph)
    total = len(graph.edges)
    assert total == 120
    assert len(split.valid.positives) == pytest.approx(0.05 * total, abs=1)
    assert len(split.test.positives) == pytest.approx(0.10 * total, abs=1)
    given = set()
    for part in ("valid", "test"):
        for line in (results / "data" / "youtube_partial" / f"{part}.txt").read_text().splitlines():
            r, i, j, label = line.split()
            given |= {(i, r, j)} if label == "0" else set()
    drawn = []
    for part in (split.valid, split.test):
        false = part.edges[~part.labels]
        assert np.bincount(false.relations).tolist() == np.bincount(part.positives.relations).tolist()
        drawn += [
            (graph.node_id(h), graph.relation_names[r], graph.node_id(t))
            for h, r, t in zip(false.heads, false.relations, false.tails, strict=True)
        ]
    assert len(drawn) == len(set(drawn))
    assert set(drawn) <= given
    again = table2_data.split_anew(results / "data" / "youtube_partial")
    assert graph.parts is not None
    assert again.parts is not None
    assert np.array_equal(graph.parts, again.parts)
    assert not graph.directed.any()


def test_a_bad_line_and_a_missing_file(tmp_path: Path) -> None:
    (tmp_path / "valid.txt").write_text("1 2 3 yes\n")
    (tmp_path / "test.txt").write_text("1 2 3 1\n")
    with pytest.raises(InputError, match="a line is not: relation head tail label"):
        table2_data.split_anew(tmp_path)
    (tmp_path / "valid.txt").unlink()
    with pytest.raises(InputError, match="there is no such file"):
        table2_data.split_anew(tmp_path)


@pytest.fixture
def by_time(monkeypatch: pytest.MonkeyPatch) -> Graph:
    from relwise.data.graph import SplitRule

    graph = small_graph(split=SplitRule("time", "2020-07-01", "2020-09-01"))
    monkeypatch.setattr(table2_data, "company_graph", lambda: graph)
    return graph


def test_canada_is_asked_by_time(results: Path, by_time: Graph) -> None:
    case = table2_data.canada()
    assert (case.subsets["seen"] ^ case.subsets["unseen"]).all()
    assert case.split.supervision.times is not None
    assert np.nanmax(case.split.supervision.times.astype("datetime64[D]")) < np.datetime64("2020-07-01")
    assert any(node_type.attributes for node_type in case.graph.node_types)
    assert not any(node_type.attributes for node_type in case.plain.node_types)
    assert table2.main(["run", "--quick", "--data", "canada_procurement", "--methods", "distmult,rgcn+asa"]) == 0
    for row in read_rows(results / "quick.csv"):
        assert math.isfinite(float(row["auc"]))
        assert math.isfinite(float(row["seen_ap"]))
        assert (json.loads(row["settings"]).get("mask") == "time") == (row["method"] != "distmult")


# -- tables and mistakes -----------------------------------------------------------------------------------


def test_tables_show_what_stands(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    same = {"without_reversed_auc": "0.5", "without_reversed_ap": "0.5", "without_reversed_f1": "0.5"}
    rest = {**same, "valid_ap": "0.9", "tuned": "True", "train_seconds": "3", "steps": "7", "settings": '{"dim": 32}'}
    write_rows(
        tmp_path / "rows.csv",
        [
            {"data": "amazon", "method": "han", "seed": str(seed), "auc": auc, "ap": "0.97", "f1": "0.7", **rest}
            for seed, auc in ((0, "0.90"), (1, "0.94"))
        ],
    )
    table2_show.show(tmp_path / "rows.csv")
    printed = capsys.readouterr().out
    cells = next(line for line in printed.splitlines() if line.startswith("| han |"))
    assert cells.startswith("| han | 92.00 ± 2.83 | 97.00 ± 0.00 | 70.00 ± 0.00 | 50.00 ± 0.00 |")
    assert cells.endswith("| 87.57 | 88.15 | 77.35 | 90.00 ± 0.00 | 32 | 7 | 2 | 3 |")
    assert "Below the paper's figure: han F1 70.00 < 77.35." in printed
    assert "Every method was tuned." in printed
    assert "Not run yet: distmult, distmult+asa" in printed
    table2_show.show(tmp_path / "none.csv")
    assert "no row stands in none.csv yet" in capsys.readouterr().out


def test_the_paper_s_figures_are_of_methods_there_are() -> None:
    for figures in table2_show.PAPER.values():
        assert set(figures) < set(METHODS)
        assert len(figures) == 11


@pytest.mark.parametrize("method", [m for m in METHODS.values() if m.kind in ("encoder", "lookup")], ids=str)
def test_every_corner_of_the_spaces_is_a_setting(method: table2_methods.Method) -> None:
    from relwise.settings import Settings

    graph = small_graph()
    case = table2_data.Case("fake", graph, graph, split_graph(graph), {}, {"dim": 64}, {"dim": 64})
    for at in (0, -1):
        corner = {
            name: kind.values[at] if isinstance(kind, Among) else (kind.low, kind.high)[at]
            for name, kind in {**method.space, **method.tuned}.items()
        }
        found = Settings.of(options(method, case, {method.family: corner, method.name: corner}))
        assert all(getattr(found, name) == value for name, value in corner.items())
    assert all(kind.low < kind.high for kind in method.tuned.values() if isinstance(kind, Even))


def test_a_wrong_name_is_one_line(results: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert table2.main(["run", "--methods", "relgn"]) == 2
    assert "there is no method 'relgn'; did you mean 'relgnn'" in capsys.readouterr().err
    assert table2.main(["run", "--data", "amazn"]) == 2
    assert "there is no data set 'amazn'; did you mean 'amazon'?" in capsys.readouterr().err
