"""Layers and fusion as one operator: what it gives back, and what it holds."""

import gc
import weakref

import pytest
import torch

from relwise.kernels import remaking
from relwise.kernels.adjacency import Adjacency, build_adjacency
from relwise.kernels.dropout import draw
from relwise.kernels.fusion import fuse
from relwise.kernels.node_logits import Parts
from relwise.nn import chain
from relwise.nn.chain import relgnn_chain
from relwise.nn.layer import relgnn_layer

NODES, RELATIONS, DIM, HEADS = 30, 3, 6, 2


def inputs(layers: int) -> tuple[Adjacency, list[torch.Tensor]]:
    """The graph; and h^(0), the fusion's attention, the relations' states, and five matrices a layer."""
    torch.manual_seed(layers)
    ends, kinds = torch.randint(0, NODES, (2, 200)), torch.randint(0, RELATIONS, (200,))
    of_layer = (RELATIONS, DIM, DIM), (DIM, DIM), (DIM, HEADS), (4, HEADS), (DIM, HEADS)
    shapes = (NODES, DIM), (DIM, HEADS), (RELATIONS, 4), *(shape for _ in range(layers) for shape in of_layer)
    tensors = [torch.randn(shape).double().requires_grad_() for shape in shapes]
    return build_adjacency(*ends, kinds, NODES, RELATIONS), tensors


def parts_of(tensors: list[torch.Tensor]) -> list[Parts]:
    return [Parts(*tensors[at : at + 5], tensors[2]) for at in range(3, len(tensors), 5)]


def chained(adjacency: Adjacency, tensors: list[torch.Tensor], share: float, keep: torch.Tensor | None = None):
    torch.manual_seed(7)
    layers = parts_of(tensors)
    return relgnn_chain(tensors[0], layers, tensors[1], adjacency, keep, 0.3, dropped=[draw(share) for _ in layers])


@pytest.mark.parametrize("layers", [1, 2, 3])
@pytest.mark.parametrize("share", [0.0, 0.4])
@pytest.mark.parametrize("masked", [False, True])
def test_it_is_layer_after_layer_and_the_fusion(layers, share, masked):
    adjacency, tensors = inputs(layers)
    keep = torch.rand(adjacency.num_facts) < 0.7 if masked else None
    out = chained(adjacency, tensors, share, keep)
    torch.manual_seed(7)
    state = tensors[0]
    for parts in parts_of(tensors):
        state = relgnn_layer(state, parts, adjacency, keep, 0.3, dropped=draw(share))
    want = fuse(tensors[0], state, tensors[1], 0.3)
    torch.testing.assert_close(out, want, rtol=1e-12, atol=1e-12)
    direction = torch.randn_like(out)
    found, wanted = (torch.autograd.grad(states, tensors, direction) for states in (out, want))
    for one, other in zip(found, wanted, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("large", [False, True])
def test_going_back_twice_gives_the_same_and_leaves_what_came_in(monkeypatch, large):
    if large:  # nothing is kept that can be made again
        monkeypatch.setattr(remaking, "LARGE", 0)
    adjacency, tensors = inputs(2)
    out = chained(adjacency, tensors, 0.4)
    grad, states = torch.randn_like(out), out.detach().clone()
    before = grad.clone()
    once, twice = (torch.autograd.grad(out, tensors, grad, retain_graph=True) for _ in range(2))
    assert all(map(torch.equal, once, twice))
    assert torch.equal(grad, before)
    assert torch.equal(out, states)


def test_attributes_made_again_give_the_gradients_of_ones_kept(monkeypatch):
    adjacency, tensors = inputs(2)
    vector, new, found = torch.randn(DIM).double().requires_grad_(), torch.rand(NODES) < 0.3, []
    for large in (0, 1 << 40):
        monkeypatch.setattr(remaking, "LARGE", large)
        start = remaking.replace_rows(tensors[0], new, vector)
        assert (remaking.remake(start) is not None) == (large == 0)
        out = chained(adjacency, [start, *tensors[1:]], 0.4)
        del start
        found.append(torch.autograd.grad(out.sin().sum(), [*tensors, vector]))
    assert all(map(torch.equal, *found))


def test_the_last_states_are_gone_when_the_layers_are_gone_through_backwards(monkeypatch):
    adjacency, tensors = inputs(2)
    held, pass_on, pass_back = [], chain.pass_on, chain.pass_back

    def on(*given):
        found = pass_on(*given)
        held.append(weakref.ref(found[0]))
        return found

    def back(*given):
        gc.collect()
        alive.append([state() is not None for state in held])
        return pass_back(*given)

    alive: list[list[bool]] = []
    monkeypatch.setattr(chain, "pass_on", on)
    monkeypatch.setattr(chain, "pass_back", back)
    loss = chained(adjacency, tensors, 0.4).sin().sum()
    loss.backward()  # the graph is there still
    assert alive == [[True, False], [False, False]]
    assert not any(state() is not None for state in held)


def test_a_weight_that_changed_in_between_is_told():
    adjacency, tensors = inputs(1)
    loss = chained(adjacency, tensors, 0.0).sum()
    with torch.no_grad():
        tensors[4].mul_(2)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()
