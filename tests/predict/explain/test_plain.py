"""Other networks: a part of the graph gives what the whole graph gives."""

from __future__ import annotations

import numpy as np
import pytest

from relwise.predict.explain import explainer_of
from relwise.predict.explain.occlusion import Case
from relwise.predict.explain.plain import plain_of
from relwise.predictor import RelationshipPredictor
from tests.fakes import small_graph
from tests.predict.explain.graphs import asked, some_edges, whole_logit
from tests.small_data import TINY


@pytest.mark.parametrize("encoder", ["rgcn", "gatne", "rgat", "hgt"])
def test_a_part_gives_what_the_whole_graph_gives(encoder: str) -> None:
    if encoder in ("rgat", "hgt"):
        pytest.importorskip("torch_geometric")
    model = RelationshipPredictor(0, **{**TINY, "steps": 5}, encoder=encoder).fit(small_graph())  # type: ignore[arg-type]
    explainer, checked = explainer_of(model), 0
    for edge in some_edges(model)[::2]:
        own = asked(model, explainer, edge)
        plain = plain_of(model.network, explainer.start, model.graph, explainer.messages, edge, explainer.fact(*edge))
        ties = plain.ties()[:4]
        logits = plain.logits([Case(), *(Case(silent=(tie.fact,)) for tie in ties)])
        expected = [whole_logit(model, edge, own)]
        expected += [whole_logit(model, edge, [*own, plain.facts[tie.fact]]) for tie in ties]
        np.testing.assert_allclose(logits, expected, atol=1e-4 * (1 + np.abs(expected).max()))
        checked += len(ties)
    assert checked > 10


@pytest.mark.parametrize("encoder", ["rgcn", "gatne", "lookup", "han"])
def test_what_is_not_there_is_said(encoder: str) -> None:
    if encoder == "han":
        pytest.importorskip("torch_geometric")
    model = RelationshipPredictor(0, **{**TINY, "steps": 5}, encoder=encoder).fit(small_graph())  # type: ignore[arg-type]
    graph, edge = model.graph, some_edges(model)[0]
    found = model.explain(graph.node_id(edge[0]), graph.relation_names[edge[1]], graph.node_id(edge[2]))
    assert found.similar
    assert found.sentence.startswith("Known (")
    assert any("attention" in note for note in found.notes)
    own = (found.head.id, found.relation, found.tail.id)
    assert own not in {(tie.head.id, tie.relation, tie.tail.id) for tie in (*found.carriers, *found.against)}
    if encoder in ("lookup", "han"):
        assert not found.carriers
        assert not found.attributes
        return
    assert found.carriers or found.against
    assert all(tie.attention is None for tie in found.carriers)
    assert found.attributes
    base = whole_logit(model, edge, asked(model, explainer_of(model), edge))
    assert found.logit == pytest.approx(base, abs=1e-4 * (1 + abs(base)))
