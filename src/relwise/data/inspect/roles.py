"""What each table is: the nodes of a type, the edges of a relation, or neither."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from relwise.data.inspect.keys import Reference, is_endpoint, key_candidates, may_hold_ids
from relwise.data.inspect.names import HEAD_WORDS, column_stem, names_own_key, singular, stem, words
from relwise.data.inspect.proposal import ProposedEnd
from relwise.data.inspect.table import Table
from relwise.data.sources import ForeignKey

_SURE = frozenset({"id", "key", "uuid", "guid", "ref"})


@dataclass(frozen=True)
class Role:
    """What a table is.

    Args:
        key: with a table of nodes, the columns of its ids.
        references: to tables of nodes, in the order of the columns.
        reason: why it is of no use; empty where it is.
    """

    key: tuple[str, ...] = ()
    references: tuple[Reference, ...] = ()
    reason: str = ""

    @property
    def is_nodes(self) -> bool:
        return bool(self.key)


def table_roles(
    tables: dict[str, Table], references: Sequence[Reference], declared: Sequence[ForeignKey]
) -> tuple[dict[str, Role], list[str]]:
    """Each table's role, and sentences on the references that had to be dropped."""
    keys = {name: _key(table, references, declared) for name, table in tables.items()}
    kept = [reference for reference in references if keys[reference.of] == reference.key]
    dropped = [
        f"{one.table}: {', '.join(one.columns)} refers to {', '.join(one.key)} of {one.of}, whose key is "
        f"{', '.join(keys[one.of]) or 'another'}: no relation is made of it"
        for one in references
        if keys[one.of] != one.key
    ]
    referred = {reference.of for reference in kept}
    roles = {}
    for name, table in tables.items():
        order = {column: position for position, column in enumerate(table.columns)}
        mine = tuple(sorted((one for one in kept if one.table == name), key=lambda one: order[one.columns[0]]))
        roles[name] = _role(table, keys[name], mine, name in referred)
    return roles, dropped


def _key(table: Table, references: Sequence[Reference], declared: Sequence[ForeignKey]) -> tuple[str, ...]:
    """The likeliest of a table's candidates: what others refer to, what refers to nothing, what is named so."""
    referring = {one.columns for one in references if one.table == table.name and one.how != "content"}
    candidates = key_candidates(table, declared)

    def likely(key: tuple[str, ...]) -> tuple[int, bool, int, int]:
        sure = sum(one.of == table.name and one.key == key and one.how != "content" for one in references)
        any_reference = sum(one.of == table.name and one.key == key for one in references)
        return sure, key not in referring, candidates[key], any_reference

    return max(candidates, key=likely, default=())


def _role(table: Table, key: tuple[str, ...], references: tuple[Reference, ...], referred: bool) -> Role:
    refers = any(one.columns == key for one in references)
    elsewhere = tuple(one for one in references if one.columns != key)
    if len(key) == 1 and not refers:
        # Its number alone tells such a row from another: what it says is that two others are tied.
        numbered = not referred and len(references) == 2 and _is_plain(table, key, references)
        return Role((), references) if numbered else Role(key, references)
    if key and referred:
        return Role(key, references)
    if len(references) + len(loose_ends(table, references)) >= 2:
        return Role((), references)
    if len(key) == 1 or (key and references):
        return Role(key, references)
    if not references:
        return Role(reason="it has no key, and none of its columns refers to the key of another table")
    only = references[0]
    return Role(
        reason=f"it has no key of its own, and refers to {only.of} alone ({', '.join(only.columns)})"
        if not elsewhere or len(elsewhere) == 1
        else "it has no key of its own"
    )


def _is_plain(table: Table, key: tuple[str, ...], references: Sequence[Reference]) -> bool:
    """Whether a table with a key of its own holds a tie of two others and what was counted of it, and no more."""
    if not names_own_key(table.name, key[0]) or column_stem(key[0]) != "":
        return False
    ends = [column for one in references for column in one.columns]
    rest = [table.found[name] for name in table.columns if name not in (*ends, *key)]
    named = any(found.label or found.modality == "text" or found.reason.startswith("names") for found in rest)
    blank = any(table.ids((column,)).blank for column in ends)
    return not named and not blank


def loose_ends(table: Table, references: Sequence[Reference]) -> list[ProposedEnd]:
    """Columns that refer to nothing at hand, and are yet named as ids: their types have no table."""
    taken = {column for one in references for column in one.columns}
    found = []
    for column in table.columns:
        named, about = words(column), column_stem(column)
        sure = bool(named) and (named[-1] in _SURE or (len(named) == 1 and about != named[0])) and about != ""
        if column in taken or not (sure or is_endpoint(column)) or not may_hold_ids(table, column):
            continue
        if table.ids((column,)).blank or table.key_index((column,)) is not None or table.rows < 2:
            continue
        found.append(
            ProposedEnd(_endpoint_type(table, column) if is_endpoint(column) else about, (column,), how="alone")
        )
    return found


def _endpoint_type(table: Table, column: str) -> str:
    parts = [part for part in stem(table.name).split("__") if part]
    if len(parts) < 2:
        return "node"
    named = words(parts[0] if "_".join(words(column)) in HEAD_WORDS else parts[-1])
    return "_".join([*named[:-1], singular(named[-1])]) if named else "node"
