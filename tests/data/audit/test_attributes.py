"""Columns that betray the answer, and columns that do not."""

from __future__ import annotations

import numpy as np
import pytest

from relwise.data.audit.attributes import attributes
from relwise.data.graph import Attribute, Graph, Relation
from tests.data.audit.graphs import case, clean_graph, make, random_pairs

N = 300


def sold(seed: int, column: Attribute | None = None) -> Graph:
    """Sellers, half of them without an edge, most with few."""
    rng = np.random.default_rng(seed)
    pairs = random_pairs(rng, 60, N // 2, 700)
    columns = {} if column is None else {"seller": (column,)}
    return make({"buyer": 60, "seller": N}, (Relation("buys", "buyer", "seller"),), [pairs], columns)


def degrees(graph: Graph, edges) -> np.ndarray:
    begin, end = graph.type_range("seller")
    return np.bincount(edges.tails, minlength=graph.num_nodes)[begin:end].astype(float)


def test_a_count_over_all_parts() -> None:
    graph = sold(0)
    every = degrees(graph, graph.edges)
    (finding,) = attributes(case(sold(0, Attribute("n_orders", "numeric", 3 * every + 1))))
    assert (finding.severity, finding.column, finding.types, finding.relations) == (
        "leak",
        "n_orders",
        ("seller",),
        ("buys",),
    )
    assert "rank correlation 1.000" in finding.sentence
    assert finding.remedy.startswith("leave n_orders out of [nodes.seller.columns]")
    test = degrees(graph, case(graph).split.test.positives)
    assert finding.count == ((test + degrees(graph, case(graph).split.valid.positives)) > 0).sum()


def test_a_count_of_training_edges_is_honest() -> None:
    graph = sold(0)
    train = degrees(graph, case(graph).split.message)
    assert not attributes(case(sold(0, Attribute("n_orders", "numeric", train))))


@pytest.mark.parametrize("modality", ["categorical", "boolean", "timestamp", "text", "multi_categorical", "numeric"])
def test_a_trace_that_the_edge_leaves(modality: str) -> None:
    """A mark, or a value that is not missing, on nodes with a test edge alone."""
    graph = sold(1)
    hit = degrees(graph, case(graph).split.test.positives) > 0
    day = np.datetime64("2020-01-01", "us")
    many = np.empty(N, dtype=object)
    many[:] = [("won", "late") if h else None for h in hit]
    values = {
        "categorical": np.where(hit, "won", "open").astype(object),
        "boolean": hit.astype(float),
        "timestamp": np.where(hit, day, np.datetime64("NaT", "us")),
        "text": np.array([f"paid on day {i}" if h else None for i, h in enumerate(hit)], dtype=object),
        "multi_categorical": many,
        "numeric": np.where(hit, 5.0, np.nan),
    }[modality]
    (finding,) = attributes(case(sold(1, Attribute("status", modality, values))))  # type: ignore[arg-type]
    assert finding.severity == "warn"
    assert finding.column == "status"
    assert finding.count == hit.sum()
    score = float(finding.sentence.split("AUC ")[1].split(";")[0])
    assert score > 0.95


@pytest.mark.parametrize("seed", range(5))
def test_columns_that_tell_nothing_are_not_told(seed: int) -> None:
    assert not attributes(case(clean_graph(seed, scale=2)))
    rng = np.random.default_rng(seed)
    every = degrees(sold(seed), sold(seed).edges)
    popular = Attribute("size", "numeric", every + rng.normal(0, 4, N))
    assert not attributes(case(sold(seed, popular))), "it knows no more than training edges do"


def test_what_the_time_does_not_suffice_for_is_said() -> None:
    asked = case(sold(0, Attribute("size", "numeric", np.arange(float(N)))))
    asked.seconds = -1.0
    assert attributes(asked) == []
    assert asked.unexamined == ["columns 'size' of 'seller'; the time ran out"]
