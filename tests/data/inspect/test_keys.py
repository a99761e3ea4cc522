"""Keys and references: what is believed, and what small numbers alone do not prove."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pyarrow as pa

from relwise.data.inspect.keys import Reference, find_references, key_candidates
from relwise.data.inspect.table import Ids, Table
from relwise.data.sources import open_source
from tests.data.inspect.shop import Rows, write_tables


def tables(folder: Path, given: dict[str, Rows]) -> dict[str, Table]:
    source = open_source(write_tables(folder, given))
    return {name: Table(source, name) for name in source.tables()}


def references(folder: Path, given: dict[str, Rows]) -> list[Reference]:
    return find_references(tables(folder, given), [])[0]


THINGS: Rows = [{"thing_id": str(i), "name": f"n{i}"} for i in range(1, 9)]


def test_the_key_is_the_column_named_so(tmp_path: Path) -> None:
    rows = [{"rank": str(i), "name": f"n{i}", "shop_id": f"s{i}", "code": f"c{i}"} for i in range(5)]
    found = key_candidates(tables(tmp_path, {"shops": rows})["shops.csv"])
    assert max(found, key=lambda key: found[key]) == ("shop_id",)
    assert ("rank",) not in found


def test_a_key_is_never_blank_and_never_twice_the_same(tmp_path: Path) -> None:
    blank = [{"a_id": str(i) if i else "", "b": "x"} for i in range(5)]
    twice = [{"a_id": str(i % 4), "b": "x"} for i in range(5)]
    for name, rows in (("blank", blank), ("twice", twice)):
        assert key_candidates(tables(tmp_path / name, {"as": rows})["as.csv"]) == {}


def test_several_columns_are_a_key_where_no_one_is(tmp_path: Path) -> None:
    rows = [{"order": str(i // 3), "line": str(i % 3), "price": str(i / 7)} for i in range(9)]
    assert list(key_candidates(tables(tmp_path, {"lines": rows})["lines.csv"])) == [("order", "line")]


def test_quantities_refer_to_nothing(tmp_path: Path) -> None:
    columns = ("quantity", "UnitsInStock", "ReorderLevel", "rating", "n_seats", "age", "year", "score")
    rows = [{"x_id": f"x{i}", **{name: str(1 + (i + j) % 8) for j, name in enumerate(columns)}} for i in range(20)]
    assert references(tmp_path, {"things": THINGS, "xs": rows}) == []


def test_a_small_number_refers_where_its_name_says_so(tmp_path: Path) -> None:
    rows = [{"x_id": f"x{i}", "made_by": str(1 + i % 8), "main_thing_id": str(1 + i % 5)} for i in range(20)]
    found = references(tmp_path, {"things": THINGS, "xs": rows})
    assert {(one.columns, one.of, one.how) for one in found} == {
        (("made_by",), "things.csv", "content"),
        (("main_thing_id",), "things.csv", "name"),
    }


def test_which_of_several_keys_is_meant_is_not_guessed(tmp_path: Path) -> None:
    others = [{"other_id": str(i)} for i in range(1, 9)]
    rows = [{"x_id": f"x{i}", "made_by": str(1 + i % 8)} for i in range(20)]
    made = tables(tmp_path, {"things": THINGS, "others": others, "xs": rows})
    found, nearly = find_references(made, [])
    assert found == []
    assert nearly == [
        "xs.csv: made_by could refer to any of others.csv, things.csv by its values, and its name does not say to which"
    ]


def test_words_refer_by_what_they_are(tmp_path: Path) -> None:
    ports = [{"faa": code, "title": f"port {code}"} for code in ("JFK", "LAX", "SFO", "BOS")]
    hops = [{"hop": f"h{i}", "origin": ("JFK", "LAX", "SFO")[i % 3], "mood": "xyz"[i % 3]} for i in range(9)]
    found = references(tmp_path, {"ports": ports, "hops": hops})
    assert [(one.columns, one.of, one.key, one.share) for one in found] == [(("origin",), "ports.csv", ("faa",), 1.0)]


def test_a_row_refers_to_another_of_its_table_and_not_to_itself(tmp_path: Path) -> None:
    staff = [{"id": str(i), "manager_id": "" if i == 1 else str(i // 2), "copy": str(i)} for i in range(1, 9)]
    found = references(tmp_path, {"staff": staff})
    assert [(one.columns, one.of) for one in found] == [(("manager_id",), "staff.csv")]


def test_of_two_tables_with_one_key_the_smaller_refers_to_the_larger(tmp_path: Path) -> None:
    large = [{"part_id": f"p{i}", "a": "x"} for i in range(9)]
    small = [{"part_id": f"p{i}", "b": "y"} for i in range(6)]
    found = references(tmp_path, {"alpha": small, "beta": large})
    assert [(one.table, one.of) for one in found] == [("alpha.csv", "beta.csv")]


def test_a_table_of_many_rows_is_looked_at_in_part_but_its_keys_wholly(tmp_path: Path) -> None:
    rows = [{"x_id": str(i % 999), "odd": str(i % 2)} for i in range(1000)]
    source = open_source(write_tables(tmp_path, {"xs": rows}))
    table = Table(source, "xs.csv", sample_rows=100)
    assert table.sample.num_rows == 100
    assert len(table.ids(("x_id",)).codes) == 1000
    assert table.key_index(("x_id",)) is None  # the last row is the first again, which no sample would show
    assert table.sample["x_id"].to_pylist() == [str(i) for i in range(0, 1000, 10)]


def test_ids_of_several_columns_are_joined_as_a_graph_joins_them() -> None:
    ids = Ids.of([pa.array(["a|b", "a", "x", None, "x"]), pa.array(["c", "b|c", "1", "2", "1"])])
    assert ids.distinct.tolist() == ["a|b|c", "x|1"]
    assert ids.codes.tolist() == [0, 0, 1, -1, 1]
    assert not ids.unique
    assert ids.blank == 1
    assert ids.held_by(pd.Index(["x|1"])).tolist() == [False, False, True, False, True]
    other = Ids.of([pa.array(["a|b|c", "no", "x|1", "y", None])])
    assert ids.same_as(other).tolist() == [True, False, True, False, False]
