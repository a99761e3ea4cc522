"""Relations that tie the same pairs, with their shares by brute force."""

from __future__ import annotations

import numpy as np
import pytest

from relwise.data.audit.overlaps import overlaps
from relwise.data.graph import Graph, Relation, SplitRule
from tests.data.audit.graphs import BY_TIME, case, clean_graph, make, purchases, random_pairs

SIZES = {"x": 100, "y": 80}


def two(seed: int, copied: float, turned: bool = False, **options: object) -> Graph:
    """Two relations of 400 edges; of so many the second is the first, turned round where asked for."""
    rng = np.random.default_rng(seed)
    first = random_pairs(rng, 100, 80, 900)[:400]
    rng.shuffle(first)
    rest = random_pairs(rng, 100, 80, 900)
    rest = rest[~(rest[:, None] == first[None]).all(2).any(1)]
    rng.shuffle(rest)
    same = round(copied * len(first))
    second = np.concatenate([first[:same], rest[: len(first) - same]])
    relations = (Relation("r", "x", "y"), Relation("s", "y", "x") if turned else Relation("s", "x", "y"))
    return make(SIZES, relations, [first, second[:, ::-1] if turned else second], **options)


def shares(graph: Graph, turned: bool) -> tuple[float, float, float, float]:
    """Of r's pairs those of s, and of s's those of r, over all edges; then of the test edges in train."""
    asked = case(graph)
    found = []
    for edges, other in ((graph.edges, graph.edges), (asked.split.test.positives, asked.split.message)):
        pairs = [{(h, t) for h, q, t in zip(e.heads, e.relations, e.tails, strict=True) if q == r}
                 for e, r in ((edges, 0), (edges, 1), (other, 0), (other, 1))]  # fmt: skip
        if turned:
            pairs[1], pairs[3] = ({(t, h) for h, t in p} for p in (pairs[1], pairs[3]))
        found += [len(pairs[0] & pairs[3]) / len(pairs[0]), len(pairs[1] & pairs[2]) / len(pairs[1])]
    return tuple(found)  # type: ignore[return-value]


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize(("copied", "words", "severity"), [
    (0.9, "are near-copies", "leak"), (0.6, "tie the same pairs", "warn"),
])  # fmt: skip
def test_copies_and_inverses(copied: float, words: str, severity: str, turned: bool) -> None:
    graph = two(1, copied, turned)
    (finding,) = overlaps(case(graph))
    r_in_s, s_in_r, test_r, test_s = shares(graph, turned)
    words = words.replace("are near-copies", "is the inverse of 'y s x'") if turned else words
    assert words in finding.sentence
    assert finding.severity == severity
    assert set(finding.relations) == {"r", "s"}
    assert finding.share == pytest.approx(max(test_r, test_s))
    assert f"{100 * max(r_in_s, s_in_r):.1f} % of the first's pairs are the second's" in finding.sentence
    assert 'group = ["r", "s"]' in finding.remedy or 'group = ["s", "r"]' in finding.remedy


def test_what_chance_ties_twice_is_not_told() -> None:
    for seed in range(5):
        assert not overlaps(case(two(seed, 0.0)))
        assert not overlaps(case(clean_graph(seed)))
    # Dense: most pairs of the two are common, by chance alone.
    rng = np.random.default_rng(0)
    dense = [random_pairs(rng, 20, 15, 900) for _ in range(2)]
    both = make({"x": 20, "y": 15}, (Relation("r", "x", "y"), Relation("s", "x", "y")), dense)
    shared = {tuple(pair) for pair in dense[0]} & {tuple(pair) for pair in dense[1]}
    assert len(shared) > 0.6 * len(dense[0])
    assert not overlaps(case(both))


def test_undirected_relations() -> None:
    rng = np.random.default_rng(3)
    pairs = random_pairs(rng, 100, 100, 500, sorted_ends=True, loops=False)
    flipped = np.where(rng.random(len(pairs))[:, None] < 0.5, pairs, pairs[:, ::-1])
    for directed in (False, True):
        relations = (Relation("u", "x", "x", directed=False), Relation("s", "x", "x", directed=directed))
        (finding,) = overlaps(case(make({"x": 100}, relations, [pairs, flipped])))
        assert "are near-copies: 100.0 % of the first's pairs are the second's" in finding.sentence
        assert "100.0 % the other way" in finding.sentence


def test_one_of_several() -> None:
    graph = purchases()
    findings = overlaps(case(graph))
    changes = next(f for f in findings if f.relations[0] == "changes")
    assert changes.severity == "leak"
    assert set(changes.relations) == {"changes", "order", "small_order"}
    assert "'firm changes seller' implies one of 'firm order seller' and 'firm small_order seller': 100.0 % of its" in (
        changes.sentence
    )
    assert all("order" not in f.relations[0] or f.severity == "leak" for f in findings), "told once"


def test_dated_evidence_came_before() -> None:
    rng = np.random.default_rng(0)
    graph = two(1, 0.9)
    count = len(graph.edges)
    times = np.datetime64("2020-01-01", "us") + rng.integers(0, 366, count).astype("timedelta64[D]")
    assert overlaps(case(two(1, 0.9, times=times, split_rule=SplitRule())))
    assert not overlaps(case(two(1, 0.9, times=times, split_rule=BY_TIME)))
    times[graph.edges.relations == 1] = np.datetime64("NaT")
    (finding,) = overlaps(case(two(1, 0.9, times=times, split_rule=BY_TIME)))
    assert finding.remedy == 'give [relations.s] time = "column of dates", or leave it out'
