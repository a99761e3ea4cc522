"""Blanks of edges' columns that tell what came after the cut, and blanks that do not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from relwise.data.audit import audit
from relwise.data.audit.blanks import blanks, common_odds, is_blank
from relwise.data.graph import Attribute, Graph, Relation, SplitRule
from relwise.data.split import split_graph
from tests.data.audit.graphs import BY_TIME, case, clean_graph, make, random_pairs

CUT = np.datetime64("2020-09-01", "us")


def trade(seed: int = 0, directed: bool = True) -> Graph:
    """Buyers and sellers of very different size over a year; each pair once."""
    rng = np.random.default_rng(seed)
    pairs = random_pairs(rng, 80, 900, 6000) if directed else random_pairs(rng, 900, 900, 6000, sorted_ends=True)
    times = np.datetime64("2020-01-01", "us") + rng.integers(0, 366, len(pairs)).astype("timedelta64[D]")
    if directed:
        return make(
            {"buyer": 80, "seller": 900},
            (Relation("buys", "buyer", "seller"),),
            [pairs],
            times=times,
            split_rule=BY_TIME,
        )
    one = Relation("with", "seller", "seller", directed=False)
    return make({"seller": 900}, (one,), [pairs[pairs[:, 0] != pairs[:, 1]]], times=None, split_rule=BY_TIME)


def with_columns(graph: Graph, **masks: np.ndarray) -> Graph:
    """Numbers of the first relation's edges, blank where the mask says."""
    columns = tuple(Attribute(name, "numeric", np.where(mask, np.nan, 1.0)) for name, mask in masks.items())
    return replace(graph, edge_attributes={0: columns})


def active(graph: Graph) -> np.ndarray:
    """Which nodes have a valid edge."""
    valid, found = split_graph(graph).valid.positives, np.zeros(graph.num_nodes, bool)
    found[valid.heads] = found[valid.tails] = True
    return found


def test_a_value_left_out_because_business_went_on() -> None:
    graph = trade()
    rng = np.random.default_rng(1)
    edges = graph.edges
    later = active(graph)[edges.tails] & (rng.random(len(edges)) < 0.5)
    (finding,) = blanks(case(with_columns(graph, value=later, n=later)))
    assert (finding.kind, finding.severity, finding.relations, finding.types) == (
        "blanks",
        "warn",
        ("buys",),
        ("seller",),
    )
    training = np.asarray(edges.times) < CUT
    assert finding.count == (later & training).sum()
    assert finding.share == pytest.approx((later & training).sum() / training.sum())
    assert "columns 'value' and 'n' of 'buyer buys seller'" in finding.sentence
    assert "100 % of the nodes of type 'seller'" in finding.sentence
    assert finding.remedy.startswith("leave value and n out of [relations.buys.columns]")
    assert finding in audit(with_columns(graph, value=later, n=later), split_graph(graph)).findings


def test_a_value_that_only_comes_with_later_business() -> None:
    """The other way round: blank for those that are not active later."""
    graph = trade()
    never = ~active(graph)[graph.edges.tails]
    (finding,) = blanks(case(with_columns(graph, value=never)))
    assert "lower odds" in finding.sentence


@pytest.mark.parametrize("seed", range(8))
def test_blanks_without_a_reason_are_not_told(seed: int) -> None:
    """At random; of nodes that never tell; of early edges; of large nodes: all known before the cut."""
    graph = trade(seed)
    rng = np.random.default_rng(seed)
    edges = graph.edges
    degree = np.bincount(edges.tails[np.asarray(edges.times) < CUT], minlength=graph.num_nodes)
    assert edges.times is not None
    columns = with_columns(
        graph,
        random=rng.random(len(edges)) < 0.3,
        silent=(rng.random(graph.num_nodes) < 0.3)[edges.tails],
        early=edges.times < np.datetime64("2020-04-01"),
        late=edges.times > np.datetime64("2020-07-01"),
        large=degree[edges.tails] > np.quantile(degree[80:], 0.8),
        never=np.zeros(len(edges), bool),
    )
    assert blanks(case(columns)) == []
    clean = clean_graph(seed, dated=True, scale=3)
    count = int((clean.edges.relations == 0).sum())
    assert blanks(case(with_columns(clean, x=rng.random(count) < 0.4))) == []


def test_nothing_of_test_is_looked_at() -> None:
    """A blank that tells of test edges alone cannot be told by the valid part."""
    graph = trade()
    test, hit = split_graph(graph).test.positives, np.zeros(graph.num_nodes, bool)
    hit[test.tails] = True
    other = replace(graph, split_rule=replace(BY_TIME, test="2020-12-30"))
    value = hit[graph.edges.tails] & ~active(graph)[graph.edges.tails]
    found = blanks(case(with_columns(graph, value=value)))
    assert all("lower odds" in finding.sentence for finding in found)
    # The same edges, some of them valid now instead of test: now it is told.
    assert any("times the odds" in finding.sentence for finding in blanks(case(with_columns(other, value=value))))


def test_other_splits_and_relations_without_dates_are_left_alone() -> None:
    graph = trade()
    later = active(graph)[graph.edges.tails]
    assert blanks(case(replace(with_columns(graph, value=later), split_rule=SplitRule()))) == []
    assert blanks(case(graph)) == []


def test_what_the_time_does_not_suffice_for_is_said() -> None:
    graph = trade()
    asked = case(with_columns(graph, value=active(graph)[graph.edges.tails]))
    asked.seconds = -1.0
    assert blanks(asked) == []
    assert asked.unexamined == ["blanks in columns of 'buyer buys seller'; the time ran out"]


def test_common_odds_are_the_sums_over_the_tables() -> None:
    """Against the sums written out, table by table."""
    rng = np.random.default_rng(0)
    strata = rng.integers(0, 6, 500)
    exposed, answer = rng.random(500) < 0.2 + 0.1 * strata, rng.random(500) < 0.6 - 0.08 * strata
    over = under = excess = variance = 0.0
    for s in range(6):
        table = np.array(
            [
                [(exposed & answer & (strata == s)).sum(), (exposed & ~answer & (strata == s)).sum()],
                [(~exposed & answer & (strata == s)).sum(), (~exposed & ~answer & (strata == s)).sum()],
            ],
            float,
        )
        n, rows, columns = table.sum(), table.sum(axis=1), table.sum(axis=0)
        over, under = over + table[0, 0] * table[1, 1] / n, under + table[0, 1] * table[1, 0] / n
        excess += table[0, 0] - rows[0] * columns[0] / n
        variance += rows.prod() * columns.prod() / (n**2 * (n - 1))
    odds, deviate = common_odds(exposed, answer, strata)
    assert odds == pytest.approx(over / under)
    assert deviate == pytest.approx(excess / np.sqrt(variance))
    assert common_odds(np.zeros(500, bool), answer, strata) == (1.0, 0.0)


@pytest.mark.parametrize(
    ("modality", "values"),
    [
        ("numeric", np.array([np.nan, 1.0])),
        ("text", np.array([None, "a"], dtype=object)),
        ("timestamp", np.array(["NaT", "2020-01-01"], "datetime64[us]")),
        ("vector", np.array([[np.nan, np.nan], [1.0, np.nan]])),
    ],
)
def test_what_is_blank(modality: str, values: np.ndarray) -> None:
    assert is_blank(Attribute("x", modality, values)).tolist() == [True, False]  # type: ignore[arg-type]
