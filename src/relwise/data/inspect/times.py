"""Which column says when an edge began, which dates come after it, and where a split by time would cut."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from relwise.data.inspect.dates import parse_dates
from relwise.data.inspect.names import words
from relwise.data.inspect.proposal import ProposedSplit, ProposedTime
from relwise.data.inspect.table import Table

_BEGIN = frozenset(
    {"created", "ordered", "order", "event", "start", "started", "begin", "began", "first", "placed", "issued"}
    | {"opened", "since", "joined", "purchased", "purchase", "visited", "rated", "posted", "sent", "signed", "award"}
    | {"awarded", "invoice", "transaction"}
)
_PLAIN = frozenset({"date", "time", "timestamp", "datetime", "day", "when", "on", "at"})
_LATE = frozenset(
    {"last", "latest", "end", "ended", "until", "final", "updated", "modified", "closed", "finish", "finished"}
)
_OTHER = frozenset(
    {"birth", "birthday", "born", "dob", "hire", "hired", "death", "died", "required", "due", "shipped", "delivered"}
    | {"delivery", "expires", "expiry", "expiration", "deleted", "cancelled", "paid", "returned", "founded"}
    | {"established", "planned", "estimated", "expected", "scheduled"}
)
"""Dates of the thing itself, or of what comes after."""

_FEWEST = 20
"""Dated edges below which a split by time would leave parts of an edge or two."""


def event_time(table: Table, used: Collection[str], of_nodes: bool) -> ProposedTime | None:
    """The column that says when the edges of a table began.

    Args:
        table: the table.
        used: its columns of ids.
        of_nodes: whether its rows are nodes: then a date is the edges' only where its name says so.
    """
    dates = [name for name in table.columns if name not in used and table.found[name].modality == "timestamp"]
    best, most = None, 0
    for name in dates:
        named = set(words(name))
        if named & (_LATE | _OTHER) or table.found[name].missing > 0.5:
            continue
        score = 3 if named & _BEGIN else 2 if named & _PLAIN else 0 if of_nodes else 1
        if score > most:
            best, most = name, score
    if best is None:
        return None
    found = table.found[best]
    return ProposedTime(best, found.options.get("format"), found.remark)


def moments(table: Table, column: str) -> npt.NDArray[np.datetime64]:
    """(n,) the dates of a column in the rows that were looked at, NaT where there is none."""
    cells, found = table.cells(column), table.found[column]
    values = np.full(len(cells.given), np.datetime64("NaT", "us"))
    form = found.options.get("format")
    if cells.kind == "string":
        distinct = pd.Series(cells.counts.index.to_numpy(dtype=object), dtype=object)
        known = pd.Series(parse_dates(distinct, form).to_numpy(dtype="datetime64[us]"), index=distinct)
        values[cells.given] = cells.texts.map(known).to_numpy(dtype="datetime64[us]")
    else:
        values[cells.given] = parse_dates(cells.texts, None).to_numpy(dtype="datetime64[us]")
    return values


def later_dates(table: Table, time: ProposedTime, columns: Sequence[str]) -> list[str]:
    """Date columns that are never before the time, and somewhere after it."""
    start = moments(table, time.column)
    found = []
    for column in columns:
        other = moments(table, column)
        both = ~(np.isnat(start) | np.isnat(other))
        if both.any() and (other[both] >= start[both]).all() and (other[both] > start[both]).any():
            found.append(column)
    return found


def repeats_time(table: Table, time: ProposedTime, column: str) -> bool:
    """Whether a column holds the same moments as the time's."""
    return bool(np.array_equal(moments(table, time.column), moments(table, column), equal_nan=True))


def sums_until(table: Table, later: Sequence[str]) -> str | None:
    """The column that says until when a row's values were gathered, as `last_date` does beside `first_date`."""
    return next((column for column in later if set(words(column)) & _LATE), None)


def propose_split(dates: Sequence[npt.NDArray[np.datetime64]]) -> ProposedSplit:
    """By time where edges are dated: validation from the moment before which 80 % of them lie, test from 90 %.

    Args:
        dates: the times of each relation that has some.

    >>> days = np.datetime64("2020-01-01", "us") + np.arange(100).astype("timedelta64[D]")
    >>> propose_split([days])
    ProposedSplit(valid='2020-03-21', test='2020-03-31', counts=(80, 10, 10))
    """
    known = np.concatenate([np.empty(0, "datetime64[us]"), *dates])
    known = np.sort(known[~np.isnat(known)])
    if len(known) < _FEWEST:
        return ProposedSplit()
    cuts = [known[int(share * len(known))] for share in (0.8, 0.9)]
    whole = [cut.astype("datetime64[D]") for cut in cuts]
    for valid, test in (whole, cuts):
        counts = tuple(np.diff([0, *np.searchsorted(known, [valid, test]), len(known)]).tolist())
        if valid < test and min(counts) > 0 and str(valid)[:1] != "-" and len(str(valid).split("-")[0]) == 4:
            return ProposedSplit(str(valid), str(test), (counts[0], counts[1], counts[2]))
    return ProposedSplit()
