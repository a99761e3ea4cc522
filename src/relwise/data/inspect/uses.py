"""What becomes of every column, for a person to look through."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from relwise.data.inspect.proposal import ColumnUse, LeftOut, ProposedAttribute, ProposedNodes, ProposedRelation
from relwise.data.inspect.table import Table


def column_uses(
    tables: Mapping[str, Table], nodes: Sequence[ProposedNodes], relations: Mapping[str, ProposedRelation]
) -> tuple[ColumnUse, ...]:
    """Every column of the tables that serve, in their order, with all that it serves as."""
    found: dict[tuple[str, str], list[str]] = {}

    def add(table: str, columns: Sequence[str], use: str) -> None:
        for column in columns:
            uses = found.setdefault((table, column), [])
            uses += [use] if use not in uses else []

    def add_rest(table: str, attributes: Sequence[ProposedAttribute], left_out: Sequence[LeftOut]) -> None:
        for one in attributes:
            add(
                table,
                one.columns,
                " ".join([one.modality, *(f"({key} {value})" for key, value in one.options.items())]),
            )
        for one in left_out:
            add(table, (one.column,), f"left out: {one.reason}")

    for node in nodes:
        if node.table is not None:
            add(node.table, node.key, "key" if len(node.key) == 1 else "part of the key")
            add(node.table, [] if node.label is None else [node.label], "name")
            add_rest(node.table, node.attributes, node.left_out)
    for relation in relations.values():
        for end in (relation.head, relation.tail):
            add(relation.table, [] if end.how == "key" else end.columns, f"id of {end.type}")
        add(relation.table, [] if relation.time is None else [relation.time.column], "time")
        add_rest(relation.table, relation.attributes, relation.left_out)
    return tuple(
        ColumnUse(
            name,
            column,
            ", ".join(found.get((name, column), ["left out: no relation can be made of it"])),
            tables[name].found[column].examples,
            tables[name].found[column].missing,
        )
        for name in dict.fromkeys(table for table, _ in found)
        for column in tables[name].columns
    )
