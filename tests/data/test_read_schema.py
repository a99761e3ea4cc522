"""`--schema`: a schema that does not lie with its tables."""

from __future__ import annotations

from pathlib import Path

import pytest

from relwise.data.read import read
from relwise.errors import InputError

SCHEMA = """
[nodes.person]
table = "people.csv"
key = "id"
[relations.knows]
table = "knows.csv"
head = { type = "person", column = "a" }
tail = { type = "person", column = "b" }
"""


def write(folder: Path) -> None:
    folder.mkdir()
    (folder / "people.csv").write_text("id\nann\nbob\ncy\n", encoding="utf-8")
    (folder / "knows.csv").write_text("a,b\nann,bob\nbob,cy\n", encoding="utf-8")


def test_tables_are_relative_to_the_data(tmp_path: Path) -> None:
    write(tmp_path / "data")
    elsewhere = tmp_path / "elsewhere.toml"
    elsewhere.write_text(SCHEMA, encoding="utf-8")
    graph = read(tmp_path / "data", schema=elsewhere)
    assert (graph.num_nodes, len(graph.edges)) == (3, 2)


def test_a_schema_that_is_not_there_is_named(tmp_path: Path) -> None:
    write(tmp_path / "data")
    with pytest.raises(InputError, match=r"none\.toml"):
        read(tmp_path / "data", schema=tmp_path / "none.toml")
    with pytest.raises(InputError, match="no such folder"):
        read(tmp_path / "nowhere", schema=tmp_path / "none.toml")
