"""Whatever stands in tables and schema: reading gives a graph or one InputError, never a traceback."""

from __future__ import annotations

import csv
import io
import json
import sqlite3
import tempfile
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from relwise.data.graph import Graph
from relwise.data.read import read
from relwise.data.schema_attribute import MODALITIES
from relwise.data.sources import open_source
from relwise.errors import InputError

_NAMES = st.sampled_from(["id", "a", "b", "x.y", 'q"', "Größe", "two words", "a|b", "", "select", "日付", "a\nb", "'"])
_WORDS = st.sampled_from(
    ["", " ", "a", "b", "1", "2.5", "nan", "2013-01-01", "1/2/2013", "true", "a|b", "é", '"', "\0"]
)
_TEXT = _WORDS | st.text(max_size=4)
_CELLS: dict[str, st.SearchStrategy[Any]] = {
    "text": _TEXT | st.none(),
    "integer": st.integers(-(2**40), 2**40) | st.none(),
    "small": st.integers(0, 3),
    "real": st.floats() | st.none(),
    "boolean": st.booleans() | st.none(),
    "date": st.datetimes() | st.none(),
    "list": st.lists(_TEXT | st.none(), max_size=3) | st.none(),
    "numbers": st.lists(st.floats() | st.none(), max_size=3) | st.none(),
    "nothing": st.none(),
    "bytes": st.binary(max_size=3) | st.none(),
}


def _seldom(draw: Any) -> bool:
    return draw(st.integers(0, 9)) == 9


@st.composite
def _columns(draw: Any) -> list[tuple[str, list[Any]]]:
    """A table: columns, whose names may be the same; mostly with ids that are unique, and ids that they name."""
    count = draw(st.integers(1, 6))
    kinds = draw(st.lists(st.tuples(_NAMES, st.sampled_from(list(_CELLS))), min_size=1, max_size=4))
    table = [(name, draw(st.lists(_CELLS[kind], min_size=count, max_size=count))) for name, kind in kinds]
    if not _seldom(draw):
        ends = [f"n{draw(st.integers(0, count - 1))}" for _ in range(count)]
        table = [("id", [f"n{i}" for i in range(count)]), ("to", ends), *table]
    if _seldom(draw):
        return table
    return [(name, cells) for i, (name, cells) in enumerate(table) if name not in [n for n, _ in table[:i]]]


def _write(table: list[tuple[str, list[Any]]], path: Path) -> bool:
    """Write a table, where its format can hold it."""
    names, columns = [name for name, _ in table], [cells for _, cells in table]
    rows = list(zip(*columns, strict=True))
    if path.suffix in (".csv", ".tsv"):
        text = io.StringIO()
        writer = csv.writer(text, delimiter="\t" if path.suffix == ".tsv" else ",")
        writer.writerows([names, *([("" if cell is None else str(cell)) for cell in row] for row in rows)])
        path.write_text(text.getvalue(), encoding="utf-8", newline="")
    elif path.suffix == ".jsonl":
        # By hand: a dict would have lost the second of two columns of one name.
        keys = [json.dumps(name) for name in names]
        values = [[json.dumps(cell, default=str) for cell in row] for row in rows]
        lines = ["{" + ", ".join(map(": ".join, zip(keys, row, strict=True))) + "}" for row in values]
        path.write_text("\n".join(lines), encoding="utf-8")
    elif path.suffix == ".parquet":
        arrays = [pa.array(cells) for cells in columns]
        pyarrow.parquet.write_table(pa.Table.from_arrays(arrays, names=names), path)
    else:
        connection = sqlite3.connect(path)
        try:
            quoted = ['"' + name.replace('"', '""') + '"' for name in names]
            connection.execute(f"CREATE TABLE t ({', '.join(quoted)})")
            marks = ", ".join("?" * len(names))
            cells = [[str(c) if isinstance(c, list | pd.Timestamp) else c for c in row] for row in rows]
            connection.executemany(f"INSERT INTO t VALUES ({marks})", cells)
            connection.commit()
        except sqlite3.Error:
            return False
        finally:
            connection.close()
    return True


def _toml(value: Any) -> str:
    return json.dumps(value, ensure_ascii=True)


