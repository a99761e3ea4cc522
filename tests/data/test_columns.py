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

from relwise.data.columns import address, blanked, boolean, convert, missing, numeric, place, vector, word_sets, words
from relwise.data.dates import timestamp
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


def test_true_and_false(csv: Write) -> None:
    frame, path = csv('x\ntrue\nFALSE\nYes\nno\nT\nf\n1\n 0 \n" "\n')
    np.testing.assert_array_equal(boolean(frame, "x", path), [1, 0, 1, 0, 1, 0, 1, 0, np.nan])
    frame, path = csv("x\ntrue\nmaybe\n")
    with pytest.raises(InputError, match=r"row 3, column 'x': 'maybe' is neither true nor false"):
        boolean(frame, "x", path)


@pytest.mark.parametrize(
    ("array", "expected"),
    [
        (pa.array([True, None, False]), [1, np.nan, 0]),
        (pa.array([1, 0, None], pa.int8()), [1, 0, np.nan]),
        (pa.array([1.0, 0.0, None]), [1, 0, np.nan]),
        (pa.array(["Y", "n", ""]), [1, 0, np.nan]),
        (pa.array([None, None]), [np.nan, np.nan]),
    ],
)
def test_true_and_false_in_parquet(parquet: Write, array: Any, expected: list[float]) -> None:
    got = boolean(parquet(array)[0], "x", "a.parquet")
    assert got.dtype == np.float64
    np.testing.assert_array_equal(got, expected)


@pytest.mark.parametrize("array", [pa.array([1.0, 0.5]), pa.array([0, 2]), pa.array([None, [True]])])
def test_what_is_neither_true_nor_false(parquet: Write, array: Any) -> None:
    frame, path = parquet(array)
    with pytest.raises(InputError, match=r"row 2, column 'x': '.*' is neither true nor false"):
        boolean(frame, "x", path)


def test_several_words(csv: Write) -> None:
    frame, path = csv('x\na|b\n" b | a|b"\n""\n|\na;b\n')
    assert word_sets(frame, "x", path).tolist() == [("a", "b"), ("b", "a"), None, (), ("a;b",)]
    assert convert(frame, "multi_categorical", ["x"], path, separator=";").tolist()[4] == ("a", "b")


@given(
    st.lists(st.lists(st.text("abc .+", min_size=1)) | st.none(), min_size=1), st.sampled_from(["|", ";", ", ", "||"])
)
def test_several_words_are_split_as_python_splits_them(cells: list[list[str] | None], separator: str) -> None:
    text = ["" if cell is None else separator.join(cell) for cell in cells]
    frame = pd.DataFrame({"x": text}, dtype=str)
    expected = [
        tuple(dict.fromkeys(word.strip() for word in cell.split(separator) if word.strip())) if cell.strip() else None
        for cell in text
    ]
    assert word_sets(frame, "x", "a.csv", separator).tolist() == expected


def test_lists_of_words(parquet: Write) -> None:
    frame, path = parquet(pa.array([["a", " b ", None, "", "a"], None, [], ["c"]]))
    assert word_sets(frame, "x", path).tolist() == [("a", "b"), None, (), ("c",)]
    assert word_sets(parquet(pa.array([[7, 8], None]))[0], "x", path).tolist() == [("7", "8"), None]
    with pytest.raises(InputError, match=r"row 1, column 'x': .* is not a list of words"):
        word_sets(parquet(pa.array([[["a"]]]))[0], "x", path)


