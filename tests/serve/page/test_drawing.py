from __future__ import annotations

import html
import re
from typing import Any

from relwise.serve.page.drawing import MOST, branches, neighbourhood
from relwise.serve.page.explained import explained
from tests.fakes import small_graph
from tests.report.reading import Reader

TYPES = {"works_at": ("person", "company"), "located_in": ("company", "city"), "knows": ("person", "person")}


def _node(node_id: str) -> dict[str, str]:
    return {"id": node_id, "name": f"the {node_id}"}


def _carrier(head: str, relation: str, tail: str, effect: float, layer: int = 2) -> dict[str, Any]:
    return {
        "head": _node(head), "relation": relation, "tail": _node(tail), "layer": layer, "attention": 0.25,
        "effect": effect, "side": "head",
    }  # fmt: skip


def _explanation(*carriers: dict[str, Any], **changed: Any) -> dict[str, Any]:
    return {
        "head": _node("p1"), "relation": "works_at", "tail": _node("c1"), "probability": 0.75,
        "carriers": list(carriers), "against": [], "attributes": [], "paths": [], "similar": [], "notes": [], **changed,
    }  # fmt: skip


def test_a_neighbour_hangs_on_its_end_and_the_next_one_behind_it() -> None:
    carriers = [
        _carrier("p1", "knows", "p2", 0.5),
        _carrier("p2", "works_at", "c1", 0.2, 1),
        _carrier("c1", "located_in", "x", -0.1),
    ]
    (one,) = branches(carriers, ("person", "p1"), TYPES)
    assert (one.place, one.relation, one.effect) == (("person", "p2"), "knows →", 0.5)
    assert [b.place for b in one.behind] == [("company", "c1")]
    at_tail = branches(carriers, ("company", "c1"), TYPES)
    assert [(b.place, b.relation) for b in at_tail] == [
        (("person", "p2"), "→ works_at"),
        (("city", "x"), "located_in →"),
    ]


def test_nodes_of_one_id_and_two_types_are_two_nodes() -> None:
    carriers = [_carrier("1", "works_at", "1", 0.5)]
    assert [b.place for b in branches(carriers, ("person", "1"), TYPES)] == [("company", "1")]
    assert [b.place for b in branches(carriers, ("company", "1"), TYPES)] == [("person", "1")]


def test_the_stronger_a_tie_the_thicker_its_line() -> None:
    drawn = neighbourhood(
        _explanation(_carrier("p1", "knows", "p2", 0.5), _carrier("p1", "knows", "p3", 0.25),
                     _carrier("p1", "knows", "p4", -0.5)), TYPES,
    )  # fmt: skip
    ties = re.findall(r'<path d="[^"]*" class="tie (\w+)" stroke-width="([^"]*)"', drawn)
    assert ties == [("for", "8.0"), ("against", "8.0"), ("for", "4.5")]
    assert "works_at: 75.0 %" in drawn


def test_no_more_is_drawn_than_can_be_read() -> None:
    many = [_carrier("p1", "knows", f"p{i}", i / 100) for i in range(2, 40)]
    drawn = neighbourhood(_explanation(*many), TYPES)
    assert drawn.count('class="tie') == MOST
    long = neighbourhood(_explanation(_carrier("p1", "knows", "p" * 200, 1.0)), TYPES)
    assert max(len(text) for text in re.findall(r"<text[^>]*>([^<]*)</text>", long)) < 60


def test_where_room_is_short_the_relation_is_cut_and_never_the_figures() -> None:
    name = "a_relation_of_many_letters_and_words"
    types = {**TYPES, name: ("person", "person")}
    made = _explanation(_carrier("p1", "knows", "p2", 0.5), _carrier("p2", name, "p3", -0.0123))
    drawn = neighbourhood(made, types)
    texts = re.findall(r"<text[^>]*>([^<]*)</text>", drawn)
    assert "a_relation_o… → -0.012, \u03b1 25 %" in texts
    assert f"({name} → -0.012, \u03b1 25 %)" in html.unescape(drawn)


def test_an_explanation_begins_with_its_sentence_and_escapes_what_data_say() -> None:
    evil = "<script>alert(1)</script>"
    bad = {"id": evil, "name": evil}
    found = _explanation(
        {**_carrier("p1", "knows", "p2", 0.5), "tail": bad},
        head=_node("p1"),
        tail=bad,
        attributes=[{"side": "head", "name": evil, "value": evil, "effect": 0.1}],
        paths=[{"pattern": evil, "length": 2, "count": 3, "weight": 0.5, "examples": [[_node("p1"), bad]]}],
        similar=[{"head": bad, "tail": bad, "similarity": 0.9}],
        notes=[evil],
    )
    made = explained(small_graph(), {**found, "sentence": f"Because of {evil}."})
    read = Reader(made)
    assert read.text.startswith(f"Because of {evil}.")
    assert read.scripts == 0
    assert "<script" not in made
    assert read.text.count(evil) >= 8
    assert ["the p1 - knows → " + evil, "+0.5", "25 %"] in read.tables["How much of the logit hangs on each tie"]


def test_an_explanation_of_nothing_is_its_sentence() -> None:
    assert Reader(explained(small_graph(), _explanation(sentence="Unlikely."))).text == "Unlikely."
