"""Relations that follow from two others, with the shares by brute force."""

from __future__ import annotations

import numpy as np
import pytest

from relwise.data.audit.derived import derived
from relwise.data.graph import Graph, Relation, SplitRule
from tests.data.audit.graphs import BY_TIME, case, clean_graph, make, purchases, random_pairs


def by_hand(graph: Graph, target: str) -> tuple[float, float]:
    """Of the target's test edges those that a shop of the firm tells; of all pairs so told those that are edges."""
    asked = case(graph)
    names = graph.relation_names

    def pairs(edges, name: str) -> set[tuple[int, int]]:
        own = edges.relations == names.index(name)
        return set(zip(edges.heads[own].tolist(), edges.tails[own].tolist(), strict=True))

    def told(edges) -> set[tuple[int, int]]:
        firms = dict(pairs(edges, "part_of"))
        return {(firms[shop], seller) for shop, seller in pairs(edges, "buys_from") if shop in firms}

    test = pairs(asked.split.test.positives, target)
    every = told(graph.edges)
    return len(test & told(asked.split.message)) / len(test), len(every & pairs(graph.edges, target)) / len(every)


@pytest.mark.parametrize("seed", range(3))
def test_a_projection_is_found_with_its_shares(seed: int) -> None:
    graph = purchases(seed)
    (finding,) = derived(case(graph, seed=0), set())
    assert finding.severity == "leak"
    assert finding.sentence.startswith("'shop buys_from seller', through 'shop part_of firm', gives away ")
    for target in ("order", "small_order", "changes"):
        coverage, confidence = by_hand(graph, target)
        told = finding.sentence.split(f"'firm {target} seller' (")[1].split(")")[0]
        assert told.startswith(f"{100 * coverage:.1f} % of its test edges follow")
        assert told.endswith(f"{100 * confidence:.1f} % of the pairs that follow are edges")
    assert set(finding.group) == {"buys_from", "order", "small_order", "changes"}
    assert finding.through == ("part_of",)
    assert 'through = ["part_of"]' in finding.remedy
    assert finding.examples


def test_the_split_it_asks_for_mends_it() -> None:
    graph = purchases()
    (finding,) = derived(case(graph), set())
    rule = SplitRule("group", group=finding.group, through=finding.through)
    assert not derived(case(purchases(rule=rule)), set())


def test_turned_round_and_through_an_event() -> None:
    """A contract has one buyer and one seller; `sells_to` is made of them."""
    rng = np.random.default_rng(0)
    count = 800
    buyer, seller = rng.integers(0, 60, count), rng.integers(0, 90, count)
    contract = np.arange(count)
    sells = np.unique(np.stack([seller, buyer], axis=1), axis=0)
    relations = (
        Relation("by", "deal", "buyer"),
        Relation("to", "deal", "seller"),
        Relation("sells_to", "seller", "buyer"),
    )
    pairs = [np.stack([contract, buyer], axis=1), np.stack([contract, seller], axis=1), sells]
    graph = make({"deal": count, "buyer": 60, "seller": 90}, relations, pairs)
    (finding,) = derived(case(graph), set())
    assert set(finding.relations) == {"by", "to", "sells_to"}
    assert "gives away 'seller sells_to buyer'" in finding.sentence
    assert "100.0 % of the pairs that follow are edges" in finding.sentence


def test_a_rule_that_is_no_projection() -> None:
    """`aunt` is `sister` of `mother`, where persons have several of each."""
    rng = np.random.default_rng(0)
    mother, sister = (random_pairs(rng, 150, 150, 260, loops=False) for _ in range(2))
    step = {(a, c) for a, b in mother.tolist() for d, c in sister.tolist() if b == d and a != c}
    relations = tuple(Relation(name, "p", "p") for name in ("mother", "sister", "aunt"))
    graph = make({"p": 150}, relations, [mother, sister, np.array(sorted(step))])
    (finding,) = derived(case(graph), set())
    assert finding.severity == "warn"
    assert finding.sentence.startswith("'mother', then 'sister' gives away 'aunt'")
    assert "100.0 % of the pairs that follow are edges" in finding.sentence
    assert not derived(case(graph), {"aunt"}), "what is told already is not told again"


def test_structure_is_not_told() -> None:
    """Friends within groups: friends of friends are often friends, and that is what there is to learn."""
    rng = np.random.default_rng(0)
    pairs = random_pairs(rng, 120, 120, 20_000, sorted_ends=True, loops=False)
    pairs = pairs[(pairs[:, 0] % 6 == pairs[:, 1] % 6) & (rng.random(len(pairs)) < 0.35)]
    assert not derived(case(make({"p": 120}, (Relation("friend", "p", "p", directed=False),), [pairs])), set())
    for seed in range(5):
        assert not derived(case(clean_graph(seed)), set())


def test_by_time_only_undated_evidence_leaks() -> None:
    assert not derived(case(purchases(rule=BY_TIME)), set())
    (finding,) = derived(case(purchases(rule=BY_TIME, undated=True)), set())
    assert finding.remedy == 'give [relations.buys_from] time = "column of dates", or leave it out'
    assert finding.severity == "leak"


def test_what_the_time_does_not_suffice_for_is_said() -> None:
    asked = case(purchases())
    asked.seconds = -1.0
    assert derived(asked, set()) == []
    assert asked.unexamined == [
        "relations that follow from two others: 5 of 5 relations, those with the fewest edges; the time ran out"
    ]
