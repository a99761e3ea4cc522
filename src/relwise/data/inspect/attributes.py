"""The attributes of a table: its columns one by one, and those that are one thing together."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from itertools import pairwise

import numpy as np

from relwise.data.inspect.cells import Cells
from relwise.data.inspect.names import words
from relwise.data.inspect.proposal import LeftOut, ProposedAttribute
from relwise.data.inspect.table import Table

_LATITUDE, _LONGITUDE = ("lat", "latitude"), ("lon", "lng", "long", "longitude")
_TELLS = 0.95
"""The share of rows in which a value goes with one id alone, from which on it is taken to tell that id."""
_FEW = 10  # ids among which telling one means little


def table_attributes(table: Table, used: Collection[str]) -> tuple[list[ProposedAttribute], list[LeftOut]]:
    """The attributes that a table's columns make, and its columns that make none.

    Args:
        table: the table.
        used: columns that serve otherwise, as ids or times.
    """
    free = [column for column in table.columns if column not in used]
    together = _places(table, free) + _vectors(table, free)
    taken = {column for attribute in together for column in attribute.columns}
    attributes, left_out = [], []
    for column in free:
        found = table.found[column]
        if column in taken:
            attributes += [attribute for attribute in together if attribute.columns[0] == column]
        elif found.modality is None:
            left_out.append(LeftOut(column, found.reason))
        else:
            attributes.append(ProposedAttribute(column, found.modality, (column,), found.options, found.remark))
    return attributes, left_out


def telling(table: Table, attribute: ProposedAttribute, ends: Sequence[tuple[str, ...]]) -> str:
    """Why an attribute gives away an end of a relation from the same table; empty where it does not.

    A shop's order bears the name of whom it was sent to, beside the customer's id: to predict the customer from it
    is no prediction.
    """
    if attribute.modality not in ("categorical", "text"):
        return ""
    values = table.ids(attribute.columns)
    for columns in ends:
        ids = table.ids(columns)
        both = (values.codes >= 0) & (ids.codes >= 0)
        of_value, of_id, different = values.codes[both], ids.codes[both], len(ids.distinct)
        if different <= _FEW:
            continue
        pairs, counts = np.unique(of_value * different + of_id, return_counts=True)
        rows = np.bincount(of_value)
        most = np.zeros(len(rows), dtype=np.int64)
        np.maximum.at(most, pairs // different, counts)
        again = rows > 1
        # A value that is met once tells nothing of another row.
        if rows[again].sum() < 0.5 * both.sum():
            continue
        share = float(most[again].sum() / rows[again].sum())
        if share >= _TELLS:
            told = ", ".join(columns)
            return (
                f"it gives away {told}, which is to be predicted: the same {told} in {int(100 * share)} % of its rows"
            )
    return ""


def _places(table: Table, free: Sequence[str]) -> list[ProposedAttribute]:
    found = []
    by_words = {tuple(words(column)): column for column in free}
    for named, column in by_words.items():
        here = [i for i, word in enumerate(named) if word in _LATITUDE]
        partners = [
            by_words[(*named[:i], word, *named[i + 1 :])]
            for i in here
            for word in _LONGITUDE
            if (*named[:i], word, *named[i + 1 :]) in by_words
        ]
        if not partners:
            continue
        latitude, longitude = table.cells(column), table.cells(partners[0])
        if _degrees(latitude, 90) and _degrees(longitude, 180) and (latitude.given == longitude.given).all():
            rest = "_".join(word for i, word in enumerate(named) if i != here[0])
            name = f"{rest}_position" if rest else "position"
            name = name if name not in table.columns else f"{column}_{partners[0]}"
            found.append(ProposedAttribute(name, "place", (column, partners[0])))
    return found


def _degrees(cells: Cells, limit: float) -> bool:
    numbers = cells.numbers
    return bool(len(numbers) and np.isfinite(numbers).all() and (np.abs(numbers) <= limit).all())


def _vectors(table: Table, free: Sequence[str]) -> list[ProposedAttribute]:
    """Numbered columns of numbers, v0, v1, v2, ..., that are given together."""
    numbered: dict[str, dict[int, str]] = {}
    for column in free:
        match = re.fullmatch(r"(.*\D)([0-9]{1,6})", column)
        if match and (match[2] == "0" or match[2][0] != "0"):
            numbered.setdefault(match[1], {})[int(match[2])] = column
    found = []
    for prefix, columns in numbered.items():
        numbers = sorted(columns)
        if len(numbers) < 3 or any(b - a != 1 for a, b in pairwise(numbers)):
            continue
        cells = [table.cells(columns[number]) for number in numbers]
        alike = all((one.given == cells[0].given).all() for one in cells)
        fits = all(one.given.any() and _degrees(one, float(np.finfo(np.float32).max)) for one in cells)
        if alike and fits and sum(len(one.counts) > 2 for one in cells) * 2 > len(cells):
            name = prefix.rstrip("_-. ") or prefix
            name = name if name not in table.columns else f"{prefix}vector"
            found.append(ProposedAttribute(name, "vector", tuple(columns[number] for number in numbers)))
    return found
