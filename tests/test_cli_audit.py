"""`relwise audit`, and the audit that each training begins with."""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path

import pytest

from relwise.data.audit import Finding
from relwise.predictor import RelationshipPredictor
from tests.command import here
from tests.data.audit.graphs import clean_graph, purchases
from tests.small_data import TINY, schema_folder

ROOT = Path(__file__).parents[1]


@pytest.fixture
def leaky(tmp_path: Path) -> Path:
    """A relation and its inverse, as tab-separated triples."""
    folder = tmp_path / "leaky"
    folder.mkdir()
    edges = [(f"a{i}", f"b{(i * 7 + k * k) % 50}") for i in range(50) for k in range(1, 6)]
    lines = [f"{h}\tbuys\t{t}\n" for h, t in edges] + [f"{t}\tsells_to\t{h}\n" for h, t in edges]
    (folder / "train.txt").write_text("".join(lines), encoding="utf-8")
    return folder


def test_findings_as_a_table(leaky: Path) -> None:
    ran = here("audit", leaky)
    assert (ran.code, ran.err) == (0, "")
    text = " ".join(ran.out.replace("│", " ").split())
    assert "leak" in text
    assert "severity" in text
    assert "is the inverse of" in text
    assert "[split] by" in text


def test_findings_as_json(leaky: Path) -> None:
    ran = here("audit", leaky, "--json", "--seed", 3)
    given = json.loads(ran.out)
    assert set(given) == {"findings", "unexamined"}
    assert given["unexamined"] == []
    first = given["findings"][0]
    assert list(first) == [field.name for field in fields(Finding)]
    assert (first["kind"], first["severity"], sorted(first["group"])) == ("overlaps", "leak", ["buys", "sells_to"])
    assert first["share"] == pytest.approx(first["count"] / 25)
    assert ran.out == here("audit", leaky, "--json", "--seed", 3).out
    page = (ROOT / "docs" / "audit.md").read_text(encoding="utf-8")
    assert all(f"`{key}`" in page for key in first), "the page tells every key"


def test_a_schema_and_nothing_to_find(tmp_path: Path) -> None:
    assert here("audit", schema_folder(tmp_path / "schema")).code == 0
    clean = tmp_path / "clean"
    clean.mkdir()
    graph = clean_graph(0)
    lines = [
        f"{graph.node_id(h)}\t{graph.relation_names[r]}\t{graph.node_id(t)}\n"
        for h, r, t in zip(graph.edges.heads, graph.edges.relations, graph.edges.tails, strict=True)
    ]
    (clean / "train.txt").write_text("".join(lines), encoding="utf-8")
    assert here("audit", clean) == (0, "nothing found\n", "")


def test_a_mistake_is_one_line(tmp_path: Path) -> None:
    ran = here("audit", tmp_path / "absent")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.count("\n") == 1
    assert "there is no such folder" in ran.err


def test_a_training_begins_with_it(tmp_path: Path, leaky: Path) -> None:
    options = [f"--set={key}={value}" for key, value in TINY.items()]
    ran = here("train", leaky, "--out", tmp_path / "run", *options)
    assert ran.code == 0, ran.err
    assert "audit: leak: " in ran.err
    assert "Remedy: " in ran.err
    assert ran.err.index("audit: leak") < ran.err.index("trained ")
    metrics = json.loads((tmp_path / "run" / "metrics.json").read_text(encoding="utf-8"))
    assert metrics["audit"]["findings"][0]["severity"] == "leak"
    assert metrics["audit"]["findings"][0]["sentence"] in (tmp_path / "run" / "MODEL_CARD.md").read_text("utf-8")
    assert json.loads(here("evaluate", tmp_path / "run", "--json").out)["audit"] == metrics["audit"]


def test_every_fit_is_audited_and_keeps_it(tmp_path: Path) -> None:
    model = RelationshipPredictor(**TINY).fit(purchases())
    assert model.audited.findings[0].severity == "leak"
    model.save(tmp_path)
    assert RelationshipPredictor.load(tmp_path).audited == model.audited
