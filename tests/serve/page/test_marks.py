from __future__ import annotations

import io
from pathlib import Path

import pandas as pd
import pytest

import relwise
from relwise.errors import InputError
from relwise.serve.page.marks import FILE, Marks
from relwise.serve.page.mount import _marks
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


EDGE = ("pe0", "knows", 'say "é"\n')


def test_marks_outlive_the_server(tmp_path: Path) -> None:
    marks = Marks.of(tmp_path)
    marks.set(EDGE, True)
    marks.set(("a", "r", "b"), True)
    marks.set(("a", "r", "b"), False)
    marks.set(("a", "r", "c"), True)
    marks.set(("a", "r", "c"), None)
    again = Marks.of(tmp_path)
    assert again.items() == marks.items() == [(EDGE, True), (("a", "r", "b"), False)]
    assert len((tmp_path / FILE).read_text(encoding="utf-8").splitlines()) == 5


def test_what_a_crash_cut_off_costs_its_own_line_alone(tmp_path: Path) -> None:
    Marks.of(tmp_path).set(EDGE, True)
    with (tmp_path / FILE).open("ab") as file:
        file.write(b'{"head": "pe1", "rel')
    marks = Marks.of(tmp_path)
    assert (marks.items(), marks.unread) == ([(EDGE, True)], 1)
    marks.set(("a", "r", "b"), False)
    again = Marks.of(tmp_path)
    assert (again.items(), again.unread) == ([(EDGE, True), (("a", "r", "b"), False)], 1)


@pytest.mark.parametrize("line", ["[]", "1", '{"head": "a"}', '{"head": 1, "relation": "r", "tail": "b", "label": 1}',
                                  '{"head": "a", "relation": "r", "tail": "b", "label": 2}'])  # fmt: skip
def test_lines_that_are_no_marks_are_counted_and_left(line: str, tmp_path: Path) -> None:
    (tmp_path / FILE).write_text(f"{line}\n\n", encoding="utf-8")
    marks = Marks.of(tmp_path)
    assert (len(marks), marks.unread) == (0, 1)
    marks.set(EDGE, True)
    assert (tmp_path / FILE).read_text(encoding="utf-8").startswith(f"{line}\n")


def test_what_cannot_be_written_is_not_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    marks = Marks.of(tmp_path)
    monkeypatch.setattr("os.fsync", lambda number: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(InputError, match="No space left"):
        marks.set(EDGE, True)
    assert marks.get(EDGE) is None


def test_in_a_folder_that_cannot_be_written_to_marks_are_read_and_kept_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Marks.of(tmp_path).set(EDGE, True)
    monkeypatch.setattr("os.access", lambda path, mode: False)
    marks = Marks.of(tmp_path)
    marks.set(("a", "r", "b"), True)
    assert (marks.file, len(marks)) == (None, 2)
    monkeypatch.undo()
    assert len(Marks.of(tmp_path)) == 1


def test_a_file_that_cannot_be_read_is_told_before_the_server_starts(tmp_path: Path) -> None:
    (tmp_path / FILE).mkdir()
    with pytest.raises(InputError, match="the marks cannot be read"):
        Marks.of(tmp_path)


def test_there_is_a_most(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("relwise.serve.page.marks.MOST", 1)
    marks = Marks()
    marks.set(EDGE, True)
    marks.set(EDGE, False)
    with pytest.raises(InputError, match="1 marks already"):
        marks.set(("a", "r", "b"), True)
    assert len(marks) == 1


def test_one_folder_by_two_names_has_one_list(tmp_path: Path) -> None:
    kept = _marks({"shop": tmp_path, "again": tmp_path / "."})
    assert kept["shop"] is kept["again"]
