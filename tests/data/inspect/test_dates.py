"""How dates are written, against Python's own `strftime`."""

from __future__ import annotations

from datetime import datetime

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relwise.data.inspect.dates import date_form, parse_dates

FORMATS = (
    "%m/%d/%Y",
    "%d/%m/%Y",
    "%d.%m.%Y",
    "%d-%m-%Y",
    "%Y/%m/%d",
    "%Y%m%d",
    "%d-%b-%Y",
    "%d %b %Y",
    "%d %B %Y",
    "%B %d, %Y",
    "%m/%d/%y",
    "%m/%d/%Y %H:%M",
    "%m/%d/%Y %I:%M %p",
    "%d.%m.%Y %H:%M:%S",
)


@pytest.mark.parametrize("form", FORMATS)
@settings(max_examples=15, deadline=None)
@given(st.lists(st.datetimes(datetime(1971, 1, 1), datetime(2035, 1, 1)), min_size=1, max_size=9))
def test_a_written_form_is_found_again(form: str, moments: list[datetime]) -> None:
    written = pd.Series([moment.strftime(form) for moment in moments], dtype=object)
    found = date_form(written)
    assert found is not None
    assert found.share == 1
    expected = [datetime.strptime(text, form) for text in written]
    # Written so, it may be read in two ways, and then both are told.
    read = [parse_dates(written, one).tolist() for one in (found.format, found.other) if one is not None]
    assert expected in read
    assert len(read) == 1 or read[0] != read[1]


@pytest.mark.parametrize("values", [["5", "7"], ["a", "b"], ["1999", "2001"], ["2020-13", "2020-14"], ["now", "today"]])
def test_what_is_no_date(values: list[str]) -> None:
    assert date_form(pd.Series(values, dtype=object)) is None


def test_a_column_of_dates_with_a_few_mistakes_tells_their_share() -> None:
    values = pd.Series([*(f"2020-01-{i:02d}" for i in range(1, 20)), "soon"], dtype=object)
    found = date_form(values)
    assert found is not None
    assert found.share == pytest.approx(19 / 20)
