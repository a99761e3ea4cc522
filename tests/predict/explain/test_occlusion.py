"""Occlusion: equal to the whole network with the same ties masked, for every tie there is."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from relwise.predict.explain import explainer_of
from relwise.predict.explain.cone import cone_of
from relwise.predict.explain.influence import influence_of
from relwise.predict.explain.occlusion import Case, Occlusion
from tests.predict.explain.graphs import VARIANTS, asked, some_edges, trained, whole_logit


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_tie_silenced_is_as_in_the_whole_network(variant: str) -> None:
    model = trained(variant)
    explainer = explainer_of(model)
    tolerance = 3e-2 if variant == "bf16" else 2e-4  # the whole network rounds to bfloat16, occlusion does not
    for edge in some_edges(model)[:: 3 if variant == "bf16" else 1]:
        own = asked(model, explainer, edge)
        occlusion = explainer.occlusion(*edge)
        facts = range(len(occlusion.cone.facts))
        if own:
            facts = [fact for fact in facts if occlusion.cone.facts[fact] != own[0]]
        facts = list(facts)[::7]
        logits = occlusion.logits([Case(), *(Case(silent=(fact,)) for fact in facts)])
        expected = [whole_logit(model, edge, own)]
        expected += [whole_logit(model, edge, [*own, occlusion.cone.facts[fact]]) for fact in facts]
        np.testing.assert_allclose(logits, expected, atol=tolerance * (1 + abs(expected[0])))


def test_ties_silenced_together_and_edges_with_attributes() -> None:
    model = trained(edge_attributes=True)
    explainer = explainer_of(model)
    for edge in some_edges(model):
        own = asked(model, explainer, edge)
        occlusion = explainer.occlusion(*edge)
        rng = np.random.default_rng(0)
        sets = [tuple(rng.permutation(len(occlusion.cone.facts))[:k].tolist()) for k in (1, 4, 12)]
        sets.append(tuple(range(len(occlusion.cone.facts))))  # nobody says anything
        logits = occlusion.logits([Case(silent=chosen) for chosen in sets])
        expected = [whole_logit(model, edge, [*own, *occlusion.cone.facts[list(chosen)]]) for chosen in sets]
        np.testing.assert_allclose(logits, expected, atol=2e-4 * (1 + np.abs(expected).max()))


def test_what_lies_outside_the_cone_does_not_matter() -> None:
    model = trained("one layer")
    edge = some_edges(model)[0]
    occlusion = explainer_of(model).occlusion(*edge)
    own = asked(model, explainer_of(model), edge)
    outside = np.setdiff1d(np.arange(model._prepared()[1].num_facts), [*occlusion.cone.facts, *own])
    assert len(outside) > 50
    assert whole_logit(model, edge, [*own, *outside]) == pytest.approx(whole_logit(model, edge, own), abs=1e-5)


def test_chunks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    model = trained()
    occlusion = explainer_of(model).occlusion(*some_edges(model)[0])
    cases = [Case(silent=(fact,)) for fact in range(12)]
    expected = occlusion.logits(cases)
    monkeypatch.setattr("relwise.predict.explain.occlusion.CHUNK", 5)
    np.testing.assert_allclose(occlusion.logits(cases), expected, atol=1e-5)


def test_neighbours_with_too_many_ties_are_kept_as_they_are() -> None:
    model = trained()
    explainer, edge = explainer_of(model), some_edges(model)[-1]
    assert explainer.states is not None
    cone = cone_of(explainer.states, edge[0], edge[2], most=10)
    occlusion = Occlusion(explainer.states, cone, edge[1])
    assert cone.levels[0].skipped > 0
    whole = explainer.occlusion(*edge)
    assert len(cone.levels[0].target) < len(whole.cone.levels[0].target)
    assert occlusion.logits([Case()])[0] == pytest.approx(whole.logits([Case()])[0], abs=1e-5)
    # A tie of the head, whose other end is kept as it is: near what it is in truth.
    fact = int(influence_of(occlusion).effect.argmax())
    truth = whole_logit(model, edge, [*asked(model, explainer, edge), int(cone.facts[fact])])
    assert occlusion.logits([Case(silent=(fact,))])[0] == pytest.approx(truth, abs=0.05)


@pytest.mark.parametrize("variant", ["one layer", "two layers", "three layers"])
def test_influence_finds_what_matters(variant: str) -> None:
    model = trained(variant)
    for edge in some_edges(model)[:5]:
        occlusion = explainer_of(model).occlusion(*edge)
        influence = influence_of(occlusion)
        base, *logits = occlusion.logits([Case(), *(Case(silent=(f,)) for f in range(len(occlusion.cone.facts)))])
        effects = base - np.array(logits)
        # Not equal, as what comes after the attention is not linear: but the order is the same where effects are small.
        small = np.abs(effects) < 0.05
        assert np.corrcoef(influence.effect[small], effects[small])[0, 1] > 0.8
        # That is enough to find what matters: the strongest are among the twice as many that are tried.
        best = np.argsort(-effects)[:5]
        assert set(best) <= set(np.argsort(-influence.effect)[:20])


def test_with_one_layer_sides_and_attention_are_those_of_the_ends() -> None:
    model = trained("one layer")
    network, (inputs, adjacency, edge_inputs) = model.network, model._prepared()
    (alpha,) = network.attention(inputs, adjacency, edge_inputs)  # type: ignore[operator]
    source, fact = adjacency.row_source[adjacency.row.long()].numpy(), adjacency.fact.numpy()
    target = torch.repeat_interleave(torch.arange(adjacency.num_nodes), adjacency.indptr.diff().long()).numpy()
    edge = (1, 0, 45)
    occlusion = explainer_of(model).occlusion(*edge)
    assert explainer_of(model).fact(*edge) is None
    influence = influence_of(occlusion)
    assert (influence.layer == 1).all()
    for i, number in enumerate(occlusion.cone.facts):
        rows = np.flatnonzero((fact == number) & np.isin(target, [edge[0], edge[2]]))
        assert influence.attention[i] == pytest.approx(alpha[rows].mean(dim=1).max().item(), abs=1e-5)
        ends = {edge[0]: 1, edge[2]: 2}
        assert influence.side[i] == np.bitwise_or.reduce([ends[int(t)] for t in target[rows]])
        assert edge[0] in (*source[rows], *target[rows]) or edge[2] in (*source[rows], *target[rows])
