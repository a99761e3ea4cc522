from __future__ import annotations

import html
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from relwise.card import NOT_EVIDENCE, measure_rows
from relwise.data.graph import Graph, NodeType, Relation
from relwise.errors import InputError
from relwise.predictor import RelationshipPredictor
from relwise.report import Facts, page, read_facts, sections, write_report
from relwise.report.measures import scorers
from tests.fakes import small_graph
from tests.report.reading import Reader
from tests.small_data import TINY


@pytest.fixture(scope="module")
def read(facts: Facts) -> Reader:
    return Reader(page(facts))


def _with_metrics(facts: Facts, **changed: Any) -> Facts:
    return replace(facts, metrics={**facts.metrics, **changed})


def test_it_is_one_file_that_loads_nothing_and_runs_nothing(facts: Facts, read: Reader) -> None:
    assert read.scripts == 0
    assert read.loads == []
    assert "url(" not in page(facts)
    assert "@import" not in page(facts)
    assert "default-src 'none'" in html.unescape(page(facts))
    assert len(page(facts)) < 300_000


def test_its_links_lead_to_its_sections(read: Reader) -> None:
    inner = [target[1:] for target in read.targets if target.startswith("#")]
    assert len(inner) > 8
    assert set(inner) <= set(read.ids)
    assert len(read.ids) == len(set(read.ids))


def test_measures_are_those_of_the_run(facts: Facts, read: Reader) -> None:
    caption = next(name for name in read.tables if name.startswith("All test edges"))
    header, *rows = read.tables[caption]
    assert header == ["scorer", "AUC", "AP", "F1", "MRR", "Hit@1", "Hit@10", "Hit@30"]
    assert [row[0] for row in rows[-3:]] == ["degree product", "adamic adar", "path3"]
    micro, path3 = facts.metrics["micro"], facts.metrics["baselines"]["path3"]
    assert rows[0][2] == f"{100 * micro['ap']:.2f}"
    assert rows[-1][7] == f"{100 * path3['hits@30']:.2f}"
    counts = facts.metrics["counts"]["micro"]
    assert f"({counts['positives']:,} true, {counts['negatives']:,} false)" in caption


def test_every_relation_stands_with_its_own_measures(facts: Facts, read: Reader) -> None:
    rows = {row[0]: row for row in read.tables["The model in each relation, percent"][1:]}
    assert set(rows) == set(facts.graph.relation_names)
    for name, values in facts.metrics["relations"].items():
        assert rows[name][3] == f"{100 * values['auc']:.2f}"


def test_edges_are_counted_by_part(facts: Facts, read: Reader) -> None:
    rows = read.tables["Known relationships, and where they went"][1:]
    test = facts.split.test.positives
    for name, _, *counts in rows:
        index = facts.graph.relation_index(name)
        assert counts[2] == f"{int((test.relations == index).sum()):,}"


def test_attributes_used_are_named(facts: Facts, read: Reader) -> None:
    cells = {row[0]: row[1] for row in read.tables["Entities, and which of their attributes the model reads"][1:]}
    assert cells["person"] == "age (numeric), role (categorical), since (timestamp), bio (text)"
    assert cells["city"] == "position (place)"


def test_network_and_evidence_stand_apart_where_a_run_has_both(facts: Facts) -> None:
    micro = facts.metrics["micro"]
    lower = {key: None if value is None else value / 2 for key, value in micro.items()}
    rows = scorers({**facts.metrics, "network": lower, "evidence": lower})
    assert [name for name, _ in rows][:3] == ["network + evidence", "network alone", "evidence alone"]
    assert rows[0][1]["ap"] == micro["ap"]
    assert rows[1][1]["ap"] == micro["ap"] / 2


def test_scorers_have_the_names_of_the_model_card(facts: Facts) -> None:
    plain = {key: value for key, value in facts.metrics.items() if key not in ("network", "evidence")}
    for metrics in (plain, {**plain, "network": plain["micro"], "evidence": plain["micro"]}):
        assert [name for name, _ in scorers(metrics)] == [row[0] for row in measure_rows(metrics)]


CALIBRATION = "How far a probability can be taken at its word"


def test_calibration_is_that_of_the_run(facts: Facts) -> None:
    # The small graph has too few validation edges to fit on: the figures are there all the same.
    found = {**facts.metrics["calibration"], "fitted": True}
    read = Reader(page(_with_metrics(facts, calibration=found)))
    rows = {row[0]: row[1:] for row in read.tables[CALIBRATION][1:]}
    for key, name in (("final", "calibrated, as shown"), ("network", "network alone, as trained")):
        values = (found[key][column] for column in ("ece", "brier", "f1_at_half", "f1_at_threshold", "f1_best"))
        assert rows[name] == [f"{value:.4f}" for value in values]
        drawn = [row for row in read.tables["Reliability on test"][1:] if row[0] == name]
        assert [int(row[3]) for row in drawn] == [one["count"] for one in found[key]["bins"]]


