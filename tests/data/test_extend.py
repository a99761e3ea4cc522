"""Adding nodes and edges: what was there stays as it was, under its own ids; what is new stands behind it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relwise.data.edges import Edges
from relwise.data.graph import Attribute, Graph, SplitRule
from relwise.data.split import draw_negatives
from relwise.errors import InputError
from tests.fakes import small_graph

Facts = list[tuple[str, str, str, Any]]


def rich_graph() -> Graph:
    """`small_graph` with all that refers to nodes or edges: parts, groups, negatives, attributes of edges."""
    base, rng = small_graph(), np.random.default_rng(0)
    count = np.bincount(base.edges.relations)
    false = draw_negatives(base, base.edges[np.arange(0, 300, 3)], rng)
    works_at = (
        Attribute("hours", "numeric", rng.integers(1, 40, count[0]).astype(float)),
        Attribute("duty", "text", np.array([f"duty {i}" for i in range(count[0])], dtype=object)),
    )
    return replace(
        base,
        parts=(np.arange(300) % 3).astype(np.int8),
        groups=np.arange(300) % 11 - 1,
        negatives={"test": false},
        split_rule=SplitRule("given"),
        edge_attributes={
            0: works_at,
            3: (Attribute("since", "timestamp", np.datetime64("2020-01-01", "us") + np.arange(count[3])),),
        },
    )


def told(graph: Graph, edges: Edges) -> list[tuple[str, str, str]]:
    """Edges by type and id."""
    names = [f"{t.name} {i}" for t in graph.node_types for i in t.ids]
    return [
        (names[h], graph.relation_names[r], names[t])
        for h, r, t in zip(edges.heads, edges.relations, edges.tails, strict=True)
    ]


def with_attributes(graph: Graph) -> dict[tuple[str, str, str], tuple]:
    """What the graph says of each edge."""
    times = np.full(len(graph.edges), "NaT", "datetime64[us]") if graph.edges.times is None else graph.edges.times
    facts = told(graph, graph.edges)
    said: dict[tuple[str, str, str], tuple] = {}
    seen = [0] * graph.num_relations
    for i, (fact, relation) in enumerate(zip(facts, graph.edges.relations, strict=True)):
        row, seen[relation] = seen[relation], seen[relation] + 1
        own = [(a.name, str(a.values[row])) for a in graph.edge_attributes.get(int(relation), ())]
        part, group = (None if each is None else int(each[i]) for each in (graph.parts, graph.groups))
        said[fact] = (str(times[i]), part, group, *own)
    return said


def assert_nodes_begin_alike(before: Graph, after: Graph) -> None:
    for old, new in zip(before.node_types, after.node_types, strict=True):
        assert new.ids[: len(old)].equals(old.ids)
        assert [a.name for a in new.attributes] == [a.name for a in old.attributes]
        for was, is_ in zip(old.attributes, new.attributes, strict=True):
            assert (is_.modality, is_.values.dtype) == (was.modality, was.values.dtype)
            np.testing.assert_array_equal(is_.values[: len(old)], was.values)
        if old.labels is not None and new.labels is not None:
            np.testing.assert_array_equal(new.labels[: len(old)], old.labels)


@settings(max_examples=15, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["person", "company", "city"]), st.integers(0, 4)), max_size=4))
def test_adding_nodes_changes_nothing_else(added: list[tuple[str, int]]) -> None:
    graph = before = rich_graph()
    counts = {t.name: len(t) for t in before.node_types}
    for number, (node_type, count) in enumerate(added):
        graph = graph.add_nodes(node_type, [{"id": f"new {number} {i}"} for i in range(count)])
        counts[node_type] += count
    assert_nodes_begin_alike(before, graph)
    assert {t.name: len(t) for t in graph.node_types} == counts
    assert graph.num_nodes == sum(counts.values())
    assert told(graph, graph.edges) == told(before, before.edges)
    assert told(graph, graph.negatives["test"]) == told(before, before.negatives["test"])
    assert with_attributes(graph) == with_attributes(before)
    assert (graph.relations, graph.split_rule, graph.notes) == (before.relations, before.split_rule, before.notes)


def test_new_nodes_have_what_the_rows_say() -> None:
    graph = rich_graph().add_nodes(
        "person",
        [{"id": 1, "label": "One", "age": "41", "role": "cook", "since": "2001-02-03", "bio": None}, {"id": "b"}],
    )
    person = graph.node_types[0]
    assert person.ids[-2:].tolist() == ["1", "b"]
    assert person.labels is not None
    assert person.labels[-2:].tolist() == ["One", None]
    age, role, since, bio = (a.values[-2:] for a in person.attributes)
    np.testing.assert_array_equal(age, [41, np.nan])
    assert (role.tolist(), bio.tolist()) == (["cook", None], [None, None])
    np.testing.assert_array_equal(since, np.array(["2001-02-03", "NaT"], "datetime64[us]"))
    assert graph.node_label(int(graph.node_index("person", ["1"])[0])) == "One"
    graph = graph.add_nodes("company", pd.DataFrame({"id": ["x"], "profile": [[1, 2, 3, 4]]}))
    profile, revenue = (a.values[-1] for a in graph.node_types[1].attributes)
    assert profile.tolist() == [1, 2, 3, 4]
    assert np.isnan(revenue)
    city = graph.add_nodes("city", [{"id": "x", "position": (50, 4)}]).node_types[2]
    assert city.labels is None
    np.testing.assert_array_equal(city.attributes[0].values[-1], [50, 4])


def test_labels_are_made_where_there_were_none() -> None:
    graph = small_graph().add_nodes("city", [{"id": "x", "label": "Somewhere"}])
    labels = graph.node_types[2].labels
    assert labels is not None
    assert labels.tolist() == [None] * (len(labels) - 1) + ["Somewhere"]
    assert graph.node_label(graph.type_range("city")[0]) == "ci0"


PEOPLE = st.integers(0, 27).map(lambda i: f"pe{i}")
COMPANIES = st.integers(0, 19).map(lambda i: f"co{i}")
RELATION = {
    "works_at": ("person", "company", st.tuples(PEOPLE, COMPANIES)),
    "knows": ("person", "person", st.tuples(PEOPLE, PEOPLE)),
}


@settings(max_examples=20, deadline=None)
@given(st.data(), st.sampled_from(sorted(RELATION)))
def test_adding_edges_changes_nothing_else(data: st.DataObject, relation: str) -> None:
    before = rich_graph()
    head_type, tail_type, pairs = RELATION[relation]
    drawn = data.draw(st.lists(pairs, max_size=12))
    graph = before.add_edges(relation, [{"head": h, "tail": t} for h, t in drawn])
    assert_nodes_begin_alike(before, graph)
    known = with_attributes(before)
    undirected = relation == "knows"

    def key(fact: tuple[str, str, str]) -> object:
        return frozenset((fact[0], fact[2])) if undirected and fact[1] == relation else (fact[0], fact[2])

    stated = {key(fact) for fact in known if fact[1] == relation}
    new = []
    for h, t in drawn:
        fact = (f"{head_type} {h}", relation, f"{tail_type} {t}")
        if key(fact) not in stated:
            stated.add(key(fact))
            new.append(fact)
    assert told(graph, graph.edges) == [*told(before, before.edges), *new]
    nothing = [("hours", "nan"), ("duty", "None")] if relation == "works_at" else []
    assert with_attributes(graph) == {**known, **{fact: ("NaT", 0, -1, *nothing) for fact in new}}
    false, was = (set(told(each, each.negatives["test"])) for each in (graph, before))
    added = {key(fact) for fact in new}
    assert false == {fact for fact in was if fact[1] != relation or key(fact) not in added}
    assert len(graph.notes) == (len(new) < len(drawn)) + (false != was)


def missing_pair(graph: Graph, relation: str) -> tuple[str, str]:
    known = set(told(graph, graph.edges))
    return next(
        (f"pe{h}", f"co{t}")
        for h in range(28)
        for t in range(20)
        if (f"person pe{h}", relation, f"company co{t}") not in known
    )


def test_new_edges_have_what_the_rows_say() -> None:
    before = rich_graph()
    head, tail = missing_pair(before, "works_at")
    graph = before.add_nodes("person", [{"id": "new"}]).add_edges(
        "works_at",
        [
            {"head": head, "tail": tail, "time": "2020-05-06", "hours": "12", "duty": "all"},
            {"head": head, "tail": tail, "time": "2019-05-06", "hours": 40},
            {"head": "new", "tail": tail},
        ],
    )
    said = with_attributes(graph)
    fact = (f"person {head}", "works_at", f"company {tail}")
    assert said[fact] == ("2020-05-06T00:00:00.000000", 0, -1, ("hours", "12.0"), ("duty", "all"))
    assert said["person new", "works_at", f"company {tail}"] == ("NaT", 0, -1, ("hours", "nan"), ("duty", "None"))
    assert graph.notes == ("1 of 3 edges added to works_at left out, being known or standing twice",)
    assert len(graph.edges) == 302


def test_times_are_made_where_there_were_none() -> None:
    base = Graph.from_triples([("a", "r", "b"), ("b", "r", "c")])
    assert base.add_edges("r", [{"head": "a", "tail": "c"}]).edges.times is None
    times = base.add_edges("r", [{"head": "a", "tail": "c", "time": "2020-01-01"}]).edges.times
    np.testing.assert_array_equal(times, np.array(["NaT", "NaT", "2020-01-01"], "datetime64[us]"))


def test_a_negative_that_is_added_is_none_any_more() -> None:
    base = small_graph()
    head, tail = missing_pair(base, "owns")
    false = Edges(base.node_index("person", [head, head]), np.array([1, 0]), base.node_index("company", [tail, tail]))
    graph = replace(base, negatives={"test": false}).add_edges("owns", [{"head": head, "tail": tail}])
    assert told(graph, graph.negatives["test"]) == [(f"person {head}", "works_at", f"company {tail}")]
    assert graph.notes == ("1 of the negatives of test left out, being among the edges added",)


def test_a_graph_is_never_changed() -> None:
    graph = rich_graph()
    before = with_attributes(graph)
    graph.add_nodes("person", [{"id": "new"}]).add_edges("knows", [{"head": "new", "tail": "pe1"}])
    assert (graph.num_nodes, with_attributes(graph)) == (60, before)


@pytest.mark.parametrize(
    ("add", "message"),
    [
        (lambda g: g.add_nodes("persn", []), r"add_nodes\('persn'\): there is no node type 'persn'; did you"),
        (lambda g: g.add_nodes("person", [{"id": "x"}, {"id": "pe3"}]), "row 1, column 'id': the person 'pe3' is kn"),
        (lambda g: g.add_nodes("person", [{"id": "x"}, {"id": "x"}]), "row 1, column 'id': the person 'x' stands"),
        (lambda g: g.add_nodes("person", [{"id": "x", "age": "old"}]), "row 0, column 'age': 'old' is not a number"),
        (lambda g: g.add_nodes("company", [{"id": "x", "profile": [1]}]), "row 0, column 'profile': .* vector of 4"),
        (lambda g: g.add_nodes("company", [{"id": "x", "zzz": 3}]), "no column 'zzz'; the columns are id, label, pro"),
        (lambda g: g.add_edges("work_at", []), "there is no relation 'work_at'; did you mean 'works_at'"),
        (
            lambda g: g.add_edges("knows", [{"head": "pe1", "tail": "pe2"}, {"head": "pe1", "tail": "pe222"}]),
            r"add_edges\('knows'\), row 1, column 'tail': there is no person with the id 'pe222'; did you mean",
        ),
        (lambda g: g.add_edges("knows", [{"head": "pe1"}]), r"add_edges\('knows'\): the column 'tail' is missing"),
        (lambda g: g.add_edges("knows", [{"head": "pe1", "tail": " "}]), "row 0, column 'tail': the id is blank"),
        (
            lambda g: g.add_edges("works_at", [{"head": "pe1", "tail": "co1", "hours": "many"}]),
            "row 0, column 'hours': 'many' is not a number",
        ),
        (
            lambda g: g.add_edges("owns", [{"head": "pe1", "tail": "co1", "hours": 3}]),
            "there is no column 'hours'; the columns are head, tail, time",
        ),
        (
            lambda g: g.add_edges("owns", [{"head": "pe1", "tail": "co1", "time": "soon"}]),
            "row 0, column 'time': 'soon' is not a date",
        ),
    ],
)
def test_mistakes_are_told(add: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        add(rich_graph())
