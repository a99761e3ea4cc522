from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from relwise.data.formats import line_format
from relwise.data.graph import Graph, SplitRule
from relwise.data.read import read
from relwise.data.split import split_graph
from relwise.errors import InputError
from tests.compare import assert_same_graph
from tests.data.folders import BENCHMARK, SHOP, TRIPLES, write_folder

Data = Callable[[str], Path]


def _facts(graph: Graph, edges=None) -> list[tuple[str, str, str]]:
    edges = graph.edges if edges is None else edges
    return [
        (graph.node_id(h), graph.relation_names[r], graph.node_id(t))
        for h, r, t in zip(edges.heads, edges.relations, edges.tails, strict=True)
    ]


def test_a_benchmark_folder(tmp_path: Path) -> None:
    graph = read(write_folder(tmp_path, BENCHMARK))
    assert graph.node_types[0].name == "node"
    assert graph.node_types[0].ids.tolist() == ["a", "b", "c", "d"]
    assert graph.relation_names == ("1", "2")
    assert not graph.directed.any()
    assert _facts(graph) == [
        ("a", "1", "b"),
        ("b", "1", "c"),
        ("a", "2", "c"),
        ("a", "1", "c"),
        ("b", "2", "c"),
    ]
    assert graph.parts is not None
    assert graph.parts.tolist() == [0, 0, 0, 1, 2]
    assert {part: _facts(graph, edges) for part, edges in graph.negatives.items()} == {
        "valid": [("c", "1", "d")],
        "test": [("a", "2", "d")],
    }
    assert (graph.split_rule.by, graph.notes) == ("given", ())


def test_a_folder_of_triples(tmp_path: Path) -> None:
    graph = read(write_folder(tmp_path, TRIPLES))
    assert graph.num_nodes == 8
    assert graph.directed.all()
    assert _facts(graph)[:2] == [("new york", "in", "usa"), ("usa", "has", "new york")]
    assert graph.parts is not None
    assert graph.parts.tolist() == [0, 0, 0, 1, 2]
    assert not graph.negatives
    assert graph.split_rule.by == "given"


def test_triples_without_a_split_are_split_at_random(tmp_path: Path) -> None:
    graph = read(write_folder(tmp_path, TRIPLES, valid_txt=None, test_txt=None))
    assert (graph.parts, graph.split_rule) == (None, SplitRule("random"))


def test_line_ends_marks_and_blank_lines(tmp_path: Path) -> None:
    plain = read(write_folder(tmp_path / "plain", TRIPLES))
    odd = {name: "\ufeff\n" + text.replace("\n", "\r\n\n") for name, text in TRIPLES.items()}
    assert _facts(read(write_folder(tmp_path / "odd", odd))) == _facts(plain)
    odd = {name: text.replace(" ", "\t  ").replace("\n", "\r\n") for name, text in BENCHMARK.items()}
    assert _facts(read(write_folder(tmp_path / "tabs", odd)))[0] == ("a", "1", "b")


@pytest.mark.parametrize(
    ("files", "kind"),
    [
        (BENCHMARK, "benchmark"),
        (TRIPLES, "triples"),
        # four words between three tabs are a triple; a labelled edge may stand between tabs
        ({"train.txt": "a\tis in\tb\n", "valid.txt": "a\tis in\tb\n"}, "triples"),
        ({"train.txt": "1\ta\tb\n", "valid.txt": "1\ta\tb\t1\n"}, "benchmark"),
        # a first line that fits neither: train decides
        ({"train.txt": "1 a b\n", "valid.txt": "1 a b\n"}, "benchmark"),
        ({"train.txt": "1\ta\tb\n", "valid.txt": "1\ta\n"}, "triples"),
        ({"valid.txt": "1 a b 1\n"}, "benchmark"),
        ({"train.txt": "a b c\n"}, "triples"),
        ({"edges.txt": "a b c\n"}, None),
    ],
)
def test_which_format(tmp_path: Path, files: dict[str, str], kind: str | None) -> None:
    assert line_format(write_folder(tmp_path, files)) == kind


def test_a_schema_goes_before_lines(tmp_path: Path) -> None:
    assert len(read(write_folder(tmp_path, {**TRIPLES, **SHOP})).node_types) == 3