@st.composite
def _schemas(draw: Any, names: list[str], table: str, source: str | None) -> str:
    """A schema that names columns of the table, and now and then one that is not there."""
    name = st.sampled_from([*names, "gone"] if _seldom(draw) else names)

    def mostly(usual: str) -> str:
        return draw(name) if _seldom(draw) or usual not in names else usual

    lines = [] if source is None else [f"source = {_toml(source)}"]
    by_time = draw(st.booleans())

    def attributes() -> list[str]:
        made = []
        for i in range(draw(st.integers(0, 3))):
            modality = draw(st.sampled_from([m for m in MODALITIES if m != "address"]))
            columns = [draw(name) for _ in range(2 if modality == "place" else 1)]
            given = columns[0] if len(columns) == 1 else columns
            options = f", before = {_toml(draw(name))}" if by_time and draw(st.booleans()) else ""
            if modality == "timestamp" and draw(st.booleans()):
                options += f", format = {_toml(draw(st.sampled_from(['%m/%d/%Y', '%Y', '%', '%Q'])))}"
            made.append(f"c{i} = {{ {modality} = {_toml(given)}{options} }}")
        return made

    key = draw(st.lists(name, min_size=1, max_size=2)) if _seldom(draw) else mostly("id")
    lines += ["[nodes.n]", f"table = {_toml(table)}", f"key = {_toml(key)}", "[nodes.n.columns]", *attributes()]
    lines += ["[nodes.free]", "[relations.r]", f"table = {_toml(table)}"]
    lines += [f"on_orphan = {_toml(draw(st.sampled_from(['error', 'drop'])))}"]
    lines += [f'head = {{ type = "n", column = {_toml(mostly("id"))} }}']
    lines += [f'tail = {{ type = "{draw(st.sampled_from(["n", "free"]))}", column = {_toml(mostly("to"))} }}']
    if by_time:
        lines += [f"time = {_toml(draw(name))}"]
    if draw(st.booleans()):
        lines += [f"group = {_toml(draw(name))}"]
    lines += ["[relations.r.columns]", *attributes(), "[relations.f]", f"table = {_toml(table)}"]
    lines += [f'head = {{ type = "free", column = {_toml(mostly("id"))} }}']
    lines += [f'tail = {{ type = "free", column = {_toml(mostly("to"))} }}', "directed = false"]
    if by_time:
        lines += ["[split]", 'by = "time"', 'valid = "2013-01-01"', 'test = "2014-01-01"']
    return "\n".join(lines)


def _check(error: InputError) -> None:
    """What every error has."""
    assert "\n" not in str(error)
    assert error.remedy


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data(), _columns(), st.sampled_from([".csv", ".tsv", ".jsonl", ".parquet", ".sqlite"]))
def test_a_graph_or_one_error(data: st.DataObject, table: list[tuple[str, list[Any]]], suffix: str) -> None:
    names = list(dict.fromkeys(name for name, _ in table))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"t{suffix}"
        if not _write(table, path):
            return
        source = path.name if suffix == ".sqlite" else None
        schema = data.draw(_schemas(names, "t" if source else path.name, source))
        (Path(folder) / "schema.toml").write_text(schema, encoding="utf-8")
        try:
            graph = read(folder)
        except InputError as error:
            _check(error)
            return
        assert isinstance(graph, Graph)
        assert len(graph.edges) >= 2
        assert (graph.edges.heads < graph.num_nodes).all()
        assert (graph.edges.heads >= 0).all()


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=60), st.sampled_from(["a.csv", "a.tsv", "a.jsonl", "a.parquet", "a.db"]))
def test_any_bytes(content: bytes, name: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / name).write_bytes(content)
        try:
            if name == "a.db":
                open_source(Path(folder) / name).tables()
            else:
                source = open_source(folder)
                frame = source.read(name)
                assert len(frame) == source.count(name)
                assert list(frame.columns) == source.columns(name)
        except InputError as error:
            _check(error)


_CSV_TEXT = st.text(st.sampled_from(list('ab,"\n\r\t \ufeff\0;é')), max_size=30)


@settings(max_examples=150, deadline=None)
@given(_CSV_TEXT, st.sampled_from(["a.csv", "a.tsv"]))
def test_any_text_as_csv(text: str, name: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / name).write_text(text, encoding="utf-8", newline="")
        source = open_source(folder)
        try:
            frame = source.read(name)
            assert len(frame) == source.count(name)
        except InputError as error:
            _check(error)
            return
        for row in range(len(frame)):
            assert source.where(name, row).startswith(f"{folder}/{name}, row ")
