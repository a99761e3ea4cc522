"""Nodes are found by any of their texts, the best first."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from relwise.data.edges import Edges
from relwise.data.graph import Graph
from relwise.data.node_type import Attribute, NodeType
from relwise.errors import InputError
from relwise.serve.search import NodeSearch


def words(*values: object) -> np.ndarray:
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array


@pytest.fixture(scope="module")
def search() -> NodeSearch:
    city = NodeType(
        "city",
        pd.Index(["c1", "c2", "c3", "paris"]),
        words("São Paulo", "Paris", None, "Nowhere"),
        (
            Attribute("land", "categorical", words("Brasil", "France", None, "Texas")),
            Attribute(
                "about", "text", words("large", "not the one in Texas, but " + "x" * 300, "by the PARIS road", None)
            ),
            Attribute("tags", "multi_categorical", words(("port", "big"), (), ("spa",), None)),
            Attribute("people", "numeric", np.array([12.0, 2, 3, 4])),
        ),
    )
    person = NodeType("person", pd.Index(["p1", "p2"]), None, (Attribute("born", "text", words("Paris", "a.c")),))
    return NodeSearch(Graph((city, person), (), Edges.empty()))


def found(search: NodeSearch, text: str, **how: object) -> list[str]:
    return [node.id for node in search.find(text, **how)[0]]  # type: ignore[arg-type]


def test_what_is_it_comes_before_what_holds_it(search: NodeSearch) -> None:
    assert found(search, "paris") == ["paris", "c2", "c3", "p1"]
    assert found(search, "par") == ["paris", "c2", "c3", "p1"]
    assert found(search, "PARIS", node_type="person") == ["p1"]


def test_capitals_and_accents_do_not_count(search: NodeSearch) -> None:
    assert found(search, "SAO PAULO") == found(search, "são") == ["c1"]


def test_all_words_must_be_held_anywhere(search: NodeSearch) -> None:
    assert found(search, "brasil port") == ["c1"]
    assert found(search, "texas") == ["c2", "paris"]
    assert found(search, "texas france") == ["c2"]
    assert found(search, "france port") == []


def test_each_node_tells_where_it_was_found(search: NodeSearch) -> None:
    node = search.find("not the one")[0][0]
    assert (node.type, node.id, node.label, node.matched) == ("city", "c2", "Paris", "about")
    assert node.text.startswith("not the one in Texas")
    assert len(node.text) < 170
    port = search.find("port")[0][0]
    assert (port.matched, port.text) == ("tags", "port, big")
    assert search.find("spa")[0][0].label == "c3"  # it has no label: its id


def test_signs_are_letters_not_patterns(search: NodeSearch) -> None:
    assert found(search, "a.c") == ["p2"]
    for sign in ("%", ".*", "(", "\\", "\0", "x\ny", "_"):
        assert found(search, sign) == []


def test_the_limit_and_the_total(search: NodeSearch) -> None:
    nodes, total = search.find("", limit=3)
    assert (len(nodes), total) == (3, 6)
    assert search.find("12")[1] == 0  # numbers are not searched
    with pytest.raises(InputError, match="did you mean 'city'"):
        search.find("x", "citty")
