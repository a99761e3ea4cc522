"""Conditions on nodes against the same said in Python."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from relwise.data.graph import Attribute, Graph
from relwise.data.where import nodes_where
from relwise.errors import InputError
from tests.fakes import small_graph


def shops() -> Graph:
    graph = Graph.from_triples([("a", "near", "b"), ("b", "near", "c")])
    attributes = (
        Attribute("size", "numeric", np.array([1.0, np.nan, 3.0])),
        Attribute("country", "categorical", np.array(["CAN", None, "FRA"], dtype=object)),
        Attribute("sells", "multi_categorical", np.array([("tea", "ink"), None, ("ink",)], dtype=object)),
        Attribute("open", "boolean", np.array([1.0, 0.0, np.nan])),
        Attribute("since", "timestamp", np.array(["2020-01-01", "NaT", "2022-05-01"], dtype="datetime64[us]")),
        Attribute("at", "place", np.array([[45.0, -75.0], [np.nan, np.nan], [48.8, 2.3]])),
    )
    return replace(graph, node_types=(replace(graph.node_types[0], attributes=attributes),))


@pytest.mark.parametrize(
    ("condition", "met"),
    [
        ("size > 2", [False, False, True]),
        ("size is null", [False, True, False]),
        ("not (size > 2)", [True, False, False]),
        ("country = 'CAN' or size = 3", [True, False, True]),
        ("list_contains(sells, 'ink')", [True, False, True]),
        ("open", [True, False, False]),
        ("not open", [False, True, False]),
        ("since >= date '2021-01-01'", [False, False, True]),
        ("at_latitude < 46", [True, False, False]),
        ("id in ('a', 'b')", [True, True, False]),
        ("label = 'c'", [False, False, True]),
        ("true", [True, True, True]),
    ],
)
def test_conditions(condition: str, met: list[bool]) -> None:
    assert nodes_where(shops(), ["node"], condition).tolist() == met


@pytest.mark.parametrize(
    "condition",
    [
        "",
        "sise > 2",
        "size >",
        "'CAN'",
        "size; drop table nodes",
        "count(*) > 0",
        "read_text('/etc/passwd') = ''",
        "true) --",
        "true) as boolean), false) from nodes; create table other (i integer); --",
        "true) as boolean), false) from nodes; select true from nodes --",
    ],
)
def test_what_is_no_condition(condition: str) -> None:
    with pytest.raises(InputError) as caught:
        nodes_where(shops(), ["node"], condition)
    assert "is no condition" in caught.value.what
    assert "\n" not in str(caught.value)


def test_only_the_types_asked_about_are_met() -> None:
    graph = small_graph()
    met = nodes_where(graph, ["company"], "true")
    low, high = graph.type_range("company")
    assert met[low:high].all()
    assert met.sum() == high - low
