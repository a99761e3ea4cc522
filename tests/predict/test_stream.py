"""All likely pairs of a relation in a file: those of brute force; the same after a kill; parts of others refused."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from relwise.errors import InputError
from relwise.predict import stream
from relwise.predict.final import FinalBlock
from relwise.predict.stream import lowest_logit
from relwise.predictor import RelationshipPredictor
from tests.command import ENVIRONMENT
from tests.fakes import small_graph
from tests.predict.judged import judged
from tests.small_data import TINY, triples

COLUMNS = ["head", "relation", "tail", "name", "probability"]
RELATIONS = ["works_at", "owns", "knows", "located_in"]


@pytest.fixture(scope="module")
def model() -> RelationshipPredictor:
    return judged(RelationshipPredictor(**TINY).fit(small_graph()))  # type: ignore[arg-type]


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """A head a block, five or six a part where tails are 28, and groups of five rows."""
    monkeypatch.setattr(stream, "PART", 140)
    monkeypatch.setattr(stream, "BLOCK", 40)
    monkeypatch.setattr(stream, "GROUP", 5)


def by_brute_force(
    model: RelationshipPredictor, relation: str, least: float, prior: float | None, tails: set[str] | None = None
) -> dict[tuple[str, str], float]:
    """Each missing pair once, and its probability; where tails are given, turned so that its tail is among them."""
    graph = model.graph
    kind = graph.relations[graph.relation_index(relation)]
    heads, ends = (list(graph.node_types[graph.type_index[name]].ids) for name in (kind.head, kind.tail))
    known = {(h, t) for h, r, t in triples(graph) if r == relation}
    known |= {(t, h) for h, t in known} if not kind.directed else set()
    pairs = [(h, t) for h in heads for t in ends if (h, t) not in known and (kind.head, h) != (kind.tail, t)]
    if tails is not None:
        pairs = [(h, t) for h, t in pairs if t in tails]
    if not kind.directed:
        pairs = [(h, t) for h, t in pairs if heads.index(h) < heads.index(t) or (t, h) not in pairs]
    found = model.predict_proba([(h, relation, t) for h, t in pairs], prior)
    return {pair: p for pair, p in zip(pairs, found.tolist(), strict=True) if p >= least}


@pytest.mark.parametrize("relation", RELATIONS)
@pytest.mark.parametrize(("least", "prior"), [(0.0, None), (0.5, None), (0.05, 0.01), (1.0, None)])
def test_the_pairs_are_those_of_brute_force(
    model: RelationshipPredictor, tmp_path: Path, small_parts: None, relation: str, least: float, prior: float | None
) -> None:
    rows = model.write_missing(relation, tmp_path / "all.parquet", least=least, prior=prior)
    found = pd.read_parquet(tmp_path / "all.parquet")
    expected = by_brute_force(model, relation, least, prior)
    assert list(found.columns) == COLUMNS
    assert rows == len(found) == len(expected)
    assert list(zip(found["head"], found["tail"], strict=True)) == list(expected), "in the order of nodes"
    np.testing.assert_allclose(found["probability"], list(expected.values()), rtol=0, atol=1e-6)
    assert set(found["relation"]) <= {relation}
    assert [path.name for path in tmp_path.iterdir()] == ["all.parquet"]


def test_some_pairs_are_likely_enough_and_some_are_not(model: RelationshipPredictor) -> None:
    """The cases above tell nothing otherwise."""
    for relation in RELATIONS:
        counts = [len(by_brute_force(model, relation, least, None)) for least in (0.0, 0.5, 1.0)]
        assert counts[0] > counts[1] > counts[2] == 0


def test_a_condition_is_on_the_tails_and_turns_undirected_pairs(
    model: RelationshipPredictor, tmp_path: Path, small_parts: None
) -> None:
    for relation, kind in (("works_at", "company"), ("knows", "person")):
        ids = list(model.graph.node_types[model.graph.type_index[kind]].ids)
        tails = {node for node in ids if node.endswith("7")}
        model.write_missing(relation, tmp_path / "all.parquet", least=0, where="id like '%7'")
        found = pd.read_parquet(tmp_path / "all.parquet")
        expected = by_brute_force(model, relation, 0, None, tails)
        assert set(zip(found["head"], found["tail"], strict=True)) == set(expected)
        assert len(found) == len(expected) > 0
        best = model.predict_missing(relation, 5, where="id like '%7'")
        np.testing.assert_allclose(best["probability"], sorted(expected.values())[: -5 - 1 : -1], rtol=0, atol=1e-6)
        assert set(best["tail"]) <= tails


def test_the_name_is_the_tails(model: RelationshipPredictor, tmp_path: Path) -> None:
    model.write_missing("works_at", tmp_path / "all.parquet", least=0)
    found = pd.read_parquet(tmp_path / "all.parquet")
    assert set(found["name"][found["tail"] == "co1"]) == {"Company 1"}
    assert set(found["name"][found["tail"] == "co3"]) == {"co3"}, "it has no name"


def test_rows_stand_in_groups_of_as_many(model: RelationshipPredictor, tmp_path: Path, small_parts: None) -> None:
    rows = model.write_missing("knows", tmp_path / "all.parquet", least=0)
    file = pq.ParquetFile(tmp_path / "all.parquet")
    sizes = [file.metadata.row_group(i).num_rows for i in range(file.num_row_groups)]
    assert sizes == [5] * (rows // 5) + [rows % 5] * (rows % 5 > 0)


@pytest.mark.parametrize("least", [0.01, 0.3, 0.77])
def test_no_logit_below_the_lowest_is_likely_enough(model: RelationshipPredictor, least: float) -> None:
    for relation in range(4):
        low = lowest_logit(model.final, relation, least)
        logits = np.array([low - 1, low - 1e-9, low + 1e-6, low + 1])
        chance = model.final.calibrated(logits, np.full(4, relation))
        assert (chance[:2] < least).all()
        assert (chance[2:] >= least).all()


# -- broken off, and gone on with --------------------------------------------------------------------------


def break_off_after(monkeypatch: pytest.MonkeyPatch, blocks: int) -> list[int]:
    """The next blocks fail once so many were scored; what is returned counts them."""
    left, whole, scored = [blocks], FinalBlock.__call__, [0]

    def scoring(self: FinalBlock, *asked: object) -> object:
        if left[0] == 0:
            left[0] = -1  # only once
            raise KeyboardInterrupt
        left[0] -= 1
        scored[0] += 1
        return whole(self, *asked)  # type: ignore[arg-type]

    monkeypatch.setattr(FinalBlock, "__call__", scoring)
    return scored


@pytest.mark.parametrize("blocks", [0, 1, 5, 20])
def test_what_was_broken_off_is_gone_on_with_to_the_same_file(
    model: RelationshipPredictor, tmp_path: Path, small_parts: None, monkeypatch: pytest.MonkeyPatch, blocks: int
) -> None:
    rows = model.write_missing("knows", tmp_path / "whole.parquet", least=0.3)
    scored = break_off_after(monkeypatch, blocks)
    path = tmp_path / "all.parquet"
    with pytest.raises(KeyboardInterrupt):
        model.write_missing("knows", path, least=0.3)
    assert not path.exists()
    done = len(list((tmp_path / "all.parquet.parts").glob("*.parquet")))
    before, scored[0] = scored[0], 0
    assert before == blocks
    assert model.write_missing("knows", path, least=0.3, resume=True) == rows
    assert path.read_bytes() == (tmp_path / "whole.parquet").read_bytes()
    assert sorted(file.name for file in tmp_path.iterdir()) == ["all.parquet", "whole.parquet"]
    heads_of_parts = [5, 6, 5, 6, 6]  # a head a block
    assert scored[0] == sum(heads_of_parts[done:]), "parts that were there are not scored again"
    assert done == {0: 0, 1: 0, 5: 1, 20: 3}[blocks]


KILLED = """
import sys, time
from relwise.predict import stream
from relwise.predict.final import FinalBlock
from relwise.predictor import RelationshipPredictor

