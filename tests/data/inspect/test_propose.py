"""Whole proposals: the shop's tables come out right with no edit, as files and as databases."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest

from relwise.data.graph import Graph
from relwise.data.inspect import Proposal
from relwise.data.split import split_graph
from relwise.errors import InputError
from tests.data.inspect.shop import (
    EDGES,
    declared_tables,
    edge_counts,
    proposed,
    read_as_proposed,
    shop_tables,
    write_tables,
)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tables(tmp_path_factory.mktemp("shop"), shop_tables())


def uses(proposal: Proposal) -> dict[tuple[str, str], str]:
    return {(one.table.removesuffix(".csv"), one.column): one.use for one in proposal.columns}


def check_shop(graph: Graph) -> None:
    counts = {node_type.name: len(node_type) for node_type in graph.node_types}
    assert counts == {"customer": 12, "employee": 6, "category": 8, "product": 20, "shipper": 3, "order": 60}
    assert edge_counts(graph) == EDGES


def test_the_shop_is_read_as_proposed(shop: Path, tmp_path: Path) -> None:
    graph = read_as_proposed(shop, tmp_path)
    check_shop(graph)
    attributes = {t.name: {a.name: a.modality for a in t.attributes} for t in graph.node_types}
    assert attributes == {
        "customer": {"CompanyName": "text", "City": "categorical", "Country": "categorical", "Region": "categorical"},
        "employee": {"BirthDate": "timestamp"},
        "category": {"CategoryName": "text"},
        "product": {
            "ProductName": "text",
            "UnitPrice": "numeric",
            "UnitsInStock": "numeric",
            "Discontinued": "boolean",
            "Uses": "multi_categorical",
        },
        "shipper": {"CompanyName": "text"},
        "order": {"Freight": "numeric"},
    }
    details = [one.name for one in graph.relations].index("order_details")
    assert [(one.name, one.modality) for one in graph.edge_attributes[details]] == [("Quantity", "numeric")]
    order, tables = graph.type_index["order"], shop_tables()
    assert list(graph.node_types[order].ids) == [row["OrderID"] for row in tables["Orders"]]
    # The dates are m/d/Y: read so, they are those that were written.
    customer = [one.name for one in graph.relations].index("customer")
    assert graph.edges.times is not None
    times = graph.edges.times[graph.edges.relations == customer]
    expected = pd.to_datetime([row["OrderDate"] for row in tables["Orders"]], format="%m/%d/%Y")
    assert (times == expected.to_numpy(dtype="datetime64[us]")).all()


def test_every_column_is_told_with_its_use(shop: Path) -> None:
    proposal = proposed(shop)
    told = uses(proposal)
    expected = {(table, column) for table, rows in shop_tables().items() for column in rows[0] if table != "Settings"}
    assert set(told) == expected
    assert told["Orders", "OrderID"] == "key"
    assert told["Orders", "ShipVia"] == "id of shipper"
    assert told["Orders", "OrderDate"] == "time"
    assert told["Customers", "Phone"].startswith("left out: phone numbers")
    assert told["Employees", "PhotoPath"].startswith("left out: file paths")
    assert told["Employees", "LastName"] == "name"
    # It says which customer it is, 100 times out of 100.
    assert told["Orders", "ShipName"].startswith("left out: it gives away CustomerID")
    assert list(proposal.unused) == ["Settings.csv"]
    columns = {(one.table, one.column): one for one in proposal.columns}
    assert columns["Customers.csv", "CustomerID"].examples == ("C00", "C01", "C02")
    assert columns["Customers.csv", "Region"].missing == pytest.approx(8 / 12)


def test_references_say_why_they_are_believed(shop: Path) -> None:
    relations = proposed(shop).relations
    assert {key: relation.tail.how for key, relation in relations.items()} == {
        "customer": "name",
        "employee": "name",
        "ship_via": "content",
        "order_details": "name",
        "category": "name",
        "reports_to": "content",
    }
    assert all(relation.tail.share == 1 for relation in relations.values())


def test_the_split_is_by_time_at_80_and_90_percent(shop: Path) -> None:
    split = proposed(shop).split
    dates = pd.to_datetime([row["OrderDate"] for row in shop_tables()["Orders"]], format="%m/%d/%Y")
    days = np.sort(np.tile(dates.to_numpy(dtype="datetime64[D]"), 3))
    assert split.valid == str(days[int(0.8 * len(days))])
    assert split.test == str(days[int(0.9 * len(days))])
    assert sum(split.counts) == 180
    assert split.counts[0] == int((days < np.datetime64(split.valid)).sum())


def test_without_dates_the_split_is_at_random(tmp_path: Path) -> None:
    tables = {name: rows for name, rows in shop_tables().items() if name in ("Products", "Categories")}
    assert proposed(tmp_path, tables).split.valid is None
    assert read_as_proposed(tmp_path, tmp_path).split_rule.by == "random"


# -- databases ---------------------------------------------------------------------------------------------


def _sqlite(path: Path) -> None:
    with sqlite3.connect(path) as base:
        for (name, rows), (create, values) in zip(shop_tables().items(), declared_tables(), strict=True):
            base.execute(create)
            base.executemany(f'INSERT INTO "{name}" VALUES ({", ".join("?" * len(rows[0]))})', values)
    base.close()


def _duckdb(path: Path) -> None:
    base = duckdb.connect(str(path))
    order = ["Customers", "Shippers", "Categories", "Employees", "Products", "Orders", "OrderDetails", "Settings"]
    made = dict(zip(shop_tables(), declared_tables(), strict=True))
    for name in order:
        create, values = made[name]
        base.execute(create)
        # Those whom the others report to come first: DuckDB looks at each row.
        values = sorted(values, key=lambda row: (row[3] is not None, row[3] != "2")) if name == "Employees" else values
        for row in values:
            base.execute(f'INSERT INTO "{name}" VALUES ({", ".join("?" * len(row))})', list(row))
    base.close()


@pytest.mark.parametrize("write", [_sqlite, _duckdb])
def test_declared_keys_go_before_guesses(write: Callable[[Path], None], tmp_path: Path) -> None:
    file = tmp_path / "shop.db"
    write(file)
    proposal = proposed(file)
    assert {relation.tail.how for relation in proposal.relations.values()} == {"declared"}
    check_shop(read_as_proposed(file, tmp_path))


# -- shapes of tables ----------------------------------------------------------------------------------------


def ends(proposal: Proposal) -> dict[str, tuple[str, str, int]]:
    return {key: (one.head.type, one.tail.type, one.edges) for key, one in proposal.relations.items()}


def test_edge_lists_by_the_name_of_their_file(tmp_path: Path) -> None:
    towns = [{"id": f"t{i}", "lat": str(i), "lon": str(2 * i), "founded": f"1{i}00-01-01"} for i in range(5)]
    firms = [{"id": f"f{i}", "name": f"firm {i}"} for i in range(6)]
    within = [{"head": f"f{i}", "tail": f"t{i % 5}", "n": str(i)} for i in range(6)]
    near = [{"head": f"t{i}", "tail": f"t{(i + 1) % 5}"} for i in range(5)]
    tables = {"town": towns, "firm": firms, "firm__in__town": within, "town__in__town": near}
    proposal = proposed(tmp_path, tables)
    assert ends(proposal) == {"firm.in.town": ("firm", "town", 6), "town.in.town": ("town", "town", 5)}
    town = next(node for node in proposal.nodes if node.name == "town")
    assert [(one.name, one.modality, one.columns) for one in town.attributes] == [
        ("position", "place", ("lat", "lon")),
        ("founded", "timestamp", ("founded",)),
    ]
    assert edge_counts(read_as_proposed(tmp_path, tmp_path)) == {"firm.in.town": 6, "town.in.town": 5}


def test_ids_that_no_table_lists_are_types_of_their_own(tmp_path: Path) -> None:
    ratings = [
        {"userId": str(i % 5), "movieId": f"m{i % 7}", "rating": str(i % 3 + 1), "timestamp": f"2020-01-{i + 1:02d}"}
        for i in range(30)
    ]
    proposal = proposed(tmp_path, {"ratings": ratings})
    assert ends(proposal) == {"ratings": ("user", "movie", 30)}
    assert [node.table for node in proposal.nodes] == [None, None]
    graph = read_as_proposed(tmp_path, tmp_path)
    assert {one.name: len(one) for one in graph.node_types} == {"user": 5, "movie": 7}


def test_a_numbered_tie_of_two_is_a_relation(tmp_path: Path) -> None:
    people = [{"id": str(i), "name": f"Ann {chr(97 + i)}"} for i in range(8)]
    clubs = [{"id": str(i), "name": f"Club {chr(97 + i)}"} for i in range(3)]
    joined = [{"id": str(100 + 3 * i), "person_id": str(i), "club_id": str(i % 3), "fee": str(i / 4)} for i in range(8)]
    proposal = proposed(tmp_path, {"people": people, "clubs": clubs, "memberships": joined})
    assert ends(proposal) == {"memberships": ("person", "club", 8)}
    assert [one.name for one in proposal.relations["memberships"].attributes] == ["fee"]


def test_a_table_of_three_ends_is_relations_from_the_first(tmp_path: Path) -> None:
    tables = {name: [{"id": f"{name}{i}"} for i in range(6)] for name in ("doctors", "drugs", "wards")}
    given = [
        {"doctor_id": f"doctors{i % 6}", "drug_id": f"drugs{i % 5}", "ward_id": f"wards{i % 4}", "dose": str(i / 7)}
        for i in range(40)
    ]
    proposal = proposed(tmp_path, {**tables, "given": given})
    assert ends(proposal) == {
        "given_drug": ("doctor", "drug", 30),
        "given_ward": ("doctor", "ward", 12),
    }
    assert edge_counts(read_as_proposed(tmp_path, tmp_path)) == {
        "doctor.given_drug.drug": 30,
        "doctor.given_ward.ward": 12,
    }


def test_a_compound_key_that_another_table_names(tmp_path: Path) -> None:
    flights = [{"airline": f"A{i % 3}", "number": str(i // 3), "miles": str(i * 10.5)} for i in range(12)]
    crew = [{"crew_id": f"c{i}", "airline": f"A{i % 3}", "number": str(i % 4)} for i in range(10)]
    proposal = proposed(tmp_path, {"flights": flights, "crew": crew})
    assert ends(proposal) == {"flight": ("crew", "flight", 10)}
    assert proposal.relations["flight"].tail.columns == ("airline", "number")
    graph = read_as_proposed(tmp_path, tmp_path)
    assert list(graph.node_types[graph.type_index["flight"]].ids[:2]) == ["A0|0", "A1|0"]


def test_orphans_are_dropped_and_counted(tmp_path: Path) -> None:
    shops = [{"shop_id": str(i)} for i in range(40)]
    visits = [{"visit_id": f"v{i}", "shop_id": str(i % 41), "mood": "ab"[i % 2]} for i in range(82)]
    relation = proposed(tmp_path, {"shops": shops, "visits": visits}).relations["shop"]
    assert (relation.orphans, relation.edges, relation.tail.share) == (2, 80, 40 / 41)
    assert edge_counts(read_as_proposed(tmp_path, tmp_path)) == {"visit.shop.shop": 80}


def test_words_that_a_key_holds_most_of_refer_to_it(tmp_path: Path) -> None:
    """A register that lacks some: the rows that name them are left out, and a person is told."""
    planes = [{"tailnum": f"N{i}X", "seats": str(i * 1.5)} for i in range(50)]
    ports = [{"code": f"{a}{b}Z"} for a in "ABCDE" for b in "FGHIJ"]
    flights = [
        {"flight_id": f"f{i}", "tailnum": f"N{i % 60}X", "goal": f"{'ABCDE'[i % 5]}{'FGHIJ'[i % 7 % 5]}Z"}
        for i in range(120)
    ]
    flights[77]["goal"] = "nowhere"
    proposal = proposed(tmp_path, {"planes": planes, "ports": ports, "flights": flights})
    assert {key: (one.edges, one.orphans) for key, one in proposal.relations.items()} == {
        "tailnum": (100, 20),
        "goal": (119, 1),
    }
    assert proposal.doubts == (
        "flights.csv: tailnum names 20 times what is not in planes.csv, which holds 83% of its values: those rows are "
        "left out",
    )
    assert edge_counts(read_as_proposed(tmp_path, tmp_path)) == {
        "flight.tailnum.plane": 100,
        "flight.goal.port": 119,
    }


def test_rows_that_say_the_same_are_one_edge_which_the_first_began(tmp_path: Path) -> None:
    tables = {name: [{"id": f"{name}{i}"} for i in range(10)] for name in ("a", "b")}
    ties = [
        {"head": f"a{i % 10}", "tail": f"b{i % 40 // 10}", "date": str(np.datetime64("2021-01-01") + i)}
        for i in range(400)
    ]
    proposal = proposed(tmp_path, {**tables, "a__sees__b": ties})
    relation = proposal.relations["sees"]
    assert (relation.edges, relation.rows) == (40, 400)
    # By all rows the cut would come in November, when no edge is new.
    assert (proposal.split.valid, proposal.split.test) == ("2021-02-02", "2021-02-06")
    assert proposal.split.counts == (32, 4, 4)
    split = split_graph(read_as_proposed(tmp_path, tmp_path), 0)
    assert int(split.valid.labels.sum()) == 4


def test_a_near_miss_is_told(tmp_path: Path) -> None:
    tables = shop_tables()
    tables["Orders"] = [{**row, "EmployeeID": str(1 + i % 9)} for i, row in enumerate(tables["Orders"])]
    proposal = proposed(tmp_path, tables)
    assert "employee" not in proposal.relations
    assert any("EmployeeID is named as if it referred to Employees.csv" in doubt for doubt in proposal.doubts)


def test_what_was_gathered_until_a_date_is_known_before_it_alone(tmp_path: Path) -> None:
    tables = {name: [{"id": f"{name}{i}"} for i in range(9)] for name in ("a", "b")}
    days = [np.datetime64("2021-01-01") + np.timedelta64(i, "D") for i in range(60)]
    ties = [
        {
            "head": f"a{i % 9}",
            "tail": f"b{i // 9}",
            "n": str(i % 5),
            "first_date": str(day),
            "last_date": str(day + np.timedelta64(i % 3, "D")),
        }
        for i, day in enumerate(days)
    ]
    proposal = proposed(tmp_path, {**tables, "a__buys__b": ties})
    relation = proposal.relations["buys"]
    assert relation.time is not None
    assert relation.time.column == "first_date"
    assert {one.name: one.options for one in relation.attributes} == {
        "n": {"before": "last_date"},
        "last_date": {"before": "last_date"},
    }
    graph = read_as_proposed(tmp_path, tmp_path)
    late = sum(row["last_date"] >= str(proposal.split.valid) for row in ties)
    assert f"{late} values of buys.n taken as missing" in " ".join(graph.notes)


# -- what cannot be proposed -----------------------------------------------------------------------------------


def test_no_tables(tmp_path: Path) -> None:
    (tmp_path / "notes.md").write_text("nothing here", encoding="utf-8")
    with pytest.raises(InputError, match=r"there is no table; a folder needs files that end in \.csv"):
        proposed(tmp_path)


def test_tables_that_do_not_relate(tmp_path: Path) -> None:
    tables = shop_tables()
    with pytest.raises(InputError, match="no two of its 2 tables relate; a column was looked for") as error:
        proposed(tmp_path, {name: tables[name] for name in ("Customers", "Shippers")})
    assert "CustomerID of Customers.csv; ShipperID of Shippers.csv" in str(error.value)


def test_a_relation_of_one_edge_is_not_proposed(tmp_path: Path) -> None:
    tables = shop_tables()
    tables["Employees"] = [{**row, "ReportsTo": "2" if row["EmployeeID"] == "1" else ""} for row in tables["Employees"]]
    tables["Employees"][2]["ReportsTo"] = "5"
    proposal = proposed(tmp_path, tables)
    assert proposal.relations["reports_to"].edges == 2
    tables["Orders"] = [{**row, "CustomerID": "C01" if i == 5 else ""} for i, row in enumerate(tables["Orders"])]
    proposal = proposed(tmp_path, tables)
    assert "customer" not in proposal.relations
    assert "Orders.csv: CustomerID refers to Customers.csv, in 1 row: too few" in proposal.doubts
    assert "Customers.csv" in proposal.unused


def test_a_table_without_rows_is_told(tmp_path: Path) -> None:
    write_tables(tmp_path, shop_tables())
    (tmp_path / "Empty.csv").write_text("EmptyID,CustomerID\n", encoding="utf-8")
    assert proposed(tmp_path).unused["Empty.csv"] == "it has no rows"


def test_two_columns_with_one_name_are_an_error(tmp_path: Path) -> None:
    write_tables(tmp_path, shop_tables())
    (tmp_path / "Twice.csv").write_text("a,b,a\n1,2,3\n", encoding="utf-8")
    with pytest.raises(InputError, match="columns 1 and 3 are both called 'a'"):
        proposed(tmp_path)


@pytest.mark.data
def test_northwind_comes_out_right(benchmark_data: Callable[[str], Path], tmp_path: Path) -> None:
    graph = read_as_proposed(benchmark_data("northwind") / "tables", tmp_path)
    assert {one.name: len(one) for one in graph.node_types} == {
        "order": 830,
        "customer": 91,
        "product": 77,
        "territory": 53,
        "supplier": 29,
        "employee": 9,
        "category": 8,
        "region": 4,
        "shipper": 3,
    }
    assert edge_counts(graph) == {
        "order.order_details.product": 2155,
        "order.customer.customer": 830,
        "order.employee.employee": 830,
        "order.ship_via.shipper": 830,
        "product.supplier.supplier": 77,
        "product.category.category": 77,
        "territory.region.region": 53,
        "employee.employee_territories.territory": 49,
        "employee.reports_to.employee": 8,
    }
    details = [one.name for one in graph.relations].index("order_details")
    assert [one.name for one in graph.edge_attributes[details]] == ["UnitPrice", "Quantity", "Discount"]
    assert graph.edges.times is not None
    assert str(np.nanmin(graph.edges.times))[:10] == "1996-07-04"
    assert graph.split_rule.by == "time"


@pytest.mark.data
def test_canada_procurement_comes_out_right(benchmark_data: Callable[[str], Path], tmp_path: Path) -> None:
    """Departments, offices, cities and what ties them: files whose names say which types they tie."""
    for name in ("nodes/office", "nodes/department", "nodes/city", "edges/office__in_city__city"):
        file = benchmark_data("canada_procurement") / f"{name}.csv"
        (tmp_path / file.name).symlink_to(file)
    for name in ("office__part_of__department",):
        (tmp_path / f"{name}.csv").symlink_to(benchmark_data("canada_procurement") / "edges" / f"{name}.csv")
    graph = read_as_proposed(tmp_path, tmp_path)
    assert edge_counts(graph) == {"office.in_city.city": 1225, "office.part_of.department": 1228}
    city = graph.node_types[graph.type_index["city"]]
    assert [one.modality for one in city.attributes] == ["categorical"] * 3 + ["place"]
