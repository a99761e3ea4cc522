"""How the dates of a column are written, judged by the whole column."""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass

import pandas as pd

_DAYS = {
    r"\d{1,2}/\d{1,2}/\d{4}": ("%m/%d/%Y", "%d/%m/%Y"),
    r"\d{1,2}\.\d{1,2}\.\d{4}": ("%d.%m.%Y", "%m.%d.%Y"),
    r"\d{1,2}-\d{1,2}-\d{4}": ("%d-%m-%Y", "%m-%d-%Y"),
    r"\d{1,2}/\d{1,2}/\d{2}": ("%m/%d/%y", "%d/%m/%y"),
    r"\d{1,2}\.\d{1,2}\.\d{2}": ("%d.%m.%y", "%m.%d.%y"),
    r"\d{4}/\d{1,2}/\d{1,2}": ("%Y/%m/%d",),
    r"\d{4}\.\d{1,2}\.\d{1,2}": ("%Y.%m.%d",),
    r"(?:19|20)\d{6}": ("%Y%m%d",),
    r"\d{1,2}[ -][A-Za-z]{3,9}[ -]\d{4}": ("%d-%b-%Y", "%d %b %Y", "%d %B %Y", "%d-%B-%Y"),
    r"[A-Za-z]{3,9} \d{1,2},? \d{4}": ("%b %d, %Y", "%b %d %Y", "%B %d, %Y", "%B %d %Y"),
}
"""The day as people write it, the likelier form first where it can be read in two ways."""

_HOURS = {
    "": "",
    r"[ T]\d{1,2}:\d{2}": "%H:%M",
    r"[ T]\d{1,2}:\d{2}:\d{2}": "%H:%M:%S",
    r"[ T]\d{1,2}:\d{2}:\d{2}\.\d{1,6}": "%H:%M:%S.%f",
    r" \d{1,2}:\d{2} ?[AaPp][Mm]": "%I:%M %p",
    r" \d{1,2}:\d{2}:\d{2} ?[AaPp][Mm]": "%I:%M:%S %p",
}
_FIRST = 1000  # values that a form is chosen by; all are held to it
_ISO = re.compile(r"\d{4}-\d{2}")


@dataclass(frozen=True)
class DateForm:
    """How a column's dates are written.

    Args:
        format: as `strftime` has it; None: ISO 8601.
        other: another format that fits as many values, and makes other dates of them.
        share: of the values that it fits.
    """

    format: str | None
    other: str | None = None
    share: float = 1.0


def date_form(values: pd.Series) -> DateForm | None:
    """The form that fits the most of a column's distinct values, None where none fits a half of them.

    >>> date_form(pd.Series(["2013-01-31", "2013-02-01T10:00"]))
    DateForm(format=None, other=None, share=1.0)
    >>> date_form(pd.Series(["7/4/1996", "12/31/1996"]))
    DateForm(format='%m/%d/%Y', other=None, share=1.0)
    >>> date_form(pd.Series(["7/4/1996", "8/5/1996"])).other
    '%d/%m/%Y'
    """
    if not len(values) or not values.iloc[:50].str.contains(r"\d", regex=True).any():
        return None
    first = values.iloc[:_FIRST]
    if first.str.match(_ISO).mean() >= 0.5:
        share = float(parse_dates(values, None).notna().mean())
        return DateForm(None, share=share) if share >= 0.5 else None
    fitting: list[tuple[float, str]] = []
    for day, formats in _DAYS.items():
        for hour, clock in _HOURS.items():
            if first.str.fullmatch(day + hour).mean() >= 0.5:
                separator = "T" if clock and first.str.contains("T", regex=False).mean() >= 0.5 else " "
                whole = [form + (separator + clock if clock else "") for form in formats]
                fitting += [(float(parse_dates(values, form).notna().mean()), form) for form in whole]
    best = max((share for share, _ in fitting), default=0.0)
    if best < 0.5:
        return None
    likely, *others = [form for share, form in fitting if share == best]
    moments = parse_dates(values, likely)
    return DateForm(
        likely, next((form for form in others if not parse_dates(values, form).equals(moments)), None), best
    )


def parse_dates(values: pd.Series, form: str | None) -> pd.Series:
    """Moments in UTC without a zone, NaT where a value is no date of that form.

    >>> parse_dates(pd.Series(["2013-01-31T23:00-01:00", "now", "1999"]), None).tolist()
    [Timestamp('2013-02-01 00:00:00'), NaT, NaT]
    """
    if form is None:
        # A year alone is a number, and pandas takes "now" for a date.
        values = values.where(values.str.match(_ISO).astype(bool), "").str.replace(r"(\.\d{6})\d+", r"\1", regex=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = pd.to_datetime(values, format=form or "ISO8601", errors="coerce", utc=True)
    return found.dt.tz_localize(None)
