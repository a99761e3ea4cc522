"""What is proposed of a source: node types, relations, a split, and what was left out and why."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class ProposedAttribute:
    """One attribute: its columns, as what they are read, and what a person should know of it."""

    name: str
    modality: str
    columns: tuple[str, ...]
    options: dict[str, str] = field(default_factory=dict)
    remark: str = ""


@dataclass(frozen=True)
class LeftOut:
    """A column that is not proposed, and why."""

    column: str
    reason: str


@dataclass(frozen=True)
class ProposedNodes:
    """One node type. Without a table its nodes are the ids that relations name.

    Args:
        name: the type.
        table: its table.
        rows: how many it has.
        key: the columns of its ids.
        label: the column of the names that people are shown.
        attributes: its attributes.
        left_out: its other columns.
    """

    name: str
    table: str | None = None
    rows: int = 0
    key: tuple[str, ...] = ()
    label: str | None = None
    attributes: tuple[ProposedAttribute, ...] = ()
    left_out: tuple[LeftOut, ...] = ()


@dataclass(frozen=True)
class ProposedEnd:
    """One end of a relation.

    Args:
        type: the node type.
        columns: the columns of its ids in the relation's table.
        share: of their distinct values, those that the type's key holds.
        how: why they are believed to name it: `"declared"`, `"name"` or `"content"`; `"key"`: they are the type's
            key; `"alone"`: the type has no table.
    """

    type: str
    columns: tuple[str, ...]
    share: float = 1.0
    how: str = "key"


@dataclass(frozen=True)
class ProposedTime:
    """A relation's times: the column, and its format where it is not ISO 8601."""

    column: str
    format: str | None = None
    remark: str = ""


@dataclass(frozen=True)
class ProposedRelation:
    """One relation.

    Args:
        name: its name; several may have one name, between different types.
        table: the table of its edges.
        head, tail: its ends.
        edges: how many different edges it has.
        orphans: rows that name no row of a node table, and are to be dropped.
        rows: the other rows; more than edges where several say the same.
        time: when its edges begin.
        attributes: of its edges.
        left_out: the table's other columns; none where the table is that of a node type.
    """

    name: str
    table: str
    head: ProposedEnd
    tail: ProposedEnd
    edges: int
    orphans: int = 0
    rows: int = 0
    time: ProposedTime | None = None
    attributes: tuple[ProposedAttribute, ...] = ()
    left_out: tuple[LeftOut, ...] = ()


@dataclass(frozen=True)
class ProposedSplit:
    """By time, with the first moments of validation and test and the edges of each part; else at random."""

    valid: str | None = None
    test: str | None = None
    counts: tuple[int, int, int] = (0, 0, 0)


@dataclass(frozen=True)
class ColumnUse:
    """What becomes of one column, for a person to look through."""

    table: str
    column: str
    use: str
    examples: tuple[str, ...]
    missing: float


@dataclass(frozen=True)
class Proposal:
    """All that is proposed of a source.

    Args:
        nodes: the node types.
        relations: the relations, each with the key that a schema has for it.
        split: how edges are to be split.
        columns: every column of the tables that serve.
        unused: tables that do not serve, and why.
        doubts: sentences on what a person should look at.
    """

    nodes: tuple[ProposedNodes, ...]
    relations: dict[str, ProposedRelation]
    split: ProposedSplit
    columns: tuple[ColumnUse, ...]
    unused: dict[str, str]
    doubts: tuple[str, ...]
