from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relwise.data.edges import Edges
from relwise.data.graph import Graph, NodeType, Relation, SplitRule
from relwise.data.split import Split, split_graph
from relwise.errors import InputError
from tests.data.split.cases import SEEDS, check, parts_of, same
from tests.fakes import small_graph

OFFICES, DEPARTMENTS, SUPPLIERS = 40, 8, 60


def procurement(seed: int = 0, two_departments: bool = False) -> Graph:
    """Offices buy from suppliers; departments award to them, and are awarded by them turned round; offices are part of
    departments; suppliers know each other; each award is of a contract."""
    rng = np.random.default_rng(seed)
    office, department, supplier = 0, OFFICES, OFFICES + DEPARTMENTS
    part_of = [(o, department + o % DEPARTMENTS) for o in range(OFFICES)]
    if two_departments:
        part_of.append((0, department + 1))

    def pairs(first: int, size: int, second: int, other: int, count: int) -> list[tuple[int, int]]:
        drawn = np.stack([first + rng.integers(0, size, count), second + rng.integers(0, other, count)], axis=1)
        return [(int(a), int(b)) for a, b in np.unique(drawn, axis=0) if a != b]

    lists = [
        pairs(office, OFFICES, supplier, SUPPLIERS, 250),
        pairs(department, DEPARTMENTS, supplier, SUPPLIERS, 120),
        [(s, d) for d, s in pairs(department, DEPARTMENTS, supplier, SUPPLIERS, 100)],
        part_of,
        pairs(supplier, SUPPLIERS, supplier, SUPPLIERS, 150),
    ]
    types = tuple(
        NodeType(name, [f"{name[0]}{i}" for i in range(size)])  # type: ignore[arg-type]
        for name, size in (("office", OFFICES), ("department", DEPARTMENTS), ("supplier", SUPPLIERS))
    )
    relations = (
        Relation("buys_from", "office", "supplier"),
        Relation("award", "department", "supplier"),
        Relation("awarded_by", "supplier", "department"),
        Relation("part_of", "office", "department"),
        Relation("knows", "supplier", "supplier", directed=False),
    )
    edges = Edges(
        np.array([h for pairs in lists for h, _ in pairs]),
        np.repeat(np.arange(5), [len(pairs) for pairs in lists]),
        np.array([t for pairs in lists for _, t in pairs]),
    )
    rule = SplitRule("group", 0.1, 0.2, group=("buys_from", "award", "awarded_by"), through=("part_of",))
    return Graph(types, relations, edges, split_rule=rule)


def part_of_each(graph: Graph, split: Split) -> np.ndarray:
    """(n,) the part of each of the graph's edges."""
    keys = graph.keys(graph.edges)
    return np.argmax([np.isin(keys, part) for part in parts_of(graph, split)], axis=0)


@settings(max_examples=25, deadline=None)
@given(SEEDS)
def test_edges_that_tie_the_same_two_fall_into_one_part(seed: int) -> None:
    graph = procurement(seed % 50)
    split = split_graph(graph, seed)
    check(graph, split)
    assert split.supervised.all()
    part, edges = part_of_each(graph, split), graph.edges
    department = dict(zip(edges.heads[edges.relations == 3], edges.tails[edges.relations == 3], strict=True))
    seen: dict[frozenset[int], int] = {}
    together = 0
    for i in np.flatnonzero(edges.relations <= 2):
        ends = frozenset(int(department.get(node, node)) for node in (edges.heads[i], edges.tails[i]))
        together += ends in seen
        assert seen.setdefault(ends, part[i]) == part[i]
    assert together > 50, "there is something to keep together"
    assert (part[edges.relations == 3] == 0).all(), "who stands for whom is always known"
    for listed in ((0, 1, 2), (4,)):
        of_listed = np.isin(edges.relations, listed)
        for code, share in ((1, 0.1), (2, 0.2)):
            assert abs((part[of_listed] == code).mean() - share) < 0.04
    assert {*part[edges.relations == 1]} == {0, 1, 2}


def test_a_node_of_two_departments_makes_them_one() -> None:
    graph = procurement(two_departments=True)
    split = split_graph(graph)
    part, edges = part_of_each(graph, split), graph.edges
    merged = {OFFICES: OFFICES + 1}
    for supplier in range(OFFICES + DEPARTMENTS, graph.num_nodes):
        rows = (edges.relations == 1) & (edges.tails == supplier)
        ends = [merged.get(int(head), int(head)) for head in edges.heads[rows]]
        parts = [code for end, code in zip(ends, part[rows], strict=True) if end == OFFICES + 1]
        assert len(set(parts)) <= 1


