"""What answers are made with: computed when it is needed, once, and not at all where nothing asks for it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from relwise.nn.model import RelGNN
from relwise.predict.evidence.ties import Ties
from relwise.predict.explain import explainer_of
from relwise.predictor import RelationshipPredictor
from tests.fakes import small_graph
from tests.predict.judged import judged
from tests.small_data import TINY

EDGE = ("pe1", "owns", "co3")


@pytest.fixture
def model() -> RelationshipPredictor:
    return RelationshipPredictor(**TINY).fit(small_graph())  # type: ignore[arg-type]


def test_where_nothing_was_fitted_no_ties_are_gathered(
    model: RelationshipPredictor, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    pytest.importorskip("faiss")
    model._judge_by(None)

    def refused(*_: object) -> None:
        raise AssertionError("ties were gathered")

    monkeypatch.setattr(Ties, "of", refused)
    probability = model.predict_proba([EDGE])
    np.testing.assert_allclose(probability, model.scorer.probabilities(model.indexed([EDGE])), rtol=1e-12)
    found = model.top_k("owns", head="pe1", k=1000, known=True)
    triples = list(found[["head", "relation", "tail"]].itertuples(index=False, name=None))
    np.testing.assert_allclose(found["probability"], model.predict_proba(triples), atol=1e-6)
    assert (found["evidence"] == "").all()
    model.build_index()
    assert len(model.top_k("owns", head="pe1", k=3, exact=False)) == 3
    assert len(model.top_relations("pe1", "co3", 1, known=True)) == 1
    assert len(model.predict_missing("owns", 2)) == 2
    assert model.write_missing("owns", tmp_path / "owns.parquet", least=0.0) > 100
    with pytest.raises(AssertionError, match="ties were gathered"):
        judged(model).predict_proba([EDGE])


def test_the_index_of_a_run_without_evidence_finds_what_scoring_all_does(model: RelationshipPredictor) -> None:
    pytest.importorskip("faiss")
    from relwise.predict.index_build import build_index
    from relwise.predict.top import Asked, find

    model._judge_by(None)
    low, high = model.graph.head_ranges[1].tolist()
    asked = [Asked(1, node, "tail") for node in range(low, high)]
    index = build_index(model.final, small=10)
    assert "company" in index.types
    for got, best in zip(index.find(asked, 5), find(model.final, asked, 5), strict=True):
        assert len(np.intersect1d(got[0], best[0])) >= 3
        np.testing.assert_allclose(got[1], np.sort(got[1])[::-1])


@pytest.mark.parametrize("settings", [{}, {"precision": "bf16"}, {"encoder": "rgcn"}, {"degrees": True}])
def test_an_explanation_first_encodes_the_graph_once(settings: dict, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first question of a served run is an explanation; its states are those that scores are made of."""
    model = RelationshipPredictor(**{**TINY, **settings}).fit(small_graph())  # type: ignore[arg-type]
    scored, explained = model.predict_proba([EDGE]), model.explain(*EDGE)
    nodes = model.scorer.nodes.clone()
    other = model.with_graph(model.graph)
    prepared, encoded = [], []
    original, encode = other._prepared, other.network.encode
    monkeypatch.setattr(other, "_prepared", lambda: prepared.append(1) or original())
    monkeypatch.setattr(other.network, "encode", lambda *a, **k: encoded.append(1) or encode(*a, **k))
    assert not other.encoded
    again = other.explain(*EDGE)
    np.testing.assert_array_equal(other.predict_proba([EDGE]), scored)
    assert torch.equal(other.scorer.nodes, nodes)
    assert again == explained
    assert len(prepared) == 1
    # The layers of an explanation are in float32: a network in another precision is passed through for itself.
    assert len(encoded) == (not isinstance(other.network, RelGNN) or "precision" in settings)
    assert explainer_of(other) is explainer_of(other)
