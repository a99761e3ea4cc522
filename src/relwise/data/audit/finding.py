"""`Finding`: one thing that the audit found, and what to do about it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

Severity = Literal["leak", "warn", "note"]
SEVERITIES: tuple[Severity, ...] = ("leak", "warn", "note")


@dataclass(frozen=True)
class Finding:
    """One thing that the audit found.

    Args:
        kind: which check found it: the name of its file in `relwise.data.audit`.
        severity: `"leak"`: measures on test promise more than the model will keep; `"warn"`: they may;
            `"note"`: good to know.
        sentence: what was found, with counts and shares.
        remedy: what to do, in the words of `schema.toml`.
        relations: the relations concerned, by the names they are asked for.
        types: the node types concerned.
        column: the attribute concerned.
        count: how many edges, nodes or relations.
        share: of how many, as a fraction of 1.
        examples: the first few: an edge as (head id, relation, tail id), a node as (id,).
        group, through: relations that `[split] by = "group"` would keep together.
    """

    kind: str
    severity: Severity
    sentence: str
    remedy: str
    relations: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    column: str | None = None
    count: int = 0
    share: float = 0.0
    examples: tuple[tuple[str, ...], ...] = ()
    group: tuple[str, ...] = ()
    through: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """As JSON holds it.

        >>> finding = Finding("unseen", "note", "3 nodes", "none", examples=(("a",),))
        >>> Finding.from_json(finding.to_json()) == finding
        True
        """
        lists = {key: list(value) if isinstance(value, tuple) else value for key, value in asdict(self).items()}
        return {**lists, "examples": [list(example) for example in self.examples]}

    @staticmethod
    def from_json(given: dict[str, Any]) -> Finding:
        """The finding that `to_json` gave."""
        made: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list | tuple) else value for key, value in given.items()
        }
        made["examples"] = tuple(tuple(example) for example in given["examples"])
        return Finding(**made)


def percent(count: int, total: int) -> str:
    """A count with its share.

    >>> percent(2991, 14746)
    '2,991 of 14,746 (20.3 %)'
    """
    return f"{count:,} of {total:,} ({100 * count / max(1, total):.1f} %)"


def listed(names: list[str], most: int = 6) -> str:
    """Names in a sentence, the first few.

    >>> listed(["a", "b", "c"]), listed(["a", "b", "c"], most=2)
    ('a, b and c', 'a, b and 1 more')
    """
    if len(names) > most:
        names = [*names[:most], f"{len(names) - most} more"]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
