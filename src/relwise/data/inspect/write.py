"""A proposal as the text of a `schema.toml`, with comments for the person who is to edit it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence

from relwise.data.graph import counted
from relwise.data.inspect.names import words
from relwise.data.inspect.proposal import (
    LeftOut,
    Proposal,
    ProposedAttribute,
    ProposedEnd,
    ProposedNodes,
    ProposedRelation,
)

_HOW = {"declared": "a declared foreign key", "name": "by its name", "content": "by its values alone"}
_ADDRESS = ("city", "town", "locality", "region", "state", "province", "country")


def schema_text(proposal: Proposal, name: str, source: str | None = None) -> str:
    """The proposal as TOML that `read_schema` reads.

    Args:
        proposal: what is proposed.
        name: what the source is called.
        source: what the schema says of where the tables are; None: beside it.
    """
    lines = [
        f"# Proposed by relwise init from {_plain(name)}",
        "# Read it through and edit it: what it names is taken as it says, and nothing is guessed anew.",
        "# Behind # stands what was left out, and why.",
    ]
    lines += [f"# {_plain(doubt)}" for doubt in proposal.doubts]
    lines += [f"# Not used: {_plain(table)}: {_plain(reason)}" for table, reason in proposal.unused.items()]
    lines += [] if source is None else ["", f"source = {_text(source)}"]
    for node in proposal.nodes:
        lines += ["", *_nodes(node)]
    for key, relation in proposal.relations.items():
        lines += ["", *_relation(key, relation)]
    lines += ["", *_split(proposal)]
    return "\n".join(lines) + "\n"


def _nodes(node: ProposedNodes) -> Iterator[str]:
    where = f"[nodes.{_key(node.name)}]"
    if node.table is None:
        yield f"{where}  # no table: its nodes are the ids that the relations name"
        return
    yield f"{where}  # {counted(node.rows, 'row')}"
    yield f"table = {_text(node.table)}"
    yield f"key = {_columns(node.key)}"
    if node.label is not None:
        yield f"name = {_text(node.label)}"
    yield from _attributes(f"nodes.{_key(node.name)}", node.attributes, node.left_out)


def _relation(key: str, relation: ProposedRelation) -> Iterator[str]:
    ends = [end for end in (relation.head, relation.tail) if end.how in _HOW]
    told = [f"{', '.join(map(_plain, end.columns))} {_HOW[end.how]}, {_share(end.share)} of its values" for end in ends]
    several = f" of {counted(relation.rows, 'row')}, the earliest of each" if relation.rows > relation.edges else ""
    yield f"[relations.{_key(key)}]  # {counted(relation.edges, 'edge')}{several}"
    if told:
        yield f"# {'; '.join(told)}"
    yield f"table = {_text(relation.table)}"
    yield f"head = {_end(relation.head)}"
    yield f"tail = {_end(relation.tail)}"
    time = relation.time
    if time is not None:
        plain = _text(time.column)
        given = plain if time.format is None else f"{{ column = {plain}, format = {_text(time.format)} }}"
        yield f"time = {given}{_remark(time.remark)}"
    if relation.orphans:
        rows = counted(relation.orphans, "row")
        yield f'on_orphan = "drop"  # {rows} whose id is in no row of the node table; "error" to be told of them'
    yield from _attributes(f"relations.{_key(key)}", relation.attributes, relation.left_out)


def _attributes(where: str, attributes: Sequence[ProposedAttribute], left_out: Sequence[LeftOut]) -> Iterator[str]:
    if attributes:
        yield f"[{where}.columns]"
    for one in attributes:
        if one.columns == (one.name,) and not one.options:
            given = _text(one.modality)
        else:
            columns = _columns(one.columns)
            pairs = [f"{one.modality} = {columns}", *(f"{key} = {_text(value)}" for key, value in one.options.items())]
            given = f"{{ {', '.join(pairs)} }}"
        yield f"{_key(one.name)} = {given}{_remark(one.remark)}"
    names = [*(one.name for one in attributes if one.modality == "categorical"), *(one.column for one in left_out)]
    parts = [_text(name) for part in _ADDRESS for name in names if part in words(name)]
    if len(parts) > 1 and not any(one.modality == "place" for one in attributes):
        yield f"# place = {{ address = [{', '.join(parts)}] }}  # in their stead: needs pip install 'relwise[geo]'"
    for one in left_out:
        yield f"# {_plain(one.column)}: {_plain(one.reason)}"


def _split(proposal: Proposal) -> Iterator[str]:
    split = proposal.split
    if split.valid is None or split.test is None:
        dated = any(relation.time is not None for relation in proposal.relations.values())
        yield f"[split]  # of the edges {'too few' if dated else 'none'} are dated"
        yield 'by = "random"'
        return
    train, valid, test = (f"{count:,}" for count in split.counts)
    yield f"[split]  # of the dated edges looked at {train} train, {valid} are for validation, {test} for the test"
    always = [key for key, relation in proposal.relations.items() if relation.time is None]
    if always:
        yield f"# without dates, and so taken as always known: {_plain(', '.join(always))}"
    tables = {node.table: node.name for node in proposal.nodes}
    fresh = {tables.get(one.table) for one in proposal.relations.values() if one.time is not None}
    if None not in fresh:
        events = _plain(", ".join(sorted(filter(None, fresh))))
        yield f"# each {events} has one date: those of the test have no earlier edge of these; to ask for the missing"
        yield '# edges of known ones instead, write by = "random" alone (and leave out before = ... above)'
    yield 'by = "time"'
    yield f"valid = {_text(split.valid)}"
    yield f"test = {_text(split.test)}"


def _end(end: ProposedEnd) -> str:
    return f"{{ type = {_text(end.type)}, column = {_columns(end.columns)} }}"


def _columns(columns: Sequence[str]) -> str:
    return _text(columns[0]) if len(columns) == 1 else f"[{', '.join(map(_text, columns))}]"


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else _text(name)


def _text(value: str) -> str:
    # JSON's escapes are TOML's, but for the one control character that JSON lets pass.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _plain(value: str) -> str:
    """A text as a comment can hold it: on one line, without control characters."""
    return "".join(c if c.isprintable() else " " for c in value)


def _remark(remark: str) -> str:
    return f"  # {_plain(remark)}" if remark else ""


def _share(share: float) -> str:
    # Rounded down: what is not all is not called all.
    return "all" if share == 1 else f"{int(share * 1000) / 10:g} %"
