from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet
import pytest
from hypothesis import given
from hypothesis import strategies as st

from relwise.data.columns import convert, numeric, place, timestamp, vector, words
from relwise.data.tables import read_table
from relwise.errors import InputError

Write = Callable[[Any], tuple[pd.DataFrame, Path]]


@pytest.fixture
def parquet(tmp_path: Path) -> Write:
    def write(array: Any) -> tuple[pd.DataFrame, Path]:
        path = tmp_path / "a.parquet"
        pyarrow.parquet.write_table(pa.table({"x": array}), path)
        return read_table(path), path

    return write


@pytest.fixture
def csv(tmp_path: Path) -> Write:
    def write(text: str) -> tuple[pd.DataFrame, Path]:
        path = tmp_path / "a.csv"
        path.write_text(text, encoding="utf-8")
        return read_table(path), path

    return write


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False) | st.none(), min_size=1))
def test_numbers_are_read_as_python_reads_them(values: list[float | None]) -> None:
    frame = pd.DataFrame({"x": ["" if v is None else repr(v) for v in values]}, dtype=str)
    expected = np.array([np.nan if v is None else v for v in values])
    np.testing.assert_array_equal(numeric(frame, "x", "a.csv"), expected)


def test_numbers_in_csv(csv: Write) -> None:
    frame, path = csv("x\n 1 \n-2.5e3\n+7\n" + "9" * 25 + "\n")
    assert numeric(frame, "x", path).tolist() == [1.0, -2500.0, 7.0, 1e25]


@pytest.mark.parametrize(
    ("value", "what", "remedy"),
    [
        ("NaN", "NaN is not a number", "leave the cell blank"),
        ("-inf", "-inf is not a number", "leave the cell blank"),
        ("Infinity", "Infinity is not a number", "leave the cell blank"),
        ("abc", "'abc' is not a number", "declare the column categorical"),
        ("NA", "'NA' is not a number", "leave the cell blank"),
        ("1,5", "'1,5' is not a number", "declare the column categorical"),
        ("1_000", "'1_000' is not a number", "declare the column categorical"),
        ("0x10", "'0x10' is not a number", "declare the column categorical"),
        ("1e999", "'1e999' is too large", "leave the cell blank"),
    ],
)
def test_what_is_no_number(csv: Write, value: str, what: str, remedy: str) -> None:
    frame, path = csv(f'y,x\na,\nb,3\nc,"{value}"\n')
    with pytest.raises(InputError) as caught:
        numeric(frame, "x", path)
    assert caught.value.where == f"{path}, row 4, column 'x'"
    assert caught.value.what == what
    assert remedy in str(caught.value.remedy)


@pytest.mark.parametrize(
    ("array", "expected"),
    [
        (pa.array([1, None], pa.int32()), [1.0, np.nan]),
        (pa.array([1.5, None], pa.float32()), [1.5, np.nan]),
        (pa.array([True, None]), [1.0, np.nan]),
        (pa.array(["2", None, ""]), [2.0, np.nan, np.nan]),
        (pa.array([None, None]), [np.nan, np.nan]),
    ],
)
def test_numbers_in_parquet(parquet: Write, array: Any, expected: list[float]) -> None:
    np.testing.assert_array_equal(numeric(parquet(array)[0], "x", "a.parquet"), expected)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_nan_and_infinity_in_parquet_are_mistakes(parquet: Write, value: float) -> None:
    frame, path = parquet(pa.array([1.0, None, value]))
    for read in (numeric, words):
        with pytest.raises(InputError) as caught:
            read(frame, "x", path)
        assert caught.value.where == f"{path}, row 3, column 'x'"
        assert caught.value.what == f"{value} is not a number"
        assert "blank" in str(caught.value.remedy)


@pytest.mark.parametrize(
    ("array", "expected"),
    [
        (pa.array([1, None]), ["1", None]),
        (pa.array([1.0, None]), ["1", None]),
        (pa.array(["a", "b", "a", None]).dictionary_encode(), ["a", "b", "a", None]),
        (pa.array([" a ", " ", ""], pa.large_string()), [" a ", None, None]),
        (pa.array([None, None]), [None, None]),
    ],
)
def test_words(parquet: Write, array: Any, expected: list[str | None]) -> None:
    assert words(parquet(array)[0], "x", "a.parquet").tolist() == expected


