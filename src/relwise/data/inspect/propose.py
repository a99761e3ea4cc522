"""`propose(source)`: node types, relations, attributes and a split, from what tables are named and what they hold.

A key is a column that is never blank and never twice the same, by preference one that is named as its table's. A
column refers to another table where a database declares it, where its name does and its values are (nearly) all in
that table's key, or where its name says nothing and its values leave no other explanation. A table with a key is a
type of nodes, and its references are relations from it; one without, or with nothing but references, is a relation.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from relwise.data.graph import counted
from relwise.data.inspect.attributes import table_attributes, telling
from relwise.data.inspect.keys import CONTAINED, find_references
from relwise.data.inspect.names import column_stem, snake, stem, type_name
from relwise.data.inspect.proposal import (
    LeftOut,
    Proposal,
    ProposedAttribute,
    ProposedEnd,
    ProposedNodes,
    ProposedRelation,
    ProposedSplit,
    ProposedTime,
)
from relwise.data.inspect.roles import Role, loose_ends, table_roles
from relwise.data.inspect.table import Table
from relwise.data.inspect.times import event_time, later_dates, moments, propose_split, repeats_time, sums_until
from relwise.data.inspect.uses import column_uses
from relwise.data.sources import Source
from relwise.errors import InputError


def propose(source: Source) -> Proposal:
    """A schema for a source's tables.

    Args:
        source: the tables.

    Raises:
        InputError: where there are no tables, one cannot be read, or no two of them relate.
    """
    names = source.tables()
    if not names:
        raise InputError(
            "there is no table",
            where=source.name,
            remedy="a folder needs files that end in .csv, .tsv, .parquet or .jsonl; a database needs tables",
        )
    return _Proposer(source, names).proposal()


class _Proposer:
    def __init__(self, source: Source, names: list[str]) -> None:
        self.source = source
        every = {name: Table(source, name) for name in names}
        self.tables = {name: table for name, table in every.items() if table.rows and table.columns}
        self.unused = {name: "it has no rows" for name in every if name not in self.tables}
        self.doubts: list[str] = []

    def proposal(self) -> Proposal:
        declared = [
            key for key in self.source.foreign_keys() if key.table in self.tables and key.of_table in self.tables
        ]
        references, nearly = find_references(self.tables, declared)
        roles, dropped = table_roles(self.tables, references, declared)
        self.doubts += [*nearly, *dropped]
        self.types = self.type_names(roles)
        for one in (one for role in roles.values() for one in role.references if one.share < CONTAINED):
            self.doubts.append(
                f"{one.table}: {', '.join(one.columns)} names {counted(one.orphans, 'time')} what is not in {one.of}, "
                f"which holds {one.share:.0%} of its values: those rows are left out"
            )
        times = {name: self.time(name, role) for name, role in roles.items() if not role.reason}
        relations: list[ProposedRelation] = []
        for name, role in roles.items():
            made = [] if role.reason else self.of_nodes(name, role) if role.is_nodes else self.of_edges(name, role)
            relations += [replace(relation, time=times[name]) for relation in made]
        if not relations:
            raise self.nothing(roles)
        # A type that no relation names would only be passed over.
        used = {end.type for relation in relations for end in (relation.head, relation.tail)}
        split = propose_split([self.dates(one, roles[one.table]) for one in relations if one.time])
        served = {name: role for name, role in roles.items() if self.types.get(name) in used}
        nodes = [self.nodes(name, role, times[name], split) for name, role in served.items()]
        nodes += [ProposedNodes(name) for name in sorted(used - {node.name for node in nodes})]
        with_edges = {relation.table for relation in relations}
        for name, role in roles.items():
            if name not in with_edges and self.types.get(name) not in used:
                self.unused[name] = role.reason or "no relation that can be learnt from begins or ends in it"
        relations = [self.with_attributes(relation, roles[relation.table], split) for relation in relations]
        keyed = _keyed(relations)
        uses, doubts = column_uses(self.tables, nodes, keyed), tuple(dict.fromkeys(self.doubts))
        return Proposal(tuple(nodes), keyed, split, uses, self.unused, doubts)

    def type_names(self, roles: dict[str, Role]) -> dict[str, str]:
        """The type of each table of nodes, all different."""
        found: dict[str, str] = {}
        for name, role in roles.items():
            if role.is_nodes:
                plain, number = type_name(name), 1
                while (made := plain if number == 1 else f"{plain}_{number}") in found.values():
                    number += 1
                found[name] = made
        return found

    def time(self, name: str, role: Role) -> ProposedTime | None:
        if not role.references and role.is_nodes:
            return None
        ends = {column for one in role.references for column in one.columns}
        return event_time(self.tables[name], {*role.key, *ends}, role.is_nodes)

    # -- relations ------------------------------------------------------------------------------------------

    def of_nodes(self, name: str, role: Role) -> list[ProposedRelation]:
        """The relations from a table of nodes: its references."""
        table, head = self.tables[name], ProposedEnd(self.types[name], role.key)
        found = []
        for one in role.references:
            edges = table.rows - table.ids(one.columns).blank - one.orphans
            if edges < 2:
                self.doubts.append(
                    f"{name}: {', '.join(one.columns)} refers to {one.of}, in {counted(edges, 'row')}: too few"
                )
                continue
            tail = ProposedEnd(self.types[one.of], one.columns, one.share, one.how)
            named = column_stem(one.columns[0]) if len(one.columns) == 1 and one.columns != role.key else ""
            found.append(ProposedRelation(named or tail.type, name, head, tail, edges, one.orphans, edges))
        return found

    def of_edges(self, name: str, role: Role) -> list[ProposedRelation]:
        """The relations of a table whose rows are edges: from its first end to each other."""
        table, order = self.tables[name], {column: i for i, column in enumerate(self.tables[name].columns)}
        ends = [ProposedEnd(self.types[one.of], one.columns, one.share, one.how) for one in role.references]
        ends += [end for end in loose_ends(table, role.references) if end.type not in self.types.values()]
        ends.sort(key=lambda end: order[end.columns[0]])
        parts = [part for part in stem(name).split("__") if part]
        plain = snake(parts[1] if len(parts) == 3 else stem(name), "relation")
        whole = [end for end in ends if not table.ids(end.columns).blank]
        for end in ends:
            if end not in whole:
                self.doubts.append(
                    f"{name}: {', '.join(end.columns)} names a {end.type}, but is blank in "
                    f"{table.ids(end.columns).blank} rows: fill it in, or delete those rows"
                )
        found = []
        for end in whole[1:]:
            here = self.held(name, role, whole[0]) & self.held(name, role, end)
            pairs = pd.DataFrame({i: table.ids(one.columns).codes[here] for i, one in enumerate((whole[0], end))})
            rows, edges = len(pairs), len(pairs.drop_duplicates())
            if edges < 2:
                columns = ", ".join((*whole[0].columns, *end.columns))
                self.doubts.append(f"{name}: {columns} tie fewer than two pairs: too few for a relation")
                continue
            called = plain if len(whole) == 2 else f"{plain}_{column_stem(end.columns[0]) or end.type}"
            found.append(ProposedRelation(called, name, whole[0], end, edges, table.rows - rows, rows))
        if not found and name not in self.unused:
            self.unused[name] = "fewer than two of its columns name nodes in every row"
        return found

    def held(self, name: str, role: Role, end: ProposedEnd) -> npt.NDArray[np.bool_]:
        """Which rows of a table name a node at one end."""
        ids = self.tables[name].ids(end.columns)
        for one in role.references:
            if one.columns == end.columns:
                index = self.tables[one.of].key_index(one.key)
                assert index is not None
                return ids.held_by(index)
        return ids.codes >= 0

    def dates(self, relation: ProposedRelation, role: Role) -> npt.NDArray[np.datetime64]:
        """When the relation's edges began, of those among the rows that were looked at."""
        table, time = self.tables[relation.table], relation.time
        assert time is not None
        both = [self.held(relation.table, role, end) for end in (relation.head, relation.tail)]
        looked = (both[0] & both[1])[:: table.step]
        began = pd.DataFrame({"time": moments(table, time.column)[looked]})
        ends = [table.ids(end.columns).codes[:: table.step][looked] for end in (relation.head, relation.tail)]
        # Rows that say the same are one edge, which began with the earliest.
        return np.asarray(began.groupby(ends, sort=False)["time"].min(), dtype="datetime64[us]")

    # -- what tables hold besides ---------------------------------------------------------------------------

    def nodes(self, name: str, role: Role, time: ProposedTime | None, split: ProposedSplit) -> ProposedNodes:
        """A node type with its attributes."""
        table, ends = self.tables[name], [one.columns for one in role.references]
        used = {*role.key, *(column for columns in ends for column in columns), *([time.column] if time else [])}
        attributes, left_out = table_attributes(table, used)
        label = max((c for c in table.columns if c not in used), key=lambda c: table.found[c].label, default=None)
        label = label if label is not None and table.found[label].label else None
        kept: list[ProposedAttribute] = []
        for attribute in attributes:
            reason = telling(table, attribute, ends) if label not in attribute.columns else ""
            if not reason and attribute.columns[0] != role.key[0] and self.copies_key(table, attribute, role):
                reason = "the key again"
            left_out += [LeftOut(column, reason) for column in attribute.columns] if reason else []
            kept += [] if reason else [attribute]
        dates = [one.columns[0] for one in kept if one.modality == "timestamp"]
        later = [] if time is None or split.valid is None else later_dates(table, time, dates)
        kept = [_once_come(one) if one.columns[0] in later else one for one in kept]
        left_out = [one for one in left_out if one.column != label]
        return ProposedNodes(self.types[name], name, table.rows, role.key, label, tuple(kept), tuple(left_out))

    def copies_key(self, table: Table, attribute: ProposedAttribute, role: Role) -> bool:
        if attribute.modality not in ("categorical", "text") or len(role.key) > 1:
            return False
        return bool(table.ids(attribute.columns).same_as(table.ids(role.key)).all())

    def with_attributes(self, relation: ProposedRelation, role: Role, split: ProposedSplit) -> ProposedRelation:
        """A relation whose table is its own, with that table's other columns."""
        if role.is_nodes:
            return relation
        table, time = self.tables[relation.table], relation.time
        ends = [one.columns for one in role.references]
        ends += [end.columns for end in loose_ends(table, role.references)]
        used = {*(column for columns in ends for column in columns), *([time.column] if time else [])}
        attributes, left_out = table_attributes(table, used)
        dates = [one.columns[0] for one in attributes if one.modality == "timestamp"]
        same = [] if time is None else [one for one in dates if repeats_time(table, time, one)]
        left_out += [LeftOut(one, "the time again") for one in same]
        attributes = [one for one in attributes if one.columns[0] not in same]
        if time is not None and split.valid is not None:
            until = sums_until(table, later_dates(table, time, dates))
            if until is not None:
                attributes = [replace(one, options={**one.options, "before": until}) for one in attributes]
        return replace(relation, attributes=tuple(attributes), left_out=tuple(left_out))

    def nothing(self, roles: dict[str, Role]) -> InputError:
        count = len(self.tables)
        keys = [f"{', '.join(role.key)} of {name}" for name, role in roles.items() if role.key]
        looked = f"the keys found are {'; '.join(keys[:6])}" if keys else "no column is a key: never blank, never twice"
        near = f"; {self.doubts[0]}" if self.doubts else ""
        return InputError(
            f"no two of its {count} tables relate" if count > 1 else "its one table relates nothing",
            where=self.source.name,
            remedy="a column was looked for whose values are those of another table's key, or two columns named as "
            f"ids (customer_id, product_id); {looked}{near}; write schema.toml by hand",
        )


def _once_come(date: ProposedAttribute) -> ProposedAttribute:
    """A date that is never before its row's edges, as known only where it lies before validation begins."""
    remark = "known once it has come; without before, where it is planned ahead"
    return replace(date, options={**date.options, "before": date.columns[0]}, remark=date.remark or remark)


def _keyed(relations: list[ProposedRelation]) -> dict[str, ProposedRelation]:
    """The relations by the keys a schema has for them: the name, with the types where it is not the only one."""
    counts = Counter(relation.name for relation in relations)
    keyed: dict[str, ProposedRelation] = {}
    seen: set[tuple[str, str, str]] = set()
    for relation in relations:
        head, tail, name, number = relation.head.type, relation.tail.type, relation.name, 1
        key = name if counts[name] == 1 else f"{head}.{name}.{tail}"
        while key in keyed or (head, name, tail) in seen:
            number += 1
            name = f"{relation.name}_{number}"
            key = f"{head}.{name}.{tail}"
        keyed[key] = relation
        seen.add((head, name, tail))
    return keyed