stream.PART, stream.BLOCK = 140, 40
whole = FinalBlock.__call__
def slowly(self, *asked):
    time.sleep(0.3)
    return whole(self, *asked)
FinalBlock.__call__ = slowly
RelationshipPredictor.load(sys.argv[1]).write_missing("knows", sys.argv[2], least=0.1)
"""


def test_a_process_that_was_killed_is_gone_on_with(
    model: RelationshipPredictor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, path = tmp_path / "run", tmp_path / "all.parquet"
    model.save(run)
    process = subprocess.Popen([sys.executable, "-c", KILLED, str(run), str(path)], env=ENVIRONMENT)
    parts, waited = path.with_name("all.parquet.parts"), time.monotonic()
    while not (parts / "00000.parquet").exists():
        assert process.poll() is None
        assert time.monotonic() - waited < 120
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert not path.exists()
    loaded = RelationshipPredictor.load(run)
    monkeypatch.setattr(stream, "PART", 140)
    monkeypatch.setattr(stream, "BLOCK", 40)
    with pytest.raises(InputError, match="before it was broken off lies there"):
        loaded.write_missing("knows", path, least=0.1)
    loaded.write_missing("knows", path, least=0.1, resume=True)
    loaded.write_missing("knows", tmp_path / "whole.parquet", least=0.1)
    assert path.read_bytes() == (tmp_path / "whole.parquet").read_bytes()
    assert not parts.exists()


def test_what_is_finished_is_not_done_again(
    model: RelationshipPredictor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "all.parquet"
    rows = model.write_missing("owns", path)
    scored = break_off_after(monkeypatch, 1000)
    assert model.write_missing("owns", path, resume=True) == rows
    assert scored == [0]
    assert model.write_missing("owns", path, least=0.4, resume=True) >= rows
    assert scored[0] > 0, "another question"


def test_a_part_that_is_damaged_is_scored_again(
    model: RelationshipPredictor, tmp_path: Path, small_parts: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    model.write_missing("knows", tmp_path / "whole.parquet", least=0.3)
    path = tmp_path / "all.parquet"
    break_off_after(monkeypatch, 8)
    with pytest.raises(KeyboardInterrupt):
        model.write_missing("knows", path, least=0.3)
    part = tmp_path / "all.parquet.parts" / "00000.parquet"
    part.write_bytes(part.read_bytes()[:-20])
    model.write_missing("knows", path, least=0.3, resume=True)
    assert path.read_bytes() == (tmp_path / "whole.parquet").read_bytes()


# -- mistakes ----------------------------------------------------------------------------------------------


def test_parts_of_another_question_or_run_are_refused(
    model: RelationshipPredictor, tmp_path: Path, small_parts: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "all.parquet"
    break_off_after(monkeypatch, 8)
    with pytest.raises(KeyboardInterrupt):
        model.write_missing("knows", path, least=0.3)
    other = RelationshipPredictor(1, **TINY).fit(small_graph())  # type: ignore[arg-type]
    for asked, what in (
        (lambda: other.write_missing("knows", path, least=0.3, resume=True), "of another run"),
        (lambda: model.write_missing("knows", path, least=0.4, resume=True), "its least is 0.3, not 0.4"),
        (lambda: model.write_missing("owns", path, least=0.3, resume=True), "its relation is person.knows.person"),
        (lambda: model.write_missing("knows", path, least=0.3, where="age > 3", resume=True), "its where is None"),
        (lambda: model.write_missing("knows", path, least=0.3), "before it was broken off"),
    ):
        with pytest.raises(InputError, match=what) as caught:
            asked()
        assert "delete the folder" in str(caught.value.remedy)
    assert not path.exists()


def test_a_damaged_note_is_a_mistake_told(
    model: RelationshipPredictor, tmp_path: Path, small_parts: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    break_off_after(monkeypatch, 8)
    with pytest.raises(KeyboardInterrupt):
        model.write_missing("knows", tmp_path / "all.parquet", least=0.3)
    note = tmp_path / "all.parquet.parts" / "about.json"
    for content in ("{", "[]"):
        note.write_text(content)
        with pytest.raises(InputError, match="is damaged") as caught:
            model.write_missing("knows", tmp_path / "all.parquet", least=0.3, resume=True)
        assert caught.value.where == str(note)


def test_progress_is_told_where_nothing_is_likely_enough(
    model: RelationshipPredictor, tmp_path: Path, small_parts: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[int, int]] = []
    monkeypatch.setattr(stream.PairsProgress, "at", lambda self, done, kept: seen.append((done, kept)))
    assert model.write_missing("knows", tmp_path / "all.parquet", least=1.0) == 0
    low, high = model.graph.type_range("person")
    assert seen[-1] == (high - low, 0)
    assert len(seen) > 3
    assert seen == sorted(seen)


def test_a_folder_that_is_somebody_elses_is_left_alone(model: RelationshipPredictor, tmp_path: Path) -> None:
    folder = tmp_path / "all.parquet.parts"
    folder.mkdir()
    (folder / "mine.txt").write_text("mine")
    with pytest.raises(InputError, match="the folder is not empty"):
        model.write_missing("knows", tmp_path / "all.parquet", resume=True)
    assert (folder / "mine.txt").read_text() == "mine"


@pytest.mark.parametrize(
    ("given", "what"),
    [
        ({"least": 1.5}, "least = 1.5 is no probability"),
        ({"least": float("nan")}, "is no probability"),
        ({"prior": 1.0}, "prior = 1.0 is no share"),
        ({"where": "country = "}, "is no condition on a person"),
        ({"relation": "know"}, "no relation 'know'"),
        ({"path": "all.csv"}, "all pairs go to a Parquet file"),
        ({"path": "nowhere/all.parquet"}, "cannot be written"),
    ],
)
def test_a_mistake_is_told_before_anything_is_written(
    model: RelationshipPredictor, tmp_path: Path, given: dict, what: str
) -> None:
    asked = {"relation": "knows", "path": "all.parquet", **given}
    with pytest.raises(InputError, match=what):
        model.write_missing(asked.pop("relation"), tmp_path / asked.pop("path"), **asked)
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "folder.parquet").mkdir()
    with pytest.raises(InputError, match="that is a folder"):
        model.write_missing("knows", tmp_path / "folder.parquet")


def test_the_file_says_what_it_answers(model: RelationshipPredictor, tmp_path: Path) -> None:
    model.write_missing("knows", tmp_path / "all.parquet", least=0.25)
    about = json.loads(pq.read_schema(tmp_path / "all.parquet").metadata[b"relwise"])
    assert (about["relation"], about["least"], about["digest"]) == ("person.knows.person", 0.25, model.digest)
