"""`relwise index`: it tells what was measured and leaves what `predict --approximate` asks."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from relwise.predict import index_build as module
from relwise.predictor import RelationshipPredictor
from tests.command import here
from tests.predict.judged import judged
from tests.predict.test_index import many_nodes
from tests.small_data import TINY

pytest.importorskip("faiss")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "run"
    judged(RelationshipPredictor(**TINY).fit(many_nodes())).save(folder)  # type: ignore[arg-type]
    return folder


def test_small_types_need_none(run: Path) -> None:
    ran = here("index", run)
    assert (ran.code, ran.err) == (0, "")
    assert "no node type is large enough" in ran.out
    assert here("index", run, "--json").out == "{}\n"


def test_an_index_is_built_told_of_and_asked(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    build = module.build_index
    monkeypatch.setattr("relwise.predict.lists.build_index", lambda scorer: build(scorer, small=10))
    ran = here("index", run)
    assert (ran.code, ran.err) == (0, f"written to {run / 'index'}\n")
    measured = json.loads(here("index", run, "--json").out)["node"]
    assert measured["nodes"] == 400
    for words in ("node", "400", f"{measured['recall']:.3f}"):
        assert words in ran.out
    question = ["--relation", "likes", "--head", "p3", "--top", "6", "--json"]
    asked = here("predict", run, *question, "--approximate")
    assert asked.code == 0, asked.err
    found, exact = (json.loads(text) for text in (asked.out, here("predict", run, *question).out))
    best = {row["tail"]: row["probability"] for row in exact}
    for row in found:
        assert row["probability"] == pytest.approx(best.get(row["tail"], row["probability"]), abs=1e-6)
        assert row["probability"] <= exact[0]["probability"] + 1e-6
    assert len({row["tail"] for row in found} & set(best)) >= np.floor(6 * measured["recall"]) - 2
    RelationshipPredictor.load(run)  # what lies beside a run does not spoil it
    note = run / "index" / "index.json"
    note.write_text(json.dumps({**json.loads(note.read_text()), "digest": "another"}))
    ran = here("predict", run, *question, "--approximate")
    assert (ran.code, ran.out) == (2, "")
    assert "the index is of another run" in ran.err


def test_where_it_cannot_be_written_it_is_a_mistake_told(run: Path, tmp_path: Path) -> None:
    copied = tmp_path / "run"
    shutil.copytree(run, copied, ignore=shutil.ignore_patterns("index"))
    (copied / "index").write_text("in the way")
    ran = here("index", copied)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith(f"relwise: {copied / 'index'}: cannot be written")
    assert ran.err.count("\n") == 1