def test_without_calibration_it_says_so(facts: Facts) -> None:
    old = {key: value for key, value in facts.metrics.items() if key != "calibration"}
    read = Reader(page(replace(facts, metrics=old)))
    assert "are not calibrated" in read.text
    assert CALIBRATION not in read.tables
    unfitted = _with_metrics(facts, calibration={**facts.metrics["calibration"], "fitted": False})
    read = Reader(page(unfitted))
    assert "are not calibrated" in read.text
    assert [row[0] for row in read.tables[CALIBRATION][1:]] == ["network"]


def test_calibration_tells_the_share_assumed_and_skips_empty_bins(facts: Facts) -> None:
    bins = [
        {"low": 0.0, "high": 0.5, "count": 30, "mean_probability": 0.2, "share_true": 0.1},
        {"low": 0.5, "high": 1.0, "count": 0, "mean_probability": None, "share_true": None},
    ]
    part = {"ece": 0.0125, "brier": None, "bins": bins}
    read = Reader(page(_with_metrics(facts, calibration={"prior": 0.05, "network": part, "final": part})))
    assert read.tables[CALIBRATION][1] == ["calibrated, as shown", "0.0125", "-"]
    assert len(read.tables["Reliability on test"]) == 3
    assert "5 % true edges" in read.text


def test_attention_is_counted_once_for_each_node_that_can_choose(facts: Facts, read: Reader) -> None:
    able = facts.training["attention"][0]["nodes"]
    for layer in (1, 2):
        rows = read.tables[f"Layer {layer}"][1:]
        assert sum(int(row[1].replace(",", "")) for row in rows) == able
        assert sum(int(row[2].replace(",", "")) for row in rows) == able


def test_training_and_sampler_are_told(facts: Facts, read: Reader) -> None:
    assert len(read.tables["On validation"]) == len(facts.log) + 1
    assert f"{facts.training['negatives']['chosen']:,} were learnt from" in read.text
    assert "In each" not in read.tables


def test_findings_warnings_and_settings_are_told(facts: Facts, read: Reader) -> None:
    for finding in facts.metrics["audit"]["findings"]:
        assert finding["sentence"] in read.text
    assert " ".join(NOT_EVIDENCE.split()).replace("**", "").replace("`", "") in " ".join(read.text.split())
    assert ["dim", "8"] in read.tables["All settings"]
    assert ["relwise", facts.version] in read.tables["What it was computed with"]


def test_data_can_be_no_markup(tmp_path: Path) -> None:
    """A node, a type, a relation, an attribute and a folder called `<script>` show as text."""
    evil = "<script>alert(1)</script>\"'&"
    graph = small_graph()
    types = tuple(
        NodeType(
            evil if t.name == "city" else t.name,
            pd.Index([evil if i == 0 else node for i, node in enumerate(t.ids)], dtype=object),
            None if t.labels is None else np.array([evil] * len(t), dtype=object),
            tuple(replace(a, name=evil if a.name == "age" else a.name) for a in t.attributes),
        )
        for t in graph.node_types
    )
    relations = tuple(
        Relation(evil if r.name == "owns" else r.name, r.head, evil if r.tail == "city" else r.tail, r.directed)
        for r in graph.relations
    )
    graph = Graph(types, relations, graph.edges, notes=(evil,))
    folder = tmp_path / "<b>run"
    RelationshipPredictor(**TINY).fit(graph).save(folder)  # type: ignore[arg-type]
    text = write_report(folder, tmp_path / "r.html").read_text(encoding="utf-8")
    read = Reader(text)
    assert read.scripts == 0
    assert "<script" not in text
    assert "<b>" not in text
    assert read.text.count(evil) >= 5
    assert "Model report: <b>run" in read.text


def test_a_run_without_test_edges_has_a_report(facts: Facts) -> None:
    bare = {"split": "test", "micro": {}, "relations": {}, "baselines": {}}
    read = Reader(page(replace(facts, metrics=bare, log=[], training={})))
    assert "how good this model is, is not known" in read.text
    assert "This run was not audited." in read.text


@pytest.mark.parametrize("encoder", ["rgcn", "lookup"])
def test_a_network_without_attention_says_so(encoder: str, tmp_path: Path) -> None:
    RelationshipPredictor(**TINY, encoder=encoder).fit(small_graph()).save(tmp_path)  # type: ignore[arg-type]
    assert f"The encoder {encoder} has no attention of ours to tell of." in Reader(page(read_facts(tmp_path))).text


def test_sections_have_their_own_titles(facts: Facts) -> None:
    made = sections(facts)
    assert len({section.title for section in made}) == len(made) == 11
    assert all(section.body for section in made)


def test_it_is_written_into_the_run_and_the_run_stays_whole(folder: Path, tmp_path: Path) -> None:
    run = shutil.copytree(folder, tmp_path / "run")
    assert write_report(run) == run / "report.html"
    assert not (run / "report.html.part").exists()
    read_facts(run)
    assert write_report(run) == run / "report.html"


def test_mistakes_are_told(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such run folder"):
        write_report(tmp_path / "none")
    with pytest.raises(InputError, match="a folder, not a file"):
        write_report(folder, tmp_path)
    with pytest.raises(InputError, match="cannot be written"):
        write_report(folder, tmp_path / "none" / "r.html")
