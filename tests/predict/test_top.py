"""The likeliest candidates are those that sorting all of them gives, known ones left out or marked."""

from __future__ import annotations

import gc

import numpy as np
import pytest

from relwise.data.edges import Edges
from relwise.data.graph import Graph
from relwise.nn.decoders import End
from relwise.predict import top
from relwise.predict.index_build import build_index
from relwise.predictor import RelationshipPredictor
from tests.fakes import small_graph
from tests.predict.judged import judged
from tests.predict.test_scorer import dense_graph, whole_numbered
from tests.small_data import TINY


def by_sorting(graph: Graph, scores: np.ndarray, relation: int, anchor: int, missing: End, k: int, known: bool) -> list:
    low, high = (graph.head_ranges if missing == "head" else graph.tail_ranges)[relation]
    nodes = np.arange(low, high)
    ones, anchors = np.full(len(nodes), relation), np.full(len(nodes), anchor)
    edges = Edges(nodes, ones, anchors) if missing == "head" else Edges(anchors, ones, nodes)
    is_known = np.isin(graph.keys(edges), graph.keys(graph.edges))
    allowed = (nodes != anchor) | is_known if known else (nodes != anchor) & ~is_known
    order = np.argsort(-scores, kind="stable")
    order = order[allowed[order]][:k]
    return list(zip(nodes[order].tolist(), scores[order].tolist(), is_known[order].tolist(), strict=True))


@pytest.mark.parametrize("make", [small_graph, dense_graph])
@pytest.mark.parametrize("known", [False, True])
@pytest.mark.parametrize("k", [1, 7, 1000])
def test_as_by_sorting(make, k: int, known: bool) -> None:
    graph = make()
    scorer, rng = whole_numbered(graph), np.random.default_rng(0)
    tied = 0
    for relation in range(graph.num_relations):
        for missing in ("head", "tail"):
            low, high = (graph.tail_ranges if missing == "head" else graph.head_ranges)[relation]
            for anchor in rng.integers(low, high, 8).tolist():
                scores = scorer.block(missing, np.array([relation]), np.array([anchor]))[0]
                before = scores.copy()
                found = top.best_candidates(graph, scores, relation, anchor, missing, k, known)
                expected = by_sorting(graph, scores, relation, anchor, missing, k, known)
                assert list(zip(*(array.tolist() for array in found), strict=True)) == expected
                assert np.array_equal(scores, before)
                tied += len(expected) > len({score for _, score, _ in expected})
    assert tied or k == 1, "there are ties to tell"


def test_what_is_no_number_comes_last() -> None:
    graph = Graph.from_triples([(i, "r", (i + 1) % 5) for i in range(5)])
    scores = np.array([1, np.nan, -np.inf, np.nan, 2], np.float32)
    nodes, _, is_known = top.best_candidates(graph, scores, 0, 0, "tail", 5, known=True)
    assert nodes.tolist() == [4, 1, 2, 3]
    assert is_known.tolist() == [False, True, False, False]
    assert len(top.best_candidates(graph, scores, 0, 0, "tail", 5)[0]) == 3


def test_partners_go_with_their_graph() -> None:
    graph = small_graph()
    assert top.KnownPartners.of(graph) is top.KnownPartners.of(graph)
    grown = graph.add_edges("owns", [{"head": "pe0", "tail": "co19"}])
    company = int(graph.node_index("company", ["co19"])[0])
    assert company in top.KnownPartners.of(grown).find(1, 0, "tail")
    assert company not in top.KnownPartners.of(graph).find(1, 0, "tail")
    gc.collect()
    held = len(top._PARTNERS)
    del grown
    gc.collect()
    assert len(top._PARTNERS) == held - 1


@pytest.mark.parametrize("make", [small_graph, dense_graph])
@pytest.mark.parametrize("exact", [True, False])
def test_known_ones_are_as_likely_in_a_list_as_by_themselves(make, exact: bool) -> None:
    """A known edge is no evidence for itself, wherever it is asked about."""
    model = judged(RelationshipPredictor(**TINY).fit(make()))  # type: ignore[arg-type]
    if not exact:
        pytest.importorskip("faiss")
        model._index = build_index(model.final, small=10)
    graph, checked = model.graph, 0
    for relation, kind in enumerate(graph.relations):
        for end, node_type in (("head", kind.head), ("tail", kind.tail)):
            for node in graph.node_types[graph.type_index[node_type]].ids[:5]:
                name = graph.relation_names[relation]
                found = model.top_k(name, **{end: node}, k=1000, known=True, exact=exact)
                triples = list(found[["head", "relation", "tail"]].itertuples(index=False, name=None))
                np.testing.assert_allclose(found["probability"], model.predict_proba(triples), atol=1e-6)
                assert found["probability"].is_monotonic_decreasing
                checked += int(found["known"].sum())
    assert checked > 50


def test_an_undirected_relationship_is_as_likely_either_way() -> None:
    model = judged(RelationshipPredictor(**TINY).fit(small_graph()))  # type: ignore[arg-type]
    (relation,) = np.flatnonzero(~model.graph.directed)
    name = model.graph.relation_names[relation]
    for node in ("pe0", "pe7", "pe20"):
        tails, heads = (model.top_k(name, **{end: node}, k=1000, known=True) for end in ("head", "tail"))
        assert tails["tail"].tolist() == heads["head"].tolist()
        np.testing.assert_allclose(tails["probability"], heads["probability"], rtol=0, atol=1e-7)
        assert tails["evidence"].str.len().gt(0).any()


def test_a_known_loop_is_listed_and_none_is_predicted() -> None:
    graph = Graph.from_triples(
        [(f"n{i}", "r", f"n{(i + k) % 30}") for i in range(30) for k in (1, 2, 3)] + [("n4", "r", "n4")]
    )
    model = RelationshipPredictor(**TINY).fit(graph)  # type: ignore[arg-type]
    assert set(model.top_k("r", head="n4", k=30, known=True).query("known")["tail"]) == {"n4", "n5", "n6", "n7"}
    assert "n4" not in set(model.top_k("r", head="n4", k=30)["tail"])
    assert "n3" not in set(model.top_k("r", head="n3", k=30, known=True)["tail"])
