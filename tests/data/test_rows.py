"""Rows given in Python: the values they become, and the error that names the cell."""

from __future__ import annotations

import datetime
from decimal import Decimal
from typing import Any, get_args

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from relwise.data.graph import Modality
from relwise.data.rows import Rows, RowTable, missing_values
from relwise.errors import InputError

NAT = np.datetime64("NaT", "us")


def values(cells: list[Any], modality: Modality, width: int | None = None) -> np.ndarray:
    return RowTable.of([{"x": cell} for cell in cells], "rows", ["x"], []).values("x", modality, width)


@pytest.mark.parametrize(
    ("modality", "width", "cells", "expected"),
    [
        ("numeric", None, [1, 2.5, "3", None, np.nan, np.int8(4), Decimal("0.5"), "", pd.NA], [1, 2.5, 3, None, None, 4, 0.5, None, None]),  # noqa: E501
        ("boolean", None, [True, "no", 1, None, np.False_], [1, 0, 1, None, 0]),
        ("categorical", None, ["a", 7, None, "", np.str_("b"), True], ["a", "7", None, None, "b", "true"]),
        ("text", None, ["a b", None, " "], ["a b", None, None]),
        ("multi_categorical", None, ["a|b", ["a", "c"], ("d",), None, "", np.array(["e", "e"])], [("a", "b"), ("a", "c"), ("d",), None, None, ("e",)]),  # noqa: E501
        ("place", 2, [(50, 4.5), None, ["-1.5", "2"], np.array([0.0, 1.0]), (None, np.nan)], [[50, 4.5], None, [-1.5, 2], [0, 1], None]),  # noqa: E501
        ("vector", 2, [[1, 2], None, np.array([0.5, 1.0]), (3, 4.5)], [[1, 2], None, [0.5, 1], [3, 4.5]]),
    ],
)  # fmt: skip
def test_values_of_any_kind_become_the_plain_form(
    modality: Modality, width: int | None, cells: list[Any], expected: list[Any]
) -> None:
    found = values(cells, modality, width)
    wanted = missing_values(modality, len(cells), width)
    for row, value in enumerate(expected):
        if value is not None:
            wanted[row] = value
    assert (found.dtype, found.shape) == (wanted.dtype, wanted.shape)
    if found.dtype == object:
        assert found.tolist() == wanted.tolist()
    else:
        np.testing.assert_array_equal(found, wanted)


def test_times_of_any_kind_become_moments() -> None:
    plus_two = datetime.timezone(datetime.timedelta(hours=2))
    cells = ["2020-01-31", datetime.date(2020, 1, 31), None, pd.NaT, pd.Timestamp("2020-01-31 12:30:00.000001")]
    cells += [np.datetime64("2020-01-31", "us"), datetime.datetime(2020, 1, 31, 2, tzinfo=plus_two)]
    day = np.datetime64("2020-01-31", "us")
    expected = [day, day, NAT, NAT, np.datetime64("2020-01-31T12:30:00.000001"), day, day]
    np.testing.assert_array_equal(values(cells, "timestamp"), np.array(expected, "datetime64[us]"))


def test_a_frame_is_read_by_its_columns_whatever_their_type() -> None:
    frame = pd.DataFrame(
        {
            "id": pd.Series(["a", "b", "c"], dtype="string", index=[7, 7, 9]),
            "age": pd.Series([1, None, 3], dtype="Int64", index=[7, 7, 9]),
            "kind": pd.Categorical(["x", None, "x"]),
            "day": pd.to_datetime(["2020-01-01", None, "2021-01-01"]),
        }
    )
    table = RowTable.of(frame, "rows", ["id"], ["age", "kind", "day", "else"])
    assert table.ids("id").tolist() == ["a", "b", "c"]
    np.testing.assert_array_equal(table.values("age", "numeric"), [1, np.nan, 3])
    assert table.values("kind", "categorical").tolist() == ["x", None, "x"]
    np.testing.assert_array_equal(
        table.values("day", "timestamp"), np.array(["2020-01-01", "NaT", "2021-01-01"], "datetime64[us]")
    )
    assert table.values("else", "text").tolist() == [None] * 3


