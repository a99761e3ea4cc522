"""`small_graph` as folders of data on disk: the three kinds that `relwise train` reads."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from relwise.data.graph import Graph
from relwise.data.split import Split, split_graph
from tests.fakes import small_graph

TINY = {"dim": 8, "steps": 20, "eval_every": 5}
"""Settings with which a training on `small_graph` is a matter of moments."""

SCHEMA = """
[nodes.person]
table = "person.csv"
key = "id"
name = "name"
[nodes.person.columns]
age = "numeric"
role = "categorical"
since = "timestamp"
bio = "text"
[nodes.company]
table = "company.parquet"
key = "id"
name = "name"
[nodes.company.columns]
revenue = "numeric"
profile = { vector = ["v0", "v1", "v2", "v3"] }
[nodes.city]
table = "city.csv"
key = "id"
[nodes.city.columns]
position = { place = ["lat", "lon"] }
[relations.works_at]
table = "works_at.csv"
head = { type = "person", column = "head" }
tail = { type = "company", column = "tail" }
time = "time"
[relations.owns]
table = "owns.csv"
head = { type = "person", column = "head" }
tail = { type = "company", column = "tail" }
time = "time"
[relations.knows]
table = "knows.csv"
head = { type = "person", column = "head" }
tail = { type = "person", column = "tail" }
time = "time"
directed = false
[relations.located_in]
table = "located_in.csv"
head = { type = "company", column = "head" }
tail = { type = "city", column = "tail" }
"""


def triples(graph: Graph) -> list[tuple[str, str, str]]:
    """The edges of a graph as ids."""
    edges = graph.edges
    return [
        (graph.node_id(h), graph.relation_names[r], graph.node_id(t))
        for h, r, t in zip(edges.heads, edges.relations, edges.tails, strict=True)
    ]


def schema_folder(folder: Path) -> Path:
    """`small_graph` as a schema with node and relation tables, one of them Parquet."""
    folder.mkdir(parents=True, exist_ok=True)
    graph = small_graph()
    for node_type in graph.node_types:
        frame = pd.DataFrame({"id": list(node_type.ids)})
        if node_type.labels is not None:
            frame["name"] = list(node_type.labels)
        for attribute in node_type.attributes:
            names = {"profile": [f"v{i}" for i in range(4)], "position": ["lat", "lon"]}
            values = attribute.values.astype(np.float64) if attribute.values.ndim > 1 else attribute.values
            for i, name in enumerate(names.get(attribute.name, [attribute.name])):
                frame[name] = values[:, i] if values.ndim > 1 else values
        if node_type.name == "company":
            frame.to_parquet(folder / "company.parquet", index=False)
        else:
            frame.to_csv(folder / f"{node_type.name}.csv", index=False)
    frame = pd.DataFrame(triples(graph), columns=["head", "relation", "tail"])
    frame["time"] = graph.edges.times
    for name, rows in frame.groupby("relation"):
        rows.drop(columns="relation").to_csv(folder / f"{name}.csv", index=False)
    (folder / "schema.toml").write_text(SCHEMA, encoding="utf-8")
    return folder


def benchmark_folder(folder: Path) -> Path:
    """The relation `knows` of `small_graph`, and a copy of half of it, in the format of `amazon`."""
    graph, split = _split()
    folder.mkdir(parents=True, exist_ok=True)
    knows = graph.relation_index("knows")

    def lines(edges, labels=None) -> str:
        kept = np.flatnonzero(edges.relations == knows)
        rows = []
        for i in kept:
            label = "" if labels is None else f" {int(labels[i])}"
            ends = f"{graph.node_id(edges.heads[i])} {graph.node_id(edges.tails[i])}{label}"
            rows += [f"1 {ends}"] + [f"2 {ends}"] * int(i % 2)
        return "\n".join(rows) + "\n"

    (folder / "train.txt").write_text(lines(split.message))
    for name in ("valid", "test"):
        part = split.part(name)
        (folder / f"{name}.txt").write_text(lines(part.edges, part.labels))
    return folder


def triples_folder(folder: Path) -> Path:
    """`small_graph` without its attributes as tab-separated triples in train, valid and test."""
    graph, split = _split()
    folder.mkdir(parents=True, exist_ok=True)
    for name, edges in (
        ("train", split.message),
        ("valid", split.valid.positives),
        ("test", split.test.positives),
    ):
        part = Graph(graph.node_types, graph.relations, edges)
        text = "".join("\t".join(row) + "\n" for row in triples(part))
        (folder / f"{name}.txt").write_text(text, encoding="utf-8")
    return folder


def _split() -> tuple[Graph, Split]:
    graph = small_graph()
    return graph, split_graph(graph, seed=1)
