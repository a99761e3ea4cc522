from __future__ import annotations

import json
import resource
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet
import pytest

from relwise.data.sources import open_source
from relwise.data.sources.folder import FolderSource
from relwise.errors import InputError
from tests.data.folders import SHOP, write_folder
from tests.data.sources.cases import TABLES, SourceCase


class TestCSV(SourceCase):
    suffix = ".csv"

    def make(self, folder: Path) -> str:
        write_folder(folder / "data", {name: text for name, text in SHOP.items() if name.endswith(".csv")})
        return "data"


class TestParquet(SourceCase):
    suffix = ".parquet"

    def make(self, folder: Path) -> str:
        (folder / "data").mkdir()
        for name, columns in TABLES.items():
            pyarrow.parquet.write_table(pa.table(columns), folder / "data" / f"{name}.parquet", row_group_size=2)
        return "data"


class TestJSONLines(SourceCase):
    suffix = ".jsonl"

    def make(self, folder: Path) -> str:
        (folder / "data").mkdir()
        for name, columns in TABLES.items():
            rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
            lines = [json.dumps(row, default=str) for row in rows]
            (folder / "data" / f"{name}.jsonl").write_text("\n\n".join(lines) + "\n")
        return str(folder / "data")


def _fails(path: Path, content: str | bytes, columns: list[str] | None = None) -> InputError:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(InputError) as caught:
        FolderSource(path.parent).read(path.name, columns)
    assert caught.value.remedy
    return caught.value


def test_json_lines(tmp_path: Path) -> None:
    first = '\ufeff{"id": 1, "day": "2013-01-01", "big": 9007199254740993}'
    second = '{"id": 2, "x": [1.5], "day": null, "b": true}'
    (tmp_path / "a.ndjson").write_text(f"{first}\n\n{second}\n", encoding="utf-8")
    source = FolderSource(tmp_path)
    assert source.columns("a.ndjson") == ["id", "day", "big", "x", "b"]
    frame = source.read("a.ndjson")
    # What looks like a date is text; a large number is exact.
    assert frame["day"].iloc[0] == "2013-01-01"
    assert frame["big"].iloc[0] == 9007199254740993
    assert [str(kind) for kind in frame.dtypes] == [
        "int64[pyarrow]",
        "string[pyarrow]",
        "int64[pyarrow]",
        "list<item: double>[pyarrow]",
        "bool[pyarrow]",
    ]
    assert source.where("a.ndjson", 1, "x") == f"{tmp_path}/a.ndjson, line 3, column 'x'"


@pytest.mark.parametrize(
    ("text", "where", "what"),
    [
        ('{"a": 1}\n{"a": 1\n', "line 2", "not JSON"),
        ('{"a": 1}\n[1]\n', "line 2", "this is no object"),
        ('{"a": 1}\n\n{"a": "x"}\n', "line 3, column 'a'", "'x' is text, and in line 1 the column holds a number"),
        (
            '{"a": "x"}\n{"a": true}\n',
            "line 2, column 'a'",
            "True is true or false, and in line 1 the column",
        ),
        ('{"a": 1, "a": 2}\n', "line 1", "two columns are called 'a'"),
        (b'{"a": 1}\n{"a": "\xff"}\n', "line 2", "byte 0xff is not UTF-8"),
        ('{"a": 123456789012345678901234567890}\n', "line 1, column 'a'", "it cannot be one column"),
        ("[" * 100_000 + "\n", "line 1", "not JSON"),
        ("x" * (1 << 20) + "\n", "line 1", "the first line is longer than 1 MiB"),
    ],
)
def test_what_is_no_json_lines(tmp_path: Path, text: str | bytes, where: str, what: str) -> None:
    error = _fails(tmp_path / "a.jsonl", text)
    assert error.where == f"{tmp_path}/a.jsonl, {where}"
    assert what in error.what


def test_a_column_may_change_from_whole_numbers_to_fractions(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"a": 1}\n{"a": 2.5}\n{"a": ""}\n')
    assert FolderSource(tmp_path).read("a.jsonl")["a"].tolist()[:2] == [1.0, 2.5]


def test_a_name_with_a_dot_in_parquet(tmp_path: Path) -> None:
    table = pa.table({"a": [{"b": 1}], "a.b": [2], 'q"': [3]})
    pyarrow.parquet.write_table(table, tmp_path / "a.parquet")
    source = FolderSource(tmp_path)
    assert source.read("a.parquet", ["a.b"]).to_numpy().tolist() == [[2]]
    assert source.read("a.parquet", ['q"', "a.b"]).to_numpy().tolist() == [[3, 2]]


@pytest.mark.parametrize("name", ["a.csv", "a.tsv", "a.jsonl"])
def test_a_large_file_of_one_line(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    with path.open("wb") as file:
        file.write(b"a,b" * 1000)
        file.truncate(1 << 31)  # 2 GiB, of which the disk holds next to nothing
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(InputError) as caught:
        FolderSource(tmp_path).read(name)
    assert "the first line is longer than 1 MiB" in caught.value.what
    assert "line end" in str(caught.value.remedy)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000  # KiB


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl"])
def test_a_large_second_line(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    with path.open("wb") as file:
        file.write(b"a,b\n" if name == "a.csv" else b'{"a": 1}\n')
        file.truncate(1 << 26)
    with pytest.raises(InputError, match=r"longer than 32 MiB|not JSON"):
        FolderSource(tmp_path).read(name)


def test_only_the_columns_wanted_are_read(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"a,b\n1,\xff\n2,x\n")
    assert FolderSource(tmp_path).read("a.csv", ["a"])["a"].tolist() == ["1", "2"]
    assert "byte 0xff" in _fails(tmp_path / "a.csv", b"a,b\n1,\xff\n2,x\n").what


def test_what_is_no_source(tmp_path: Path) -> None:
    (tmp_path / "shop.db").write_text("nothing of a database")
    for spec, what in (
        ("shopp.db", "there is no such folder or file"),
        ("shop.db", "neither a DuckDB nor an SQLite"),
        ("mysql://me:secret@there/shop", "mysql is no kind of source"),
    ):
        with pytest.raises(InputError, match=what) as caught:
            open_source(spec, tmp_path)
        assert caught.value.remedy
        assert "secret" not in str(caught.value)
