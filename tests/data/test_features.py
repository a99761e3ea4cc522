"""`feature.txt`: both forms, every wrong line, and what of a benchmark folder it becomes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import relwise
from relwise.data.features import read_features
from relwise.errors import InputError


def _read(tmp_path: Path, text: str):
    (tmp_path / "feature.txt").write_text(text, encoding="utf-8")
    return read_features(tmp_path / "feature.txt")


@pytest.mark.parametrize(
    "text",
    ["2 3\na 1 2 3\nb 4 5 6\n", "a 1 2 3\nb 4 5 6\n", "a 1 2 3\r\n\r\nb 4 5 6", "a\t1  2 3\n b 4 5.0 6e0 \n"],
    ids=["counts", "no counts", "CRLF, blank line", "tabs"],
)
def test_both_forms(tmp_path: Path, text: str) -> None:
    ids, values = _read(tmp_path, text)
    assert ids == ["a", "b"]
    assert values.dtype == np.float32
    assert values.tolist() == [[1, 2, 3], [4, 5, 6]]


def test_one_number_a_node(tmp_path: Path) -> None:
    """Two whole numbers come first in any case: they are counts only where they count."""
    assert _read(tmp_path, "2 1\n7 5\n8 6\n")[0] == ["7", "8"]
    ids, values = _read(tmp_path, "3 1\n7 5\n8 6\n")
    assert ids == ["3", "7", "8"]
    assert values.ravel().tolist() == [1, 5, 6]


@pytest.mark.parametrize(
    ("text", "where", "what"),
    [
        ("3 2\na 1 2\nb 3 4\n", "feature.txt", "tells of 3 nodes, and 2 follow"),
        ("9 2\n", "feature.txt", "tells of 9 nodes, and 0 follow"),
        ("2 3\na 1 2\nb 3 4\n", "line 2", "2 numbers where the first line tells of 3"),
        ("a 1 2\n\nb 3\n", "line 3", "1 number where there should be 2"),
        ("a 1 2\nb 3 4 5\n", "line 2", "3 numbers where there should be 2"),
        ("a\nb\n", "line 1", "0 numbers where there should be at least 1"),
        ("1 2\na 1 x\n", "line 2", "'x' is not a number"),
        ("a 1 2\nb nan 1\n", "line 2", "nan is not a finite number"),
        ("a 1 2\nb 1 -1e99\n", "line 2", "-1e99 is not a finite number"),
        ("a 1 2\nb 1 2\na 3 4\n", "line 3", "'a' stands also in line 1"),
    ],
)
def test_wrong_lines(tmp_path: Path, text: str, where: str, what: str) -> None:
    with pytest.raises(InputError) as caught:
        _read(tmp_path, text)
    assert str(caught.value.where).endswith(where)
    assert what in caught.value.what
    assert caught.value.remedy


def test_a_benchmark_folder_with_features(tmp_path: Path) -> None:
    (tmp_path / "train.txt").write_text("1 a b\n1 b c\n2 c d\n")
    (tmp_path / "valid.txt").write_text("1 b a 1\n1 a d 0\n")
    (tmp_path / "test.txt").write_text("2 a c 1\n2 b d 0\n")
    plain = relwise.read(tmp_path)
    (tmp_path / "feature.txt").write_text("4 2\nd 1 2\nlone 3 4\na 5 6\nother 7 8\n")
    graph = relwise.read(tmp_path)
    (nodes,) = graph.node_types
    assert list(nodes.ids) == [*plain.node_types[0].ids, "lone", "other"]
    (feature,) = nodes.attributes
    assert (feature.name, feature.modality) == ("feature", "vector")
    found = dict(zip(nodes.ids, feature.values.tolist(), strict=True))
    assert {name: found[name] for name in ("d", "lone", "a", "other")} == {
        "d": [1, 2], "lone": [3, 4], "a": [5, 6], "other": [7, 8]
    }  # fmt: skip
    assert np.isnan([found["b"], found["c"]]).all()
    # The split and its negatives are those of the folder without features; a fact of train stays in valid, turned.
    for one, other in (
        (graph.edges, plain.edges),
        *((graph.negatives[p], plain.negatives[p]) for p in plain.negatives),
    ):
        assert [one.heads.tolist(), one.relations.tolist(), one.tails.tolist()] == [
            other.heads.tolist(), other.relations.tolist(), other.tails.tolist()
        ]  # fmt: skip
    assert graph.parts is not None
    assert graph.parts.tolist() == [0, 0, 0, 1, 2]
