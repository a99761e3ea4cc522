from __future__ import annotations

import io
from pathlib import Path

import pandas as pd

import relwise
from relwise.serve.page.marks import Marks
from tests.small_data import SCHEMA, schema_folder


def test_a_mark_is_set_changed_and_taken_back() -> None:
    marks, edge = Marks(), ("a", "r", "b")
    assert marks.get(edge) is None
    marks.set(edge, True)
    assert (marks.get(edge), len(marks)) == (True, 1)
    marks.set(edge, False)
    assert (marks.get(edge), len(marks)) == (False, 1)
    marks.set(edge, None)
    assert (marks.get(edge), len(marks)) == (None, 0)


def test_csv_reads_back_whatever_the_ids_hold() -> None:
    edges = [("a,b", "r", 'say "x"'), ("c\nd", "r", "é"), (" ", "r", "1")]
    marks = Marks()
    for edge, holds in zip(edges, (True, False, True), strict=True):
        marks.set(edge, holds)
    frame = pd.read_csv(io.StringIO(marks.csv()), dtype=str, keep_default_na=False)
    assert list(frame.columns) == ["head", "relation", "tail", "label"]
    assert list(frame[["head", "relation", "tail"]].itertuples(index=False, name=None)) == edges
    assert frame["label"].tolist() == ["1", "0", "1"]


def test_the_wrong_ones_are_read_as_negatives_of_the_next_training(tmp_path: Path) -> None:
    data = schema_folder(tmp_path / "data")
    graph = relwise.read(data)
    known = set(
        zip(graph.edges.heads.tolist(), graph.edges.relations.tolist(), graph.edges.tails.tolist(), strict=True)
    )
    knows, lives = graph.relation_index("knows"), graph.relation_index("located_in")
    person, company, city = (graph.type_range(name) for name in ("person", "company", "city"))
    wrong = next((0, knows, t) for t in range(1, person[1]) if not {(0, knows, t), (t, knows, 0)} & known)
    other = next((company[0], lives, t) for t in range(*city) if (company[0], lives, t) not in known)
    right = next((person[0] + 1, knows, t) for t in range(5, person[1]) if (person[0] + 1, knows, t) not in known)
    marks = Marks()
    for edge, holds in ((wrong, False), (other, False), (right, True)):
        names = (graph.node_id(edge[0]), graph.relation_names[edge[1]], graph.node_id(edge[2]))
        marks.set(names, holds)
    (data / "wrong.csv").write_text(marks.negatives("test"), encoding="utf-8")
    (data / "schema.toml").write_text(f'{SCHEMA}\n[split]\nby = "random"\nnegatives = "wrong.csv"\n', encoding="utf-8")
    found = relwise.read(data).negatives["test"]
    read = set(zip(found.heads.tolist(), found.relations.tolist(), found.tails.tolist(), strict=True))
    assert read == {wrong, other}