@pytest.mark.parametrize("modality", get_args(Modality))
def test_a_column_that_is_not_given_is_missing(modality: Modality) -> None:
    width = 3 if modality == "vector" else None
    found = RowTable.of([{"id": 1}, {"id": 2}], "rows", ["id"], ["x"]).values("x", modality, width)
    assert len(found) == 2
    assert pd.isna(pd.DataFrame(found)).all(axis=None)
    assert values([], modality, width).shape[0] == 0


@pytest.mark.parametrize(
    ("modality", "cells", "message"),
    [
        ("numeric", [1, 2, "old"], "rows, row 2, column 'x': 'old' is not a number"),
        ("numeric", [None, "1", "old"], "rows, row 2, column 'x': 'old' is not a number"),
        ("numeric", [1, 10**400], "rows, row 1, column 'x': "),
        ("numeric", [1, object()], "rows, row 1, column 'x': <object object at"),
        ("boolean", [None, "perhaps"], "rows, row 1, column 'x': 'perhaps' is neither true nor false"),
        ("categorical", ["a", ["b"]], r"rows, row 1, column 'x': .*not one word or text"),
        ("text", ["a", {"b": 1}], r"rows, row 1, column 'x': .*not one word or text"),
        ("timestamp", ["2020-01-01", "yesterday"], "rows, row 1, column 'x': 'yesterday' is not a date"),
        ("timestamp", [3], "rows, row 0, column 'x': '3' is not a date"),
        ("place", [None, (91, 0)], "rows, row 1, column 'x': 91 is no latitude"),
        ("place", [(0, 0), (0, None)], "rows, row 1, column 'x': half of the place is missing"),
        ("place", ["here"], "rows, row 0, column 'x': 'here' is no place; give"),
        ("vector", [[1, 2], [1, 2, 3]], "rows, row 1, column 'x': .1, 2, 3. is no vector of 2 numbers"),
        ("vector", [None, [1, np.inf]], "rows, row 1, column 'x': a vector that does not hold finite numbers"),
        ("vector", [[1, "a"]], "rows, row 0, column 'x': .1, 'a'. is no vector value"),
    ],
)
def test_a_cell_that_does_not_fit_is_named(modality: Modality, cells: list[Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        values(cells, modality, 2 if modality == "vector" else None)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([{"id": "a", "agee": 1}], "rows: there is no column 'agee'; did you mean 'age'"),
        ([{"age": 1}], "rows: the column 'id' is missing; give it in every row"),
        ([{"id": "a"}, "b"], "rows, row 1: 'b' is no row; give dicts like"),
        ({"id": "a"}, "rows, row 0: 'id' is no row"),
        ("ab", "rows, row 0: 'ab' is no row"),
        (5, "rows, row 0: 5 is no row"),
        (pd.DataFrame([[1, 2]], columns=["id", "id"]), "rows: two columns are named 'id'; keep one"),
    ],
)
def test_what_is_no_table_is_refused(rows: Rows, message: str) -> None:
    with pytest.raises(InputError, match=message):
        RowTable.of(rows, "rows", ["id"], ["age"])


def test_a_blank_id_is_refused() -> None:
    for blank in (None, "", "  ", np.nan):
        with pytest.raises(InputError, match="rows, row 1, column 'id': the id is blank"):
            RowTable.of([{"id": "a"}, {"id": blank}], "rows", ["id"], []).ids("id")


LEAVES = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary() | st.dates() | st.datetimes()
    | st.decimals() | st.complex_numbers() | st.just(pd.NA) | st.just(pd.NaT) | st.just("\ud800")
)  # fmt: skip
CELLS = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=2))


@settings(max_examples=300, deadline=None)
@example([Decimal("sNaN")], "numeric")
@example([["\ud800"]], "multi_categorical")
@example([[[1]], [2, 3]], "place")
@given(st.lists(CELLS, max_size=4), st.sampled_from(get_args(Modality)))
def test_no_cells_bring_another_error(cells: list[Any], modality: Modality) -> None:
    told, found = "rows", np.empty(len(cells))
    try:
        found = values(cells, modality, 2 if modality == "vector" else None)
    except InputError as error:
        told = str(error)
    assert told.startswith("rows")
    assert len(found) == len(cells)
