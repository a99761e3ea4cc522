from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from relwise.data.graph import Graph, SplitRule
from relwise.data.read import read
from relwise.data.split import split_graph
from relwise.data.tables import read_table
from relwise.errors import InputError
from tests.compare import assert_same_graph
from tests.data.folders import SCHEMA, SHOP, write_folder


def _edges(graph: Graph, relation: str) -> list[tuple[str, str, str]]:
    index = graph.relation_index(relation)
    return [
        (
            graph.node_id(h),
            graph.node_id(t),
            str(graph.edges.times[i])[:10] if graph.edges.times is not None else "",
        )
        for i, (h, r, t) in enumerate(zip(graph.edges.heads, graph.edges.relations, graph.edges.tails, strict=True))
        if r == index
    ]


def test_a_graph_of_tables(tmp_path: Path) -> None:
    graph = read(write_folder(tmp_path, SHOP))
    assert [(t.name, t.ids.tolist()) for t in graph.node_types] == [
        ("plane", ["N1", "N2", "N3"]),
        ("airport", ["JFK", "LAX", "SFO"]),
        ("route", ["r1", "r2"]),
    ]
    assert graph.relation_names == ("visits", "flies", "near")
    assert graph.directed.tolist() == [True, True, False]
    assert _edges(graph, "visits") == [
        ("N1", "JFK", "2013-01-01"),
        ("N2", "JFK", "2013-03-01"),
        ("N3", "SFO", "NaT"),
        ("N3", "LAX", "2013-05-01"),
    ]
    assert [pair[:2] for pair in _edges(graph, "flies")] == [
        ("N1", "r1"),
        ("N2", "r2"),
        ("N3", "r1"),
        ("N3", "r2"),
    ]
    assert graph.split_rule == SplitRule("time", "2013-03-01", "2013-04-01")
    assert graph.notes == ()
    plane, airport, route = graph.node_types
    assert [(a.name, a.modality) for a in plane.attributes] == [
        ("year", "numeric"),
        ("maker", "categorical"),
        ("seats", "numeric"),
    ]
    np.testing.assert_array_equal(plane.attributes[0].values, [1999, np.nan, 2001])
    assert plane.attributes[1].values.tolist() == ["BOEING", None, "AIRBUS"]
    assert [graph.node_label(i) for i in range(3)] == ["A1", "N2", "B2"]
    np.testing.assert_array_equal(airport.attributes[0].values, [[40.6, -73.8], [np.nan] * 2, [37.6, -122.4]])
    assert (airport.labels, route.attributes) == (None, ())


def test_parquet_tables_give_the_same_graph(tmp_path: Path) -> None:
    folder = write_folder(tmp_path, SHOP)
    first = read(folder)
    for name in ("planes", "airports", "visits", "near"):
        # A blank of a CSV is a null of a Parquet.
        frame = read_table(folder / f"{name}.csv")
        frame.mask(frame == "").to_parquet(folder / f"{name}.parquet")
    (folder / "schema.toml").write_text(SCHEMA.replace(".csv", ".parquet"))
    assert_same_graph(first, read(folder))


def test_a_repeated_edge_keeps_its_earliest_time(tmp_path: Path) -> None:
    visits = "tailnum,dest,first,route\nN1,JFK,2013-05-01,r1\nN1,JFK,,r2\nN1,JFK,2013-01-01,r1\n"
    visits += "N2,SFO,,r1\nN2,SFO,2013-02-01,r1\n"
    near = "a,b\nJFK,SFO\nSFO,JFK\nLAX,LAX\nJFK,SFO\n"
    graph = read(write_folder(tmp_path, SHOP, visits_csv=visits, near_csv=near))
    assert _edges(graph, "visits") == [("N1", "JFK", "2013-01-01"), ("N2", "SFO", "2013-02-01")]
    assert [pair[:2] for pair in _edges(graph, "near")] == [("JFK", "SFO"), ("LAX", "LAX")]
    assert graph.notes == (
        "3 repeated edges of visits dropped, the earliest of each kept",
        "2 repeated edges of plane.flies.route dropped, the earliest of each kept",
        "2 repeated edges of near dropped, the earliest of each kept",
    )


def test_a_blank_foreign_key_is_no_edge(tmp_path: Path) -> None:
    schema = """
[nodes.staff]
table = "staff.csv"
key = "id"
[relations.reports_to]
table = "staff.csv"
head = { type = "staff", column = "id" }
tail = { type = "staff", column = "boss" }
"""
    staff = "id,boss\nann,\nbob,ann\ncy,ann\n"
    graph = read(write_folder(tmp_path, {"schema.toml": schema, "staff.csv": staff}))
    assert [pair[:2] for pair in _edges(graph, "reports_to")] == [("bob", "ann"), ("cy", "ann")]
    assert graph.notes == ("1 row of staff.csv left out of reports_to, having a blank end",)
    assert graph.edges.times is None
    assert split_graph(graph).message is not None


@pytest.mark.data
def test_northwind(benchmark_data, tmp_path: Path) -> None:
    tables = benchmark_data("northwind") / "tables"
    schema = f"""
[nodes.product]
table = "{tables}/Products.csv"
key = "ProductID"
name = "ProductName"
[nodes.product.columns]
UnitPrice = "numeric"
[nodes.order]
table = "{tables}/Orders.csv"
key = "OrderID"
[nodes.category]
table = "{tables}/Categories.csv"
key = "CategoryID"
name = "CategoryName"
[nodes.category.columns]
Description = "text"
[relations.contains]
table = "{tables}/OrderDetails.csv"
head = {{ type = "order", column = "OrderID" }}
tail = {{ type = "product", column = "ProductID" }}
[relations.in_category]
table = "{tables}/Products.csv"
head = {{ type = "product", column = "ProductID" }}
tail = {{ type = "category", column = "CategoryID" }}
"""
    graph = read(write_folder(tmp_path, {"schema.toml": schema}))
    assert [len(t) for t in graph.node_types] == [77, 830, 8]
    assert np.bincount(graph.edges.relations).tolist() == [2155, 77]
    assert graph.node_label(0) == "Chai"
    dated = schema.replace('key = "OrderID"', 'key = "OrderID"\ncolumns = { OrderDate = "timestamp" }')
    (tmp_path / "schema.toml").write_text(dated)
    with pytest.raises(InputError, match=r"Orders.csv, row 2, column 'OrderDate': '7/4/1996' is not a date"):
        read(tmp_path)
