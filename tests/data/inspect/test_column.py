"""One column: its modality by what it holds, and the reasons for which it is left out."""

from __future__ import annotations

import datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from relwise.data.inspect.cells import Cells, ids_of
from relwise.data.inspect.column import Column, inspect_column

NAMES = [f"{a}{b}" for a in ("Anna", "Bert", "Carl", "Dora") for b in (" Fox", " Gray", " Hill", " Irwin")]


def found(cells: list[Any], name: str = "c") -> Column:
    return inspect_column(name, Cells.of(pa.array(cells)))


@pytest.mark.parametrize(
    ("cells", "name", "modality"),
    [
        (["1.5", "2", "", "-3e4", "7", "8"], "size", "numeric"),
        ([1.5, None, 2.5], "size", "numeric"),
        ([3, 9, 4, 7], "stock", "numeric"),
        (["0", "1", "1", ""], "paid", "boolean"),
        (["Yes", "no", "NO", ""], "paid", "boolean"),
        ([True, False, None], "paid", "boolean"),
        ([0, 1, 1], "paid", "boolean"),
        (["red", "blue", "red", "blue", "blue", ""], "colour", "categorical"),
        (["red", "red", ""], "colour", "categorical"),
        ([11, 12, 11, 12, 12], "dept_code", "categorical"),
        (["01", "02", "01", "02"], "kind", "categorical"),
        (["a|b", "b|c", "a|c", "c", "a|b|c", "b"] * 2, "uses", "multi_categorical"),
        ([["a", "b"], ["b"], None], "uses", "multi_categorical"),
        (["2020-01-01", "2020-02-01T10:00", ""], "since", "timestamp"),
        ([datetime.date(2020, 1, 1), datetime.date(2021, 1, 1)], "since", "timestamp"),
        ([[1.0, 2.0], [3.0, 4.0], None], "profile", "vector"),
        ([f"{n} writes long letters about his garden" for n in NAMES], "notes", "text"),
        ([f"Miss {n}" for n in NAMES], "product_name", "text"),
        (["Oslo", "Rome", "Bonn", "Lima", "Oslo"], "City", "categorical"),
    ],
)
def test_modalities(cells: list[Any], name: str, modality: str) -> None:
    assert found(cells, name).modality == modality


@pytest.mark.parametrize(
    ("cells", "name", "reason"),
    [
        (["", " ", ""], "c", "blank in every row"),
        ([None, None], "c", "blank in every row"),
        (["CAN", "CAN"], "country", "the same in every row: 'CAN'"),
        ([b"a", b"b"], "picture", "its type, binary, is none that is read"),
        ([float("nan"), 1.0], "size", "NaN or infinity"),
        ([1e300, 2.0, 3.0], "size", "too large"),
        ([4, 5, 6, 7], "row", "it numbers the rows"),
        (["4", "5", "6", "9"], "account_id", "codes of which nearly every row has its own"),
        (NAMES, "contact", "names of which nearly every row has its own"),
        ([f"X{i:03d}-{i * i}" for i in range(20)], "serial", "codes of which nearly every row has its own"),
        ([f"+44 {i} 55 66 {i}" for i in range(1000, 1020)], "reach", "phone numbers"),
        ([f"me{i}@shop.org" for i in range(20)], "reach", "mail addresses"),
        ([f"/home/a/{i}.csv" for i in range(20)], "file", "file paths or web addresses"),
        ([f"https://a.org/{i % 3}" for i in range(20)], "page", "file paths or web addresses"),
        ([f"{i} High Street" for i in range(20)], "address", "street addresses"),
        ([[1.0], [1.0, 2.0]], "profile", "lists of several lengths"),
        ([[float("nan")], [1.0]], "profile", "lists that hold more than numbers"),
        ([*map(str, range(50)), "N/A"], "size", "numbers, but for cells like 'N/A'"),
        ([*(f"2020-01-{i:02d}" for i in range(1, 31)), "soon"], "due", "dates, but for values like 'soon'"),
    ],
)
def test_what_is_left_out_and_why(cells: list[Any], name: str, reason: str) -> None:
    column = found(cells, name)
    assert column.modality is None
    assert column.reason.startswith(reason) or reason in column.reason


def test_what_is_told_of_a_column() -> None:
    column = found(["b", "", "a\nlong one", "b", "c", "d", "b", "b"])
    assert column.examples == ("b", "a long one", "c")
    assert column.missing == pytest.approx(1 / 8)
    assert column.distinct == 4


def test_the_separator_is_told() -> None:
    assert found(["a; b", "b;c", "a;c", "c", "b"] * 3).options == {"separator": ";"}
    assert found(["a|b", "b|c", "a|c", "c", "b"] * 3).options == {}
    # Prose is no list of words.
    assert found([f"word{i}, word{i + 1}, and {n}" for i, n in enumerate(NAMES)]).modality != "multi_categorical"


def test_a_date_that_may_be_read_in_two_ways_is_told() -> None:
    column = found(["1/2/2020", "3/4/2020"])
    assert column.options == {"format": "%m/%d/%Y"}
    assert "%d/%m/%Y" in column.remark
    assert found(["1/2/2020", "3/14/2020"]).remark == ""


def test_a_large_column_is_judged_by_what_repeats() -> None:
    rng = np.random.default_rng(0)
    few = [f"town {i}" for i in rng.integers(0, 300, 2000)]
    assert found(few, "seat").modality == "categorical"
    assert found([f"town {i}" for i in range(2000)], "seat").modality is None


def test_ids_stand_as_they_are() -> None:
    assert ids_of(pa.array([" a", "07", "", None])).to_pylist() == [" a", "07", None, None]
    assert ids_of(pa.array([7, None])).to_pylist() == ["7", None]
    assert ids_of(pa.array(["x", "y", "x"]).dictionary_encode()).to_pylist() == ["x", "y", "x"]
    assert ids_of(pa.chunked_array([["x"], ["y"]])).to_pylist() == ["x", "y"]
