"""One layer for some nodes: its states, its gradients, and the effect of each message, by torch's own arithmetic."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from relwise.kernels.adjacency import build_adjacency
from relwise.nn.relgnn import SLOPE, RelGNNConv
from relwise.predict.explain.layers import LayerWeights, Messages, Passed, pass_on, trace

N, D, R = 7, 5, 3


def case(bases: int | None = None, count: int = 25):
    """A layer on a random graph: conv, states, sources, targets, relations sorted by target and relation."""
    torch.manual_seed(0)
    rng = np.random.default_rng(1)
    conv = RelGNNConv(D, D, R, heads=2, bases=bases)
    triples = np.unique(
        np.stack([rng.integers(0, N - 1, count), rng.integers(0, R, count), rng.integers(0, N, count)]), axis=1
    )
    target, relation, source = triples  # node N - 1 has no message
    return conv, torch.randn(N, D), source, target, relation


@pytest.mark.parametrize("bases", [None, 2])
def test_states_and_gradients_are_the_layers(bases: int | None) -> None:
    conv, x, source, target, relation = case(bases)
    x.requires_grad_()
    arrays = (torch.from_numpy(a) for a in (source, target, relation))
    expected = conv.propagate(x, build_adjacency(*arrays, N, R))
    grad = torch.randn(N, D)
    (by_x,) = torch.autograd.grad(expected, [x], grad_outputs=grad)
    layer, table = LayerWeights.of(conv, conv.relation_state), x.detach().numpy()
    messages = Messages.of(target, source, relation)
    passed = pass_on(layer, table, table, layer.row_logits(table[source], relation), messages)
    np.testing.assert_allclose(passed.state, expected.detach(), atol=1e-5)
    traced = trace(layer, passed, grad.numpy(), table, messages, relation=relation)
    assert traced.by_table is not None
    np.testing.assert_allclose(traced.by_own + traced.by_table, by_x, atol=1e-4)
    assert trace(layer, passed, grad.numpy(), table, messages).by_table is None


def test_effect_is_what_a_messages_absence_takes_from_the_sum() -> None:
    conv, x, source, target, relation = case()
    layer, table, grad = (
        LayerWeights.of(conv, conv.relation_state),
        x.numpy(),
        np.random.default_rng(2).normal(size=(N, D)),
    )
    row_logit = layer.row_logits(table[source], relation)

    def passed(rows: np.ndarray) -> tuple[Messages, Passed]:
        messages = Messages.of(target[rows], source[rows], relation[rows])
        return messages, pass_on(layer, table, table, row_logit[rows], messages)

    messages, whole = passed(np.arange(len(target)))
    traced = trace(layer, whole, grad.astype(np.float32), table, messages)
    inner = np.where(whole.state > 0, grad, SLOPE * grad)

    def before(state: np.ndarray) -> np.ndarray:
        return np.where(state > 0, state, state / SLOPE)

    for e in range(len(target)):
        _, without = passed(np.delete(np.arange(len(target)), e))
        expected = (inner * (before(whole.state) - before(without.state))).sum()
        assert traced.effect[e] == pytest.approx(expected, abs=1e-4)


def test_a_target_without_messages_keeps_what_it_says_itself() -> None:
    conv, x, *_ = case()
    none = np.empty(0, np.int64)
    layer, messages = LayerWeights.of(conv, conv.relation_state), Messages.of(none, none, none)
    passed = pass_on(layer, x.numpy(), x.numpy(), np.empty((0, 2), np.float32), messages)
    np.testing.assert_allclose(
        passed.state, torch.nn.functional.leaky_relu(x @ conv.weight_self, SLOPE).detach(), atol=1e-5
    )
    grad = np.ones((N, D), np.float32)
    traced = trace(layer, passed, grad, x.numpy(), messages, relation=none)
    assert len(traced.effect) == 0
    assert traced.by_table is not None
    assert not traced.by_table.any()
