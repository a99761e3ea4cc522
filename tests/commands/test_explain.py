"""`relwise explain`: the sentence first, tables, JSON, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from relwise.predictor import RelationshipPredictor
from tests.command import here
from tests.fakes import small_graph
from tests.small_data import TINY


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("explained") / "run"
    RelationshipPredictor(0, **TINY).fit(small_graph()).save(folder)
    return folder


def test_json_is_what_python_gives(run: Path) -> None:
    ran = here("explain", run, "--head", "pe1", "--relation", "owns", "--tail", "co5", "--json")
    assert ran.code == 0
    expected = RelationshipPredictor.load(run).explain("pe1", "owns", "co5").to_json()
    assert json.loads(ran.out) == json.loads(json.dumps(expected))


def test_people_read_the_sentence_first(run: Path) -> None:
    ran = here("explain", run, "--head", "pe1", "--relation", "owns", "--tail", "co5")
    found = RelationshipPredictor.load(run).explain("pe1", "owns", "co5")
    assert ran.out.startswith(found.sentence)
    for tie in (*found.carriers, *found.against):
        assert tie.head.id in ran.out
        assert f"{tie.effect:+.3f}" in ran.out
    for attribute in found.attributes:
        assert attribute.name in ran.out
    assert all(note in ran.out for note in found.notes)


def test_what_is_unknown_is_one_line(run: Path) -> None:
    ran = here("explain", run, "--head", "pe1", "--relation", "owned", "--tail", "co5")
    assert ran.code == 2
    assert ran.err.startswith("relwise: there is no relation 'owned'; did you mean 'owns'")
    assert ran.err.count("\n") == 1
