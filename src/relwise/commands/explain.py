"""`relwise explain RUN`: why a relationship is likely, or not."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from relwise.show import console, folded_table, print_json


def explain(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="the run folder")],
    head: Annotated[str, typer.Option(metavar="ID", help="the head")],
    relation: Annotated[str, typer.Option(help="the relation asked about")],
    tail: Annotated[str, typer.Option(metavar="ID", help="the tail")],
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON object and nothing else")] = False,
) -> None:
    """Tell why a relationship is likely, or not: the ties and attributes that carry it, paths, known ones like it.

    Example: relwise explain RUN --head N14228 --relation visits --tail ORD
    """
    from relwise.predictor import RelationshipPredictor

    found = RelationshipPredictor.load(run).explain(head, relation, tail).to_json()
    if as_json:
        print_json(found)
        return
    print_explanation(found)


def print_explanation(found: dict[str, Any]) -> None:
    """An explanation's JSON object as sentences and tables."""
    print(found["sentence"])
    rows: list[tuple[str, ...]] = [
        (_edge(tie), tie["side"], str(tie["layer"]), _share(tie["attention"]), f"{tie['effect']:+.3f}")
        for tie in (*found["carriers"], *found["against"])
    ]
    _table(rows, "known tie", "bears on", "layer", "attention", "logit by it")
    rows = [(a["side"], a["name"], a["value"], f"{a['effect']:+.3f}") for a in found["attributes"]]
    _table(rows, "of", "attribute", "value", "logit by it")
    rows = [(p["pattern"], f"{p['count']:,}", _examples(p), _signed(p["effect"])) for p in found["paths"]]
    _table(rows, "paths", "how many", "such as", "final logit by them")
    rows = [(_node(s["head"]), _node(s["tail"]), f"{s['similarity']:.3f}") for s in found["similar"]]
    _table(rows, f"known, most like it: {found['relation']} from", "to", "cosine")
    for note in found["notes"]:
        print(note)


def _table(rows: list[tuple[str, ...]], *columns: str) -> None:
    if rows:
        table = folded_table(*columns)
        for row in rows:
            table.add_row(*row)
        console().print(table)


def _edge(tie: dict[str, Any]) -> str:
    return f"{_node(tie['head'])} -[{tie['relation']}]-> {_node(tie['tail'])}"


def _node(node: dict[str, str]) -> str:
    return node["id"] if node["id"] == node["name"] else f"{node['name']} ({node['id']})"


def _examples(paths: dict[str, Any]) -> str:
    return "\n".join(" - ".join(_node(node) for node in one) for one in paths["examples"])


def _signed(effect: float | None) -> str:
    return "" if effect is None else f"{effect:+.3f}"


def _share(attention: float | None) -> str:
    return "" if attention is None else f"{attention:.3f}"
