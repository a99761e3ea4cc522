"""Evidence later than what it predicts."""

from __future__ import annotations

import numpy as np
import pytest

from relwise.data.audit.times import times
from relwise.data.graph import Attribute, Graph, Relation, SplitRule
from tests.data.audit.graphs import BY_TIME, case, clean_graph, make

NEVER = np.datetime64("NaT", "us")


def dated(rule: SplitRule, missing: int = 0, column: np.ndarray | None = None, **options: object) -> Graph:
    rng = np.random.default_rng(0)
    pairs = np.unique(rng.integers(0, 30, (600, 2)), axis=0)
    moments = np.datetime64("2020-01-01", "us") + rng.integers(0, 366, len(pairs)).astype("timedelta64[D]")
    moments[:missing] = NEVER
    attributes = {} if column is None else {"x": (Attribute("seen", "timestamp", column),)}
    sizes = {"x": 30, "y": 30}
    return make(sizes, (Relation("r", "x", "y"),), [pairs], attributes, times=moments, split_rule=rule, **options)


def test_undated_edges_of_a_dated_relation() -> None:
    assert not times(case(dated(BY_TIME)))
    graph = dated(BY_TIME, missing=7)
    (finding,) = times(case(graph))
    assert (finding.severity, finding.count, finding.relations) == ("note", 7, ("r",))
    assert finding.sentence.startswith(f"7 of {len(graph.edges)} ")
    assert finding.examples[0] == ("x0", "r", graph.node_id(int(graph.edges.tails[0])))


def test_a_column_of_later_dates() -> None:
    column = np.full(30, np.datetime64("2020-03-01", "us"))
    column[:4] = NEVER
    assert not times(case(dated(BY_TIME, column=column)))
    column[4:10] = np.datetime64("2020-09-01", "us")
    (finding,) = times(case(dated(BY_TIME, column=column)))
    assert (finding.severity, finding.column, finding.types, finding.count) == ("warn", "seen", ("x",), 6)
    assert finding.share == pytest.approx(6 / 26)
    assert finding.examples == (("x4",), ("x5",), ("x6",))


def test_a_random_split_of_dated_edges() -> None:
    graph = dated(SplitRule())
    asked = case(graph)
    (finding,) = times(asked)
    assert graph.edges.times is not None
    when = {
        (h, t): m
        for h, t, m in zip(graph.edges.heads.tolist(), graph.edges.tails.tolist(), graph.edges.times, strict=True)
    }

    def moments(edges) -> list:
        return [when[pair] for pair in zip(edges.heads.tolist(), edges.tails.tolist(), strict=True)]

    test, train = moments(asked.split.test.positives), moments(asked.split.message)
    assert finding.share == pytest.approx(np.mean([[m < n for n in train] for m in test]))
    assert finding.severity == "note"
    assert 'by = "time"' in finding.remedy


def test_a_few_late_edges_in_a_split_given_by_time() -> None:
    graph = dated(SplitRule())
    assert graph.edges.times is not None
    late = graph.edges.times >= np.datetime64("2020-10-01")
    parts = np.where(late, 2, 0).astype(np.int8)
    rule = SplitRule("given")
    assert not times(case(dated(rule, parts=parts)))
    parts[np.flatnonzero(late)[:3]] = 0
    (finding,) = times(case(dated(rule, parts=parts)))
    assert finding.severity == "warn"
    assert "have training edges later than they are" in finding.sentence


def test_without_dates_there_is_nothing_to_say() -> None:
    assert not times(case(clean_graph(0)))
