"""What to do where one relation gives another away, in the words of `schema.toml`."""

from __future__ import annotations

from relwise.data.audit.case import Case


def keep_together(case: Case, group: list[int], through: list[int], undated: list[int]) -> str:
    """The remedy for relations that tell each other's edges.

    Args:
        case: the graph and split under audit.
        group: the relations; through: those by which a node stands for another.
        undated: those of `group` that are evidence without a date, in a split by time.
    """
    names = case.graph.relation_names
    if case.graph.split_rule.by == "time":
        tables = " and ".join(f"[relations.{key(names[r])}]" for r in undated)
        return f'give {tables} time = "column of dates", or leave it out'
    if case.graph.split_rule.by == "given":
        return f"leave {_either(case, group)} out of the data, or split anew: " + _split(case, group, through)
    return _split(case, group, through)


def _split(case: Case, group: list[int], through: list[int]) -> str:
    text = '[split] by = "group", ' + words_of_split(
        [case.graph.relation_names[r] for r in group], [case.graph.relation_names[r] for r in through]
    )
    return text + ('; or by = "time"' if all(case.has_dates(r) for r in group) else "")


def words_of_split(group: list[str], through: list[str]) -> str:
    """The keys of `[split] by = "group"`.

    >>> words_of_split(["buys_from", "award"], ["part_of"])
    'group = ["buys_from", "award"], through = ["part_of"]'
    """
    lists = [("group", group), ("through", through)]
    return ", ".join(f"{key} = [{', '.join(map(_quoted, names))}]" for key, names in lists if names)


def _either(case: Case, relations: list[int]) -> str:
    names = [f"[relations.{key(case.graph.relation_names[r])}]" for r in relations]
    return names[0] if len(names) == 1 else " or ".join(names[:2])


def key(name: str) -> str:
    """A name as a key of TOML: in quotes where it is not bare.

    >>> key("buys"), key("office.in_city.city")
    ('buys', '"office.in_city.city"')
    """
    return name if name.replace("_", "").replace("-", "").isalnum() and name.isascii() else _quoted(name)


def _quoted(name: str) -> str:
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
