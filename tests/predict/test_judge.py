"""The judge against scikit-learn's logistic regression, and what it does with little."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
import torch
from scipy.optimize import check_grad
from sklearn.linear_model import LogisticRegression

from relwise.data.graph import Graph
from relwise.evaluate.calibration import log_loss
from relwise.nn.decoders import DistMult
from relwise.predict import judge as module
from relwise.predict.evidence.table import SHARED, Table
from relwise.predict.final import FinalScorer
from relwise.predict.judge import Judge, fit_judge
from relwise.predict.scorer import Scorer


def edges(n: int, relations: int = 1, width: int = 2, seed: int = 0) -> tuple[np.ndarray, np.ndarray, Table]:
    """Edges of which the logit, two of the shared numbers and one of the own ones tell."""
    rng = np.random.default_rng(seed)
    network, shared = rng.normal(0, 2, n), rng.random((n, len(SHARED)))
    own, r = rng.random((n, width)) * (rng.random((n, width)) < 0.5), rng.integers(relations, size=n)
    z = 0.5 * network + 2 * shared[:, 0] - shared[:, 3] + 3 * own[:, 0] - 1 + 0.5 * (r == 1)
    return rng.random(n) < 1 / (1 + np.exp(-z)), network, Table(r, shared, own)


def test_with_no_penalty_it_is_a_logistic_regression(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "STRENGTHS", (1e-6,))
    truth, network, table = edges(4000)
    fitted = fit_judge(truth, network, table, 1)
    design = np.concatenate([network[:, None], table.shared, table.own], axis=1)
    oracle = LogisticRegression(C=np.inf, max_iter=5000, tol=1e-8).fit(design, truth)
    np.testing.assert_allclose(fitted.logits(network, table), oracle.decision_function(design), atol=0.05)
    assert fitted.slopes[0] == pytest.approx(oracle.coef_[0, 0], abs=0.02)


def test_the_gradient_is_the_losss() -> None:
    truth, network, table = edges(60, relations=3)
    design = module._Design.of(network, table, 3, alone=False)
    holds = truth[design.order].astype(float)

    def loss(values: np.ndarray) -> float:
        z = design.logits(values)
        return float((np.logaddexp(0, z) - holds * z).sum())

    def gradient(values: np.ndarray) -> np.ndarray:
        return design.gradient(1 / (1 + np.exp(-design.logits(values))) - holds)

    start = np.random.default_rng(0).normal(size=design.num_weights)
    assert check_grad(loss, gradient, start) < 1e-4


def test_weights_are_of_the_numbers_as_they_are() -> None:
    _, network, table = edges(200, relations=3)
    design = module._Design.of(network, table, 3, alone=False)
    values = np.random.default_rng(0).normal(size=design.num_weights)
    slopes, offsets, shared, own = design.weights(values)
    fitted = Judge(slopes, offsets, shared, own, Judge.of_network(3, 2).calibration, 1.0, 0.5)
    np.testing.assert_allclose(fitted.logits(network, table)[design.order], design.logits(values), atol=1e-9)


def test_evidence_alone_does_not_ask_the_network() -> None:
    truth, network, table = edges(2000)
    fitted = fit_judge(truth, network, table, 1, alone=True)
    assert fitted.slopes.tolist() == [0.0]
    assert np.array_equal(fitted.probabilities(network, table), fitted.probabilities(-network, table))


def test_both_are_better_than_either() -> None:
    truth, network, table = edges(4000)
    fresh, unseen, seen = edges(4000, seed=1)
    both, alone = fit_judge(truth, network, table, 1), fit_judge(truth, network, table, 1, alone=True)

    def loss(probability: np.ndarray) -> float:
        return log_loss(fresh, probability)

    own = loss(1 / (1 + np.exp(-unseen)))
    assert loss(both.probabilities(unseen, seen)) < min(own, loss(alone.probabilities(unseen, seen))) - 0.02


def test_with_few_edges_the_network_answers() -> None:
    truth, network, table = edges(25)
    fitted = fit_judge(truth, network, table, 1)
    assert math.isnan(fitted.strength)
    np.testing.assert_allclose(fitted.probabilities(network, table), 1 / (1 + np.exp(-network)))


def test_a_relation_without_edges_has_what_all_have() -> None:
    truth, network, table = edges(3000)
    fitted = fit_judge(truth, network, table, 3)
    assert fitted.slopes[2] == pytest.approx(fitted.slopes[1])
    assert np.array_equal(fitted.own[1], np.zeros(2)), "its own patterns have no weight"
    np.testing.assert_allclose(fitted.shared[1], fitted.shared[2])
    assert abs(fitted.shared[1, 0]) > 0.3


def test_json_holds_it_all() -> None:
    truth, network, table = edges(500, relations=2)
    for fitted in (fit_judge(truth, network, table, 2), Judge.of_network(2, 2)):
        again = Judge.from_json(json.loads(json.dumps(fitted.to_json(), allow_nan=False)))
        assert np.array_equal(again.probabilities(network, table), fitted.probabilities(network, table))


def test_a_prior_is_held_against_each_relations_own_share() -> None:
    """Half of one relation's validation pairs are true, a tenth of another's: a prior is of either the same share."""
    rng, n = np.random.default_rng(0), 4000
    relations = np.repeat([0, 1], n)
    truth = rng.random(2 * n) < np.array([0.5, 0.1])[relations]
    table = Table.nothing(relations, 0)
    judge = fit_judge(truth, rng.normal(size=2 * n), table, 3)
    assert judge.share_true == pytest.approx(0.3, abs=0.02)
    judge = Judge.from_json(json.loads(json.dumps(judge.to_json())))
    graph = Graph.from_triples([("a", name, "b") for name in "rst"])
    scorer = FinalScorer(Scorer(graph, DistMult(3, 2), torch.zeros(2, 2)), None, judge)
    logits, asked = judge.logits(np.zeros(3), Table.nothing(np.arange(3), 0)), np.arange(3)
    as_fitted, rare = scorer.calibrated(logits, asked), scorer.calibrated(logits, asked, prior=0.02)
    np.testing.assert_allclose(as_fitted[:2], [0.5, 0.1], atol=0.03)
    np.testing.assert_allclose(rare[:2], 0.02, atol=0.004)
    assert judge.shares is not None
    assert judge.shares[2] == judge.share_true, "no edge was fitted on"
