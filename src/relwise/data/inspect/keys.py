"""Keys of tables, and the columns of other tables that refer to them, by name and by content."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd

from relwise.data.inspect.names import (
    HEAD_WORDS,
    ID_WORDS,
    QUANTITY_WORDS,
    SELF_WORDS,
    TAIL_WORDS,
    half_refers,
    is_reference,
    names_own_key,
    refers,
    words,
)
from relwise.data.inspect.table import Table
from relwise.data.sources import ForeignKey

CONTAINED = 0.95
"""The share of a column's distinct values that a key must hold where the column's name refers to it."""

_ID_LENGTH = 200  # of the longest cell that is an id
_MANY = 20  # different words of which a key holds most are no chance
_FIRST = 200  # distinct values that are looked up before all of them are


@dataclass(frozen=True)
class Reference:
    """Columns of a table that name rows of another.

    Args:
        table, columns: where they stand.
        of, key: the table they refer to, and the columns of its ids.
        share: of the distinct values, those that the key holds.
        orphans: rows whose value the key does not hold.
        how: why it is believed: `"declared"`, `"name"` or `"content"`.
    """

    table: str
    columns: tuple[str, ...]
    of: str
    key: tuple[str, ...]
    share: float
    orphans: int
    how: str


def key_candidates(table: Table, declared: Sequence[ForeignKey] = ()) -> dict[tuple[str, ...], int]:
    """Columns that could be a table's key, with how much speaks for each; several columns only where no one does."""
    found: dict[tuple[str, ...], int] = {}
    told = table.source.primary_key(table.name)
    for columns in {told, *(key.of_columns for key in declared if key.of_table == table.name)} - {()}:
        if set(columns) <= set(table.columns) and table.key_index(columns) is not None:
            found[columns] = 4
    for position, column in enumerate(table.columns):
        named = words(column)
        own, ending = names_own_key(table.name, column), bool(named) and named[-1] in ID_WORDS
        known = position == 0 or own or ending or named == ["name"]
        # A column that comes first is a key only where its name does not say that it counts.
        known = known and (own or ending or not QUANTITY_WORDS & set(named))
        if (column,) not in found and known and may_hold_ids(table, column) and table.key_index((column,)) is not None:
            found[(column,)] = 3 if own else 2 if ending else 1
    if found:
        return found
    first = [column for column in table.columns[:4] if may_hold_ids(table, column)]
    for count in range(2, len(first) + 1):
        for columns in combinations(first, count):
            if table.key_index(columns) is not None:
                return {columns: 1}
    return {}


def may_hold_ids(table: Table, column: str) -> bool:
    """Whether a column's cells could be ids: words or whole numbers, not dates, fractions or long texts."""
    cells = table.cells(column)
    if cells.kind not in ("string", "integer", "float") or not cells.given.any():
        return False
    if cells.kind == "float" or table.found[column].modality == "numeric":
        numbers = cells.numbers
        if not (np.isfinite(numbers).all() and (numbers == np.round(numbers)).all()):
            return False
    return table.found[column].modality != "timestamp" and bool((cells.texts.str.len() <= _ID_LENGTH).all())


def find_references(tables: dict[str, Table], declared: Sequence[ForeignKey]) -> tuple[list[Reference], list[str]]:
    """All references between tables, at most one for each column, and sentences on those that nearly were."""
    candidates = {name: key_candidates(table, declared) for name, table in tables.items()}
    found, nearly = [], []
    for key in declared:
        if key.table in tables and key.of_table in tables and set(key.columns) <= set(tables[key.table].columns):
            reference = _checked(tables, key.table, key.columns, key.of_table, key.of_columns, "declared")
            if reference is not None:
                found.append(reference)
    settled = {(reference.table, column) for reference in found for column in reference.columns}
    for name, table in tables.items():
        for column in table.columns:
            if (name, column) in settled or not may_hold_ids(table, column):
                continue
            best, close = _best(tables, candidates, name, column)
            found += [best] if best else []
            nearly += [close] if close and not best else []
    found += _compound(tables, candidates, found)
    return _without_circles(found, tables), nearly


