from __future__ import annotations

import json
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from relwise.data.edges import Edges
from relwise.data.graph import Attribute, Graph, Modality, NodeType, Relation, SplitRule
from relwise.data.read import read
from relwise.data.store import read_saved_graph, write_graph
from relwise.errors import InputError
from tests.compare import assert_same_graph
from tests.fakes import small_graph

_TIMES = st.integers(-(2**53), 2**53).map(lambda i: np.datetime64(i, "us")) | st.just(np.datetime64("NaT", "us"))


@st.composite
def _attributes(draw: Any, name: str, n: int) -> Attribute:
    modality = draw(st.sampled_from(get_args(Modality)))
    if modality == "multi_categorical":
        values = np.empty(n, dtype=object)
        values[:] = draw(st.lists(st.none() | st.lists(st.text(), max_size=3).map(tuple), min_size=n, max_size=n))
    elif modality == "boolean":
        values = draw(hnp.arrays(np.float64, n, elements=st.sampled_from([0.0, 1.0, np.nan])))
    elif modality in ("categorical", "text"):
        values = np.empty(n, dtype=object)
        values[:] = draw(st.lists(st.none() | st.text(), min_size=n, max_size=n))
    elif modality == "timestamp":
        values = np.array(draw(st.lists(_TIMES, min_size=n, max_size=n)), dtype="datetime64[us]")
    elif modality == "vector":
        values = draw(hnp.arrays(np.float32, (n, draw(st.integers(0, 3)))))
    else:
        values = draw(hnp.arrays(np.float64, (n, 2) if modality == "place" else (n,)))
    return Attribute(name, modality, values)


@st.composite
def _node_types(draw: Any, name: str) -> NodeType:
    ids = draw(st.lists(st.text(), unique=True, min_size=1, max_size=6))
    n = len(ids)
    names = draw(st.lists(st.text(), unique=True, max_size=3))
    labels = None
    if draw(st.booleans()):
        labels = np.empty(n, dtype=object)
        labels[:] = draw(st.lists(st.none() | st.text(), min_size=n, max_size=n))
    attributes = tuple(draw(_attributes(each, n)) for each in names)
    return NodeType(name, pd.Index(ids, dtype=object), labels, attributes)


@st.composite
def _graphs(draw: Any) -> Graph:
    names = draw(st.lists(st.text(), unique=True, min_size=1, max_size=3))
    types = tuple(draw(_node_types(name)) for name in names)
    total = sum(map(len, types))
    relations = tuple(
        Relation(name, draw(st.sampled_from(names)), draw(st.sampled_from(names)))
        for name in draw(st.lists(st.text(), unique=True, min_size=1, max_size=3))
    )
    relations += (Relation("undirected " + "x" * 20, names[0], names[0], directed=False),)

    def edges() -> Edges:
        n = draw(st.integers(0, 8))
        nodes, kinds = st.integers(0, total - 1), st.integers(0, len(relations) - 1)
        columns = (draw(st.lists(kind, min_size=n, max_size=n)) for kind in (nodes, kinds, nodes))
        h, r, t = (np.array(column, dtype=np.int64) for column in columns)
        times = np.array(draw(st.lists(_TIMES, min_size=n, max_size=n)), dtype="datetime64[us]")
        return Edges(h, r, t, times if draw(st.booleans()) else None)

    known = edges()
    parts = np.array([i % 3 for i in range(len(known))], dtype=np.int8) if draw(st.booleans()) else None
    negatives = {part: edges() for part in draw(st.sets(st.sampled_from(["valid", "test"])))}
    rule = draw(
        st.sampled_from(
            [
                SplitRule(),
                SplitRule("given"),
                SplitRule("time", "2013-01-01", "2014-01-01", negatives="degree"),
                SplitRule("unseen", node_type=names[0]),
                SplitRule("group", 0.1, 0.2, None, ("a", "b"), ("c",)),
            ]
        )
        | st.builds(SplitRule, st.just("random"), st.floats(0.01, 0.4), st.floats(0.01, 0.4))
    )
    notes = tuple(draw(st.lists(st.text(), max_size=2)))
    edge_attributes = {}
    for code in draw(st.sets(st.integers(0, len(relations) - 1))):
        own = draw(st.lists(st.text(), unique=True, min_size=1, max_size=2))
        count = int((known.relations == code).sum())
        edge_attributes[code] = tuple(draw(_attributes(name, count)) for name in own)
    groups = np.arange(len(known)) // 2 - 1 if draw(st.booleans()) else None
    return Graph(types, relations, known, parts, negatives, rule, notes, edge_attributes, groups)