@pytest.mark.parametrize(
    ("text", "format", "expected"),
    [
        ("7/4/1996\n\n12/31/1997", "%m/%d/%Y", ["1996-07-04", "NaT", "1997-12-31"]),
        ("4.7.1996 13:05", "%d.%m.%Y %H:%M", ["1996-07-04T13:05"]),
        ("1996-07-04T10:00:00+0200", "%Y-%m-%dT%H:%M:%S%z", ["1996-07-04T08:00"]),
        ("19960704", "%Y%m%d", ["1996-07-04"]),
    ],
)
def test_dates_in_a_format(csv: Write, text: str, format: str, expected: list[str]) -> None:
    frame, path = csv("x,y\n" + "\n".join(f"{line}," for line in text.split("\n")) + "\n")
    got = convert(frame, "timestamp", ["x"], path, format=format)
    assert got.dtype == "datetime64[us]"
    np.testing.assert_array_equal(got, np.array(expected, "datetime64[us]"))


def test_numbers_as_dates(parquet: Write) -> None:
    frame, path = parquet(pa.array([20130131, None]))
    np.testing.assert_array_equal(timestamp(frame, "x", path, "%Y%m%d"), np.array(["2013-01-31", "NaT"], "M8[us]"))


@pytest.mark.parametrize(
    ("cells", "format", "what", "remedy"),
    [
        ("7/4/1996\n12/31/1996", None, "'7/4/1996' is not a date", 'fits format = "%m/%d/%Y"'),
        ("31/12/1996\n1/2/1996", None, "'31/12/1996' is not a date", 'fits format = "%d/%m/%Y"'),
        ("1996-01-01\nsoon", None, "'soon' is not a date", 'format = "'),
        ("soon\n1/1/1996", "%m/%d/%Y", "'soon' is not a date in the format", "format = "),
        ("31/12/1996\n1/2/1996", "%m/%d/%Y", "'31/12/1996' is not a date in the format", 'format = "%d/%m/%Y"'),
        ("1996", "%", "'%' is no format of dates", "strftime"),
    ],
)
def test_dates_that_do_not_parse(csv: Write, cells: str, format: str | None, what: str, remedy: str) -> None:
    frame, path = csv(f"x\n{cells}\n")
    with pytest.raises(InputError) as caught:
        timestamp(frame, "x", path, format)
    assert "column 'x'" in str(caught.value.where)
    assert what in caught.value.what
    assert remedy in str(caught.value.remedy)


class _Towns:
    """Knows two towns, and counts what it is asked."""

    asked = 0

    def locate(self, parts: Any) -> tuple[float, float] | None:
        self.asked += 1
        return {("Paris", "FR"): (48.9, 2.4), ("Paris", None): (33.7, -95.6)}.get(tuple(parts))


def test_addresses(csv: Write) -> None:
    frame, path = csv("city,country\nParis,FR\nParis,\n,\nParis,FR\nRome,IT\n")
    towns = _Towns()
    got = convert(frame, "address", ["city", "country"], path, geocoder=towns)
    np.testing.assert_array_equal(got, [[48.9, 2.4], [33.7, -95.6], [np.nan] * 2, [48.9, 2.4], [np.nan] * 2])
    assert towns.asked == 3  # each address once, a blank one never
    assert address(frame[:0], ["city"], path, towns).shape == (0, 2)


def test_missing_values_can_be_told_and_made() -> None:
    words_ = np.array(["a", None, ("b",)], dtype=object)
    for values, expected in (
        (words_, [False, True, False]),
        (np.array([1.0, np.nan]), [False, True]),
        (np.array(["2013-01-01", "NaT"], "datetime64[us]"), [False, True]),
        (np.array([[1, 2], [np.nan, np.nan]], np.float32), [False, True]),
    ):
        assert missing(values).tolist() == expected
        everything = blanked(values, np.ones(len(values), dtype=bool))
        assert missing(everything).all()
        assert everything.dtype == values.dtype
        assert not missing(values).all()


def test_text_that_is_not_utf8(tmp_path: Path) -> None:
    array = pa.array([b"ok", b"\xff\xfe"], pa.binary()).view(pa.string())
    frame = pa.table({"x": array}).to_pandas(types_mapper=pd.ArrowDtype)
    with pytest.raises(InputError, match="row 2, column 'x': the text is not UTF-8"):
        words(frame, "x", tmp_path / "a.parquet")