def _best(
    tables: dict[str, Table], candidates: dict[str, dict[tuple[str, ...], int]], name: str, column: str
) -> tuple[Reference | None, str]:
    """The key that a column refers to, if any; else what comes near it."""
    table = tables[name]
    own = candidates[name].get((column,), 0)
    if own == 3:
        return None, ""
    by_name, by_content, close = [], [], ""
    for of, keys in candidates.items():
        for key, strength in keys.items():
            if len(key) != 1 or (of == name and key == (column,)):
                continue
            agrees = refers(column, of, key[0], name)
            if own and not agrees:
                continue
            reference = _checked(tables, name, (column,), of, key, "name" if agrees else "content")
            if reference is None or (of == name and _repeats_key(table, column, key)):
                continue
            if agrees and (reference.share >= CONTAINED or (reference.share >= 0.5 and _many_words(table, column))):
                by_name.append((names_own_key(of, key[0]), reference.share, strength, -tables[of].rows, reference))
            elif agrees and reference.share >= 0.5:
                close = (
                    f"{name}: {column} is named as if it referred to {of}, which holds {reference.share:.0%} "
                    "of its values: too few for a relation"
                )
            elif _convinces(table, column, tables[of], key[0], reference.share):
                nearer = half_refers(column, of), of == name and bool(SELF_WORDS & set(words(column)))
                by_content.append((any(nearer), strength, reference))
    if by_name:
        return max(by_name, key=lambda entry: entry[:-1])[-1], ""
    if close:
        return None, close
    likely = [entry for entry in by_content if entry[0]] or by_content
    if len(likely) > 1:
        strongest = max(entry[1] for entry in likely)
        likely = [entry for entry in likely if entry[1] == strongest]
    if len(likely) == 1:
        return likely[0][-1], ""
    if likely:
        several = ", ".join(sorted({entry[-1].of for entry in likely}))
        close = f"{name}: {column} could refer to any of {several} by its values, and its name does not say to which"
    return None, close


def _many_words(table: Table, column: str) -> bool:
    """Whether a column holds so many different words that a key cannot hold half of them by chance."""
    values = table.cells(column).counts.index.to_series()
    return len(values) >= _MANY and not values.str.fullmatch(r"\d{1,6}").mean() > 0.1


def _convinces(table: Table, column: str, of: Table, key: str, share: float) -> bool:
    """Whether it can be no chance that a key holds a share of a column whose name does not refer to it."""
    named = set(words(column))
    counts = table.cells(column).counts
    if named & QUANTITY_WORDS or share < CONTAINED:
        return False
    if share < 1:
        return _many_words(table, column)
    numeric = counts.index.to_series().str.fullmatch(r"\d+").all()
    pointed = half_refers(column, of.name) or (of is table and bool(SELF_WORDS & named))
    if pointed:
        return len(counts) >= 2
    if not numeric:
        return len(counts) >= 3
    held = np.asarray(pd.to_numeric(pd.Series(of.ids((key,)).distinct), errors="coerce"), dtype=np.float64)
    dense = held.max() - held.min() < 10 * len(held) if np.isfinite(held).all() else False
    if dense and held.min() < 1000:
        # Small whole numbers are held by every key that counts from 1.
        return is_reference(column) and len(counts) >= 2
    return len(counts) >= 5


def _repeats_key(table: Table, column: str, key: tuple[str, ...]) -> bool:
    """Whether a column only says the key of its own row again."""
    return bool(table.ids((column,)).same_as(table.ids(key)).mean() >= 0.5)


def _checked(
    tables: dict[str, Table],
    name: str,
    columns: tuple[str, ...],
    of: str,
    key: tuple[str, ...],
    how: str,
) -> Reference | None:
    """How much of some columns a key holds; None where it is no key, or holds next to nothing."""
    index = tables[of].key_index(key)
    if index is None:
        return None
    if len(columns) == 1:
        first = tables[name].cells(columns[0]).counts.index[:_FIRST]
        least = {"name": 0.3, "content": 0.8, "declared": 0.0}[how]
        if len(first) and (index.get_indexer(first) >= 0).mean() < least:
            return None
    ids = tables[name].ids(columns)
    if not len(ids.distinct):
        return None
    share = float((index.get_indexer(pd.Index(ids.distinct, dtype=object)) >= 0).mean())
    orphans = int((~ids.held_by(index) & (ids.codes >= 0)).sum())
    return Reference(name, columns, of, key, share, orphans, how)


def _compound(
    tables: dict[str, Table], candidates: dict[str, dict[tuple[str, ...], int]], found: Sequence[Reference]
) -> Iterator[Reference]:
    """References to keys of several columns: another table has columns of the same names."""
    declared = {(reference.table, reference.columns) for reference in found}
    for of, keys in candidates.items():
        for key in keys:
            for name, table in tables.items() if len(key) > 1 else ():
                if name == of or (name, key) in declared or not set(key) <= set(table.columns):
                    continue
                reference = _checked(tables, name, key, of, key, "name")
                if reference is not None and reference.share >= CONTAINED:
                    yield reference


def _without_circles(found: list[Reference], tables: dict[str, Table]) -> list[Reference]:
    """Where two keys hold each other's values, the table of fewer rows refers to the other."""
    places = {(reference.table, reference.columns): reference for reference in found}
    kept = []
    for reference in found:
        back = places.get((reference.of, reference.key))
        mutual = back is not None and (back.of, back.key) == (reference.table, reference.columns)
        rank = [(tables[name].rows, name) for name in (reference.table, reference.of)]
        if not (mutual and reference.table != reference.of and rank[0] > rank[1]):
            kept.append(reference)
    return kept


def is_endpoint(column: str) -> bool:
    """Whether a column is called as the head or the tail of an edge list is."""
    return "_".join(words(column)) in HEAD_WORDS | TAIL_WORDS
