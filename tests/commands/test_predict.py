"""`relwise predict`: each kind of question as the API answers it, to the terminal and to files; mistakes in a line."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from relwise.predictor import RelationshipPredictor
from tests.command import Ran, here
from tests.fakes import small_graph
from tests.predict.judged import judged
from tests.small_data import TINY


@pytest.fixture(scope="module")
def model() -> RelationshipPredictor:
    return judged(RelationshipPredictor(**TINY).fit(small_graph()))  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def run(model: RelationshipPredictor, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "run"
    model.save(folder)
    return folder


def answered(ran: Ran) -> list[dict]:
    assert (ran.code, ran.err) == (0, ""), ran
    return json.loads(ran.out)


def records(found: pd.DataFrame) -> list[dict]:
    assert len(found)
    return found.to_dict(orient="records")


def test_a_relation_alone_is_asked_over_all_its_pairs(run: Path, model: RelationshipPredictor) -> None:
    rows = answered(here("predict", run, "--relation", "knows", "--top", 4, "--json"))
    assert rows == records(model.predict_missing("knows", 4))


def test_two_ends_without_a_relation_ask_for_relations(run: Path, model: RelationshipPredictor) -> None:
    for known in ([], ["--known"]):
        rows = answered(here("predict", run, "--head", "pe1", "--tail", "co2", "--json", *known))
        assert rows == model.top_relations("pe1", "co2", known=bool(known)).to_dict(orient="records")
    assert {row["relation"] for row in rows} == {"works_at", "owns"}


def test_a_prior_and_a_condition_are_passed_on(run: Path, model: RelationshipPredictor) -> None:
    options = ["--prior", "0.01", "--where", "id like '%1'", "--json"]
    rows = answered(here("predict", run, "--relation", "works_at", "--head", "pe0", *options))
    assert rows == records(model.top_k("works_at", head="pe0", prior=0.01, where="id like '%1'"))
    assert {row["tail"] for row in rows} <= {"co1", "co11"}
    rows = answered(here("predict", run, "--relation", "works_at", *options))
    assert rows == records(model.predict_missing("works_at", prior=0.01, where="id like '%1'"))
    rows = answered(here("predict", run, "--head", "pe1", "--tail", "co2", "--known", "--prior", "0.01", "--json"))
    assert rows == records(model.top_relations("pe1", "co2", known=True, prior=0.01))


@pytest.mark.parametrize("ending", [".csv", ".parquet", ".pq", ".json"])
def test_a_list_goes_to_a_file(tmp_path: Path, run: Path, model: RelationshipPredictor, ending: str) -> None:
    out = tmp_path / f"list{ending}"
    ran = here("predict", run, "--relation", "knows", "--head", "pe1", "--out", out)
    assert (ran.code, ran.out, ran.err) == (0, "", f"10 relationships, written to {out}\n")
    expected = model.top_k("knows", head="pe1")
    if ending == ".json":
        assert json.loads(out.read_text(encoding="utf-8")) == records(expected)
    else:
        found = pd.read_csv(out, keep_default_na=False) if ending == ".csv" else pd.read_parquet(out)
        pd.testing.assert_frame_equal(found, expected)
    assert [path.name for path in tmp_path.iterdir()] == [out.name]


def test_people_are_shown_the_evidence_where_there_is_any(run: Path, model: RelationshipPredictor) -> None:
    evidence = model.top_k("knows", head="pe1", k=20)["evidence"]
    assert model.judgement.fitted
    assert any(evidence)
    shown = here("predict", run, "--relation", "knows", "--head", "pe1", "--top", 20).out
    assert "evidence" in shown
    assert next(text for text in evidence if text).split()[0] in shown
    assert "known" not in shown.splitlines()[1]
    assert "known" in here("predict", run, "--relation", "knows", "--head", "pe1", "--known").out.splitlines()[1]


def test_a_table_is_scored_under_a_prior(tmp_path: Path, run: Path, model: RelationshipPredictor) -> None:
    pairs = tmp_path / "pairs.csv"
    pairs.write_text("head,relation,tail,note\npe0,works_at,co1,a\npe2,knows,pe1,\n")
    out = tmp_path / "scored.json"
    ran = here("predict", run, "--pairs", pairs, "--out", out, "--prior", "0.001")
    assert (ran.code, ran.out) == (0, "")
    rows = json.loads(out.read_text())
    expected = model.predict_proba([("pe0", "works_at", "co1"), ("pe2", "knows", "pe1")], prior=0.001)
    np.testing.assert_array_equal([row["probability"] for row in rows], expected)
    assert [row["head"] for row in rows] == ["pe0", "pe2"]


def test_all_pairs_of_a_relation_go_to_parquet_and_a_finished_file_is_kept(
    tmp_path: Path, run: Path, model: RelationshipPredictor
) -> None:
    out = tmp_path / "all.parquet"
    options = ["--relation", "works_at", "--all", "--least", "0.2", "--prior", "0.3", "--where", "id like '%1'"]
    rows = model.write_missing("works_at", tmp_path / "other.parquet", least=0.2, prior=0.3, where="id like '%1'")
    assert rows > 0
    for resume in ([], ["--resume"]):
        ran = here("predict", run, *options, *resume, "--out", out)
        assert (ran.code, ran.out, ran.err) == (0, "", f"{rows:,} pairs, written to {out}\n")
        assert out.read_bytes() == (tmp_path / "other.parquet").read_bytes()
    half = here("predict", run, "--relation", "works_at", "--all", "--out", tmp_path / "half.parquet")
    assert half.code == 0
    assert min(pd.read_parquet(tmp_path / "half.parquet")["probability"]) >= 0.5


def test_a_folder_is_no_file(tmp_path: Path, run: Path) -> None:
    for name in ("list.csv", "all.parquet"):
        out = tmp_path / name
        out.mkdir()
        asked = ["--all"] if name == "all.parquet" else []
        ran = here("predict", run, "--relation", "works_at", *asked, "--out", out)
        assert (ran.code, ran.err) == (2, f"relwise: {out}: that is a folder; name a file in it\n")
        assert list(out.iterdir()) == []
        assert not out.with_name(name + ".parts").exists()


def test_help_tells_of_every_kind_of_question() -> None:
    text = " ".join(here("predict", "--help").out.split())
    for words in ("--relation visits --top 100 --out visits.csv", "--all", "--least", "--resume", "--prior", "--where"):
        assert words in text, words


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (["--relation", "work_at"], ["no relation 'work_at'", "'works_at'"]),
        (["--relation", "works_at", "--known"], ["--known goes with --head or --tail"]),
        (["--tail", "pe0"], ["nothing to predict"]),
        (["--head", "pe0", "--tail", "zz"], ["no node has the id 'zz'"]),
        (["--head", "ci0", "--tail", "pe0"], ["no relation leads from city to person"]),
        (["--head", "pe0", "--tail", "co0", "--where", "age > 3"], ["--where is on entities"]),
        (["--relation", "works_at", "--prior", "2"], ["prior = 2.0 is no share"]),
        (["--relation", "works_at", "--where", "ages > 3"], ["'ages > 3' is no condition on a company"]),
        (["--relation", "works_at", "--out", "x.txt"], ["x.txt", "no kind of table", ".csv, .parquet"]),
        (["--relation", "works_at", "--out", "nowhere/x.csv"], ["nowhere: there is no such folder"]),
        (["--relation", "works_at", "--out", "x.csv", "--json"], ["--json prints, and --out writes"]),
        (["--relation", "works_at", "--least", "0.3"], ["--least and --resume go with --all"]),
        (["--relation", "works_at", "--resume"], ["--least and --resume go with --all"]),
        (["--relation", "works_at", "--all"], ["--all goes with --relation and --out"]),
        (["--relation", "works_at", "--all", "--out", "x.csv"], ["x.csv", "a Parquet file"]),
        (["--relation", "works_at", "--all", "--out", "x.parquet", "--head", "pe0"], ["--all goes with"]),
        (["--relation", "works_at", "--all", "--out", "x.parquet", "--least", "-1"], ["least = -1.0"]),
        (["--relation", "works_at", "--approximate"], ["--approximate goes with --relation and one end"]),
        (["--head", "pe1", "--tail", "co2", "--approximate"], ["--approximate goes with"]),
        (
            ["--relation", "works_at", "--head", "pe0", "--approximate"],
            ["index: there is no index", "relwise index RUN"],
        ),
        (["--relation", "works_at", "--all", "--out", "x.parquet", "--top", "5"], ["--all goes with"]),
        (["--pairs", "pairs.csv", "--out", "x.csv", "--top", "5"], ["--pairs goes with --out alone"]),
        (["--all", "--out", "x.parquet"], ["nothing to predict"]),
        (["--pairs", "pairs.csv", "--out", "x.csv", "--where", "age > 3"], ["--pairs goes with --out alone"]),
        (["--pairs", "pairs.csv", "--out", "x.xls"], ["x.xls", "no kind of table"]),
    ],
)
def test_a_mistake_is_one_line_and_leaves_nothing(
    tmp_path: Path, run: Path, monkeypatch: pytest.MonkeyPatch, given: list[str], words: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    ran = here("predict", run, *given)
    assert (ran.code, ran.out) == (2, ""), ran
    assert ran.err.startswith("relwise: ")
    assert ran.err.count("\n") == 1
    for word in words:
        assert word in ran.err, ran.err
    assert list(tmp_path.iterdir()) == []