def _components(graph: Graph, groups: np.ndarray) -> list[set[int]]:
    """Edges that share a fact or a group, directly or over others, by repeated merging."""
    sets: list[tuple[set[int], set[object]]] = []
    for i, (key, group) in enumerate(zip(graph.keys(graph.edges).tolist(), groups.tolist(), strict=True)):
        members, tokens = {i}, {("fact", key)} | ({("group", group)} if group >= 0 else set())
        apart = []
        for others, theirs in sets:
            if theirs & tokens:
                members, tokens = members | others, tokens | theirs
            else:
                apart.append((others, theirs))
        sets = [*apart, (members, tokens)]
    return [members for members, _ in sets]


@settings(max_examples=30, deadline=None)
@given(SEEDS, st.integers(5, 60), st.booleans())
def test_the_groups_of_the_data_stay_whole(seed: int, count: int, undirected: bool) -> None:
    rng = np.random.default_rng(seed)
    base = Graph.from_triples(
        [(int(a), f"r{int(r)}", int(b)) for a, r, b in rng.integers(0, [20, 2, 20], (150, 3))], directed=not undirected
    )
    groups = rng.integers(-count, count, len(base.edges)).clip(-1)
    graph = replace(base, groups=groups, split_rule=SplitRule("group", 0.15, 0.25))
    components = _components(graph, groups)
    try:
        split = split_graph(graph, seed)
    except InputError:
        assert max(map(len, components)) > 30, "one group is most of the graph"
        return
    check(graph, split)
    part = part_of_each(graph, split)
    assert all(len({*part[list(members)]}) == 1 for members in components)
    facts = np.unique(graph.keys(graph.edges), return_index=True)[1]
    largest = max(len(members & set(facts.tolist())) for members in components)
    for code, share in ((1, 0.15), (2, 0.25)):
        assert abs((part[facts] == code).mean() - share) <= (largest + 2) / len(facts)


def test_what_belongs_to_a_group_and_ties_the_same_two_is_one_group() -> None:
    graph = procurement()
    groups = np.full(len(graph.edges), -1)
    awards, known = np.flatnonzero(graph.edges.relations == 1), np.flatnonzero(graph.edges.relations == 4)
    groups[awards[:60]] = groups[known[:60]] = np.arange(60)
    graph = replace(graph, groups=groups)
    for seed in range(5):
        part = part_of_each(graph, split_graph(graph, seed))
        np.testing.assert_array_equal(part[awards[:60]], part[known[:60]])


def test_a_fact_of_several_relations_falls_into_one_part() -> None:
    rows = [(a, relation, b) for a in range(30) for b in range(30, 33) for relation in ("tender", "award", "amend")]
    graph = replace(Graph.from_triples(rows), split_rule=SplitRule("group", group=("tender", "award", "amend")))
    part = part_of_each(graph, split_graph(graph))
    assert (part.reshape(-1, 3) == part.reshape(-1, 3)[:, :1]).all()
    assert np.bincount(part).tolist() == [228, 15, 27]


def test_ungrouped_edges_are_split_as_at_random() -> None:
    base = small_graph()
    graph = replace(base, groups=np.full(len(base.edges), -1), split_rule=SplitRule("group", 0.1, 0.2))
    assert same(split_graph(graph, 3), split_graph(replace(base, split_rule=SplitRule("random", 0.1, 0.2)), 3))


def test_a_group_too_large_for_a_part_stays_in_train() -> None:
    base = Graph.from_triples([(i, "r", i + 1) for i in range(100)])
    groups = np.where(np.arange(100) < 70, 0, -1)
    for seed in range(20):
        graph = replace(base, groups=groups, split_rule=SplitRule("group", 0.1, 0.1))
        part = part_of_each(graph, split_graph(graph, seed))
        assert (part[:70] == 0).all()
        assert np.bincount(part).tolist() == [80, 10, 10]


def test_mistakes_are_told() -> None:
    graph = procurement()

    def rule(**given: tuple[str, ...]) -> Graph:
        return replace(graph, split_rule=SplitRule("group", 0.1, 0.1, **given))  # type: ignore[arg-type]

    for words, message in (
        ({"group": ("by_from",)}, "split by group: there is no relation 'by_from'; did you mean 'buys_from'"),
        ({"group": ("award",), "through": ("partof",)}, "there is no relation 'partof'; did you mean 'part_of'"),
        ({"group": ("award", "part_of"), "through": ("part_of",)}, "'part_of' stands in group and in through"),
        ({}, "nothing says which edges belong together; give relations group ="),
    ):
        with pytest.raises(InputError, match=message):
            split_graph(rule(**words))
    whole = replace(graph, groups=np.zeros(len(graph.edges), np.int64), split_rule=SplitRule("group", 0.1, 0.1))
    with pytest.raises(InputError, match=r"the groups are too few or too large for a share of 0\.1 in valid"):
        split_graph(whole)