def test_dates(csv: Write) -> None:
    frame, path = csv('x\n2013-01-31\n" "\n2013-01-31T10:00:00+02:00\n0001-01-01\n2013-01-01 00:00:00.123456789Z\n')
    got = timestamp(frame, "x", path)
    assert got.dtype == "datetime64[us]"
    expected = ["2013-01-31", "NaT", "2013-01-31T08:00", "0001-01-01", "2013-01-01T00:00:00.123456"]
    np.testing.assert_array_equal(got, np.array(expected, "datetime64[us]"))


@pytest.mark.parametrize("value", ["7/4/1996", "2013-02-30", "now", "today", "NaT", "12", "soon", "10000-01-01"])
def test_what_is_no_date(csv: Write, value: str) -> None:
    frame, path = csv(f"x\n2013-01-01\n{value}\n")
    with pytest.raises(InputError) as caught:
        timestamp(frame, "x", path)
    assert caught.value.where == f"{path}, row 3, column 'x'"
    assert caught.value.what == f"{value!r} is not a date"
    assert "YYYY-MM-DD" in str(caught.value.remedy)


def test_dates_in_parquet(parquet: Write) -> None:
    moment = np.array(["2013-01-01T00:00", "NaT"], "datetime64[ns]")
    for kind in (pa.timestamp("ns"), pa.timestamp("s", "Europe/Berlin"), pa.date32()):
        got = timestamp(parquet(pa.array(moment).cast(kind))[0], "x", "a.parquet")
        np.testing.assert_array_equal(got, moment.astype("datetime64[us]"))
    frame, path = parquet(pa.array([None, 2013]))
    with pytest.raises(InputError, match=r"row 2, column 'x': '2013' is not a date"):
        timestamp(frame, "x", path)


def test_places(csv: Write) -> None:
    frame, path = csv("la,lo\n52.5,13.4\n,\n")
    np.testing.assert_array_equal(place(frame, "la", "lo", path), [[52.5, 13.4], [np.nan, np.nan]])


@pytest.mark.parametrize(
    ("row", "column", "what"),
    [("91,0", "la", "latitude"), ("0,-180.5", "lo", "longitude"), ("1,", "lo", "half"), (",1", "la", "half")],
)
def test_what_is_no_place(csv: Write, row: str, column: str, what: str) -> None:
    frame, path = csv(f"la,lo\n1,1\n{row}\n")
    with pytest.raises(InputError) as caught:
        place(frame, "la", "lo", path)
    assert caught.value.where == f"{path}, row 3, column '{column}'"
    assert what in caught.value.what
    assert caught.value.remedy


def test_vectors_from_columns(csv: Write) -> None:
    frame, path = csv("a,b\n1,2\n,\n")
    got = vector(frame, ["a", "b"], path)
    assert got.dtype == np.float32
    np.testing.assert_array_equal(got, [[1, 2], [np.nan, np.nan]])
    np.testing.assert_array_equal(convert(frame, "vector", ["a"], path), [[1], [np.nan]])


@pytest.mark.parametrize(("row", "column"), [("1,", "b"), ("1,1e39", "b"), ("x,1", "a")])
def test_what_is_no_vector(csv: Write, row: str, column: str) -> None:
    frame, path = csv(f"a,b\n1,2\n{row}\n")
    with pytest.raises(InputError) as caught:
        vector(frame, ["a", "b"], path)
    assert caught.value.where == f"{path}, row 3, column '{column}'"


@pytest.mark.parametrize("kind", [pa.list_(pa.float64()), pa.large_list(pa.float32()), pa.list_(pa.int64(), 2)])
def test_vectors_from_lists(parquet: Write, kind: pa.DataType) -> None:
    frame, path = parquet(pa.array([[1, 2], None, [3, 4]], kind))
    np.testing.assert_array_equal(vector(frame, ["x"], path), [[1, 2], [np.nan, np.nan], [3, 4]])


@pytest.mark.parametrize(
    ("array", "row"),
    [
        (pa.array([[1.0, 2.0], [3.0]]), 2),
        (pa.array([[1.0, 2.0], [3.0, None]]), 2),
        (pa.array([None, [float("inf")]]), 2),
        (pa.array([["a"]]), 1),
        (pa.array([[]], pa.list_(pa.float64())), 1),
    ],
)
def test_what_is_no_list_of_numbers(parquet: Write, array: Any, row: int) -> None:
    frame, path = parquet(array)
    with pytest.raises(InputError) as caught:
        vector(frame, ["x"], path)
    assert caught.value.where == f"{path}, row {row}, column 'x'"
    with pytest.raises(InputError):
        words(frame, "x", path)
