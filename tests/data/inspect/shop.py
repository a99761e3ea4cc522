"""A small shop's tables, with what real ones bring: compound keys, blanks, dates as people write them, references by
other names, and columns that are of no use."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

from relwise.data.graph import Graph
from relwise.data.inspect import Proposal, propose, schema_text
from relwise.data.read import read
from relwise.data.sources import open_source

Rows = list[dict[str, str]]


def shop_tables(orders: int = 60) -> dict[str, Rows]:
    """The tables by name, all cells text."""
    rng = np.random.default_rng(7)
    customers = [
        {
            "CustomerID": f"C{i:02d}",
            "CompanyName": f"{word} and sons number {i}",
            "City": ["Oslo", "Rome", "Lima", "Bonn"][i % 4],
            "Country": ["Norway", "Italy", "Peru", "Germany"][i % 4],
            "Phone": f"({100 + i}) 555-{1000 + 37 * i}",
            "Region": "" if i % 3 else f"R{i % 2}",
        }
        for i, word in enumerate(["Alder", "Birch", "Cedar", "Elm", "Fir", "Hazel"] * 2)
    ]
    staff = [
        {
            "EmployeeID": str(i),
            "LastName": name,
            "BirthDate": f"{i}/1{i}/196{i}",
            "ReportsTo": "" if i == 2 else "2" if i < 6 else "5",
            "PhotoPath": f"http://pictures/{name}.bmp",
        }
        for i, name in enumerate(["Able", "Baker", "Carr", "Drew", "Eads", "Fox"], 1)
    ]
    categories = [{"CategoryID": str(i), "CategoryName": f"kind {i}"} for i in range(1, 9)]
    products = [
        {
            "ProductID": str(i),
            "ProductName": f"Thing {'abcdefghijklmnopqrst'[i - 1]}",
            "CategoryID": str(1 + i % 8),
            "UnitPrice": f"{1.5 * i:g}",
            "UnitsInStock": str(i % 7),
            "Discontinued": str(i % 2),
            "Uses": ["home|garden", "home", "office|home", "garden"][i % 4],
        }
        for i in range(1, 21)
    ]
    day = np.datetime64("2020-01-05") + np.sort(rng.integers(0, 300, orders)).astype("timedelta64[D]")
    made = []
    for i in range(orders):
        customer = customers[int(rng.integers(12))]
        month = day[i].astype("datetime64[M]").astype(int) % 12 + 1
        of_month = (day[i] - day[i].astype("datetime64[M]")).astype(int) + 1
        made.append(
            {
                "OrderID": str(10248 + i),
                "CustomerID": customer["CustomerID"],
                "EmployeeID": str(1 + i % 6),
                "OrderDate": f"{month}/{of_month}/2020",
                "ShipVia": str(1 + i % 3),
                "Freight": f"{rng.random() * 50:.2f}",
                "ShipName": customer["CompanyName"],
            }
        )
    details = [
        {"OrderID": order["OrderID"], "ProductID": str(product), "Quantity": str(1 + int(product) % 5)}
        for order in made
        for product in rng.choice(np.arange(1, 21), 2, replace=False)
    ]
    return {
        "Customers": customers,
        "Employees": staff,
        "Categories": categories,
        "Products": products,
        "Shippers": [{"ShipperID": str(i), "CompanyName": f"Carrier {'xyz'[i - 1]}"} for i in (1, 2, 3)],
        "Orders": made,
        "OrderDetails": details,
        "Settings": [{"Name": "tax", "Value": "0.2"}, {"Name": "tax", "Value": "0.1"}],
    }


EDGES = {
    "order.customer.customer": 60,
    "order.employee.employee": 60,
    "order.ship_via.shipper": 60,
    "order.order_details.product": 120,
    "product.category.category": 20,
    "employee.reports_to.employee": 5,
}
"""The relations that the tables hold, and how many edges each has."""


def write_tables(folder: Path, tables: dict[str, Rows]) -> Path:
    """Each table as a CSV file."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, rows in tables.items():
        with (folder / f"{name}.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, rows[0])
            writer.writeheader()
            writer.writerows(rows)
    return folder


def proposed(folder: Path, tables: dict[str, Rows] | None = None) -> Proposal:
    """What is proposed of a folder, after the tables were written there."""
    return propose(open_source(folder if tables is None else write_tables(folder, tables)))


def read_as_proposed(source: Path | str, folder: Path) -> Graph:
    """The graph that is read by the schema proposed of a source, with no edit."""
    opened = open_source(source)
    text = schema_text(propose(opened), opened.name, str(source))
    (folder / "proposed.toml").write_text(text, encoding="utf-8")
    return read(folder / "proposed.toml")


def edge_counts(graph: Graph) -> dict[str, int]:
    """How many edges each relation has."""
    return {one.full_name: int((graph.edges.relations == i).sum()) for i, one in enumerate(graph.relations)}


_REFERENCES = {
    ("Orders", "CustomerID"): "Customers",
    ("Orders", "EmployeeID"): "Employees",
    ("Orders", "ShipVia"): "Shippers",
    ("OrderDetails", "OrderID"): "Orders",
    ("OrderDetails", "ProductID"): "Products",
    ("Products", "CategoryID"): "Categories",
    ("Employees", "ReportsTo"): "Employees",
}


def declared_tables() -> list[tuple[str, list[tuple[str | None, ...]]]]:
    """For each table CREATE TABLE with declared keys, and its rows, None where blank."""
    made = []
    for name, rows in shop_tables().items():
        columns = [f'"{column}" TEXT' for column in rows[0]]
        if name == "OrderDetails":
            columns.append('PRIMARY KEY ("OrderID", "ProductID")')
        elif name != "Settings":
            columns.append(f'PRIMARY KEY ("{next(iter(rows[0]))}")')
        for (table, column), of in _REFERENCES.items():
            key = next(iter(shop_tables()[of][0]))
            columns += [f'FOREIGN KEY ("{column}") REFERENCES "{of}" ("{key}")'] if table == name else []
        values = [tuple(cell or None for cell in row.values()) for row in rows]
        made.append((f'CREATE TABLE "{name}" ({", ".join(columns)})', values))
    return made