@settings(max_examples=60, deadline=None)
@given(_graphs())
def test_any_graph_comes_back_the_same(graph: Graph) -> None:
    with tempfile.TemporaryDirectory() as folder:
        write_graph(graph, folder)
        assert_same_graph(graph, read_saved_graph(folder))


def test_the_files_are_json_and_parquet(tmp_path: Path) -> None:
    write_graph(small_graph(), tmp_path / "a" / "b")
    names = sorted(path.name for path in (tmp_path / "a" / "b").iterdir())
    assert names == [
        "edges.parquet",
        "graph.json",
        "negatives.parquet",
        *(f"nodes.{i}.parquet" for i in range(3)),
    ]
    assert pd.read_parquet(tmp_path / "a" / "b" / "nodes.0.parquet")["attribute.role"].isna().to_numpy().any()


def test_a_smaller_graph_over_a_larger(tmp_path: Path) -> None:
    write_graph(small_graph(), tmp_path)
    small = Graph.from_triples([("a", "r", "b"), ("b", "r", "c")])
    write_graph(small, tmp_path)
    assert_same_graph(small, read_saved_graph(tmp_path))


@pytest.mark.data
def test_amazon_comes_back_the_same(benchmark_data, tmp_path: Path) -> None:
    graph = read(benchmark_data("amazon"))
    write_graph(graph, tmp_path)
    assert_same_graph(graph, read_saved_graph(tmp_path))


_FILES = ["graph.json", "nodes.1.parquet", "edges.parquet", "negatives.parquet", "relations.0.parquet"]


@pytest.mark.parametrize("name", _FILES)
@pytest.mark.parametrize("damage", ["missing", "truncated", "empty"])
def test_a_damaged_folder(tmp_path: Path, name: str, damage: str) -> None:
    graph = small_graph()
    weight = Attribute("weight", "numeric", np.zeros(int((graph.edges.relations == 0).sum())))
    write_graph(replace(graph, edge_attributes={0: (weight,)}), tmp_path)
    path = tmp_path / name
    if damage == "missing":
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[: -len(path.read_bytes()) // 3] if damage == "truncated" else b"")
    with pytest.raises(InputError) as caught:
        read_saved_graph(tmp_path)
    assert str(caught.value.where).startswith(str(path))
    assert caught.value.remedy


def _edit(folder: Path, **changes: Any) -> InputError:
    write_graph(small_graph(), folder)
    about = json.loads((folder / "graph.json").read_text())
    (folder / "graph.json").write_text(json.dumps({**about, **changes}))
    with pytest.raises(InputError) as caught:
        read_saved_graph(folder)
    return caught.value


def test_format_1_is_still_read(tmp_path: Path) -> None:
    graph = small_graph(split=SplitRule("time", "2020-09-01", "2020-11-01"))
    write_graph(graph, tmp_path)
    about = json.loads((tmp_path / "graph.json").read_text())
    assert about["format"] == 2
    about["format"] = 1
    about["split_rule"] = {key: about["split_rule"][key] for key in ("by", "valid", "test")}
    about["edges"] = {key: about["edges"][key] for key in ("count", "times", "parts")}
    (tmp_path / "graph.json").write_text(json.dumps(about))
    assert_same_graph(graph, read_saved_graph(tmp_path))


def test_what_is_no_saved_graph(tmp_path: Path) -> None:
    newer = _edit(tmp_path, format=99)
    assert "format 99, newer than 2" in newer.what
    assert newer.remedy == "update relwise"
    assert "no saved graph" in _edit(tmp_path, format=None).what
    assert "damaged" in _edit(tmp_path, relations=[{"name": "x"}]).what
    counts = {"count": 7, "times": True, "parts": False}
    assert "300 rows where graph.json says 7" in _edit(tmp_path, edges=counts).what
    assert "outside the saved nodes" in _edit(tmp_path, relations=[]).what
    write_graph(Graph.from_triples([("a", "r", "b"), ("b", "r", "a")]), tmp_path / "other")
    write_graph(small_graph(), tmp_path)
    (tmp_path / "other" / "nodes.0.parquet").rename(tmp_path / "nodes.0.parquet")
    with pytest.raises(InputError, match="2 rows where graph"):
        read_saved_graph(tmp_path)