def test_repeated_and_contradicting_lines_are_noted(tmp_path: Path) -> None:
    graph = read(
        write_folder(
            tmp_path,
            BENCHMARK,
            train_txt="1 a b\n1 a b\n1 b a\n2 a c\n",
            valid_txt="1 a b 1\n1 a c 1\n1 a c 1\n1 c d 0\n1 c a 0\n",
            test_txt="2 b c 1\n1 a c 1\n2 a d 0\n2 a d 0\n",
        )
    )
    assert graph.parts is not None
    assert list(zip(_facts(graph), graph.parts.tolist(), strict=True)) == [
        (("a", "1", "b"), 0),
        (("b", "1", "a"), 0),
        (("a", "2", "c"), 0),
        (("a", "1", "b"), 1),
        (("a", "1", "c"), 1),
        (("b", "2", "c"), 2),
        (("a", "1", "c"), 2),
    ]
    assert _facts(graph, graph.negatives["valid"]) == [("c", "1", "d")]
    assert len(graph.negatives["test"]) == 2
    assert graph.notes == (
        "1 repeated edge of train dropped",
        "1 repeated edge of valid dropped",
        "1 edge of valid stands also in an earlier part",
        "1 edge of test stands also in an earlier part",
        "1 negative of valid left out, standing among the known edges",
    )


def test_negatives_that_are_not_given_are_drawn(tmp_path: Path) -> None:
    graph = read(write_folder(tmp_path, BENCHMARK, valid_txt="1 a c 1\n"))
    assert set(graph.negatives) == {"test"}
    assert len(split_graph(graph).valid) == 2


def test_from_triples() -> None:
    parts = {"train": [("a", "r", "b"), (1, "r", 2), ("a", "r", "b")], "test": [("b", "r", "a")]}
    graph = Graph.from_triples(parts)
    assert graph.parts is not None
    assert graph.parts.tolist() == [0, 0, 2]
    assert graph.notes == ("1 repeated edge of train dropped",)
    alone = Graph.from_triples(parts["train"], node_type="thing", directed=False)
    assert (alone.parts, alone.notes) == (None, ("1 repeated edge dropped",))
    assert alone.node_types[0].ids.tolist() == ["a", "b", "1", "2"]


def test_reading_needs_no_torch() -> None:
    modules = ["read", "schema", "columns", "hetero", "store", "split"]
    lines = [f"import relwise.data.{name}" for name in modules]
    lines += ["import sys", "assert 'torch' not in sys.modules"]
    subprocess.run([sys.executable, "-c", "\n".join(lines)], check=True)


@pytest.mark.data
def test_amazon(benchmark_data: Data) -> None:
    graph = read(benchmark_data("amazon"))
    assert (graph.num_nodes, len(graph.edges), graph.num_relations) == (10_099, 148_659, 2)
    assert graph.parts is not None
    assert np.bincount(graph.parts).tolist() == [126_535, 7_378, 14_746]
    assert {part: len(edges) for part, edges in graph.negatives.items()} == {"valid": 7_378, "test": 14_746}
    assert not graph.directed.any()
    assert len(np.unique(graph.keys(graph.edges))) < len(graph.edges)
    assert graph.notes == ()
    split = split_graph(graph)
    assert (len(split.message), len(split.valid), len(split.test)) == (126_535, 14_756, 29_492)


@pytest.mark.data
@pytest.mark.parametrize(
    ("name", "nodes", "parts", "relations"),
    [
        ("fb15k237", 14_541, [272_115, 17_535, 20_466], 237),
        ("wn18rr", 40_943, [86_835, 3_034, 3_134], 11),
        ("fb237_v1/train_graph", 1_594, [4_245, 489, 492], 180),
    ],
)
def test_knowledge_graphs(benchmark_data: Data, name: str, nodes: int, parts: list[int], relations: int) -> None:
    graph = read(benchmark_data(name))
    assert (graph.num_nodes, graph.num_relations) == (nodes, relations)
    assert graph.parts is not None
    assert np.bincount(graph.parts).tolist() == parts
    assert graph.directed.all()
    assert not any("\r" in node for node in graph.node_types[0].ids)


@pytest.mark.data
def test_youtube_has_no_training_file(benchmark_data: Data) -> None:
    with pytest.raises(InputError, match=r"train.txt is missing; add it"):
        read(benchmark_data("youtube_partial"))


def test_the_path_of_a_schema(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "shop", SHOP)
    whole = read(folder)
    (folder / "schema.toml").rename(folder / "other.toml")
    assert_same_graph(whole, read(folder / "other.toml"))
    # A schema may lie elsewhere than its tables.
    schema = (folder / "other.toml").read_text()
    (tmp_path / "mine.toml").write_text(f'source = "shop"\n{schema}')
    assert_same_graph(whole, read(tmp_path / "mine.toml"))


@pytest.mark.parametrize("url", ["postgresql://me:s3cret@there/shop", "postgresql:/me:s3cret@there/shop"])
def test_a_database_is_not_data_without_a_schema(url: str) -> None:
    for given in (url, Path(url)):
        with pytest.raises(InputError) as caught:
            read(given)
        assert caught.value.where == "postgresql://me@there/shop"
        assert "relwise init" in str(caught.value.remedy)
        assert "s3cret" not in str(caught.value)
