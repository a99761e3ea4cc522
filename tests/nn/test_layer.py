"""The layer's own backward pass: what it writes over, and what it makes again."""

import numba
import pytest
import torch

from relwise.kernels import remaking
from relwise.kernels.adjacency import Adjacency, build_adjacency
from relwise.kernels.dropout import draw
from relwise.kernels.fusion import fuse
from relwise.kernels.node_logits import Parts
from relwise.nn.layer import relgnn_layer

SHAPES = [(30, 3, 200, 5, 5), (60, 2, 6000, 8, 4)]  # of the second, rows have more edges than are worked on at a time


def graph(nodes: int, relations: int, edges: int) -> Adjacency:
    torch.manual_seed(edges)
    source, target = (torch.rand(edges) ** 3 * nodes).long(), torch.randint(0, nodes, (edges,))
    return build_adjacency(source, target, torch.randint(0, relations, (edges,)), nodes, relations)


def inputs(nodes: int, relations: int, given: int, made: int) -> list[torch.Tensor]:
    shapes = (nodes, given), (relations, given, made), (given, made), (made, 2), (3, 2), (made, 2), (relations, 3)
    return [torch.randn(shape).double().requires_grad_() for shape in shapes]


def states(adjacency: Adjacency, tensors: list[torch.Tensor], keep: torch.Tensor | None) -> torch.Tensor:
    x, weights, weight_self, *attention, relation_state = tensors
    torch.manual_seed(7)
    parts = Parts(weights, weight_self, *attention, relation_state)
    return relgnn_layer(x, parts, adjacency, keep, 0.3, dropped=draw(0.4))


@pytest.mark.parametrize(("nodes", "relations", "edges", "given", "made"), SHAPES)
def test_gradients_with_dropout_by_differences(nodes, relations, edges, given, made):
    adjacency, tensors = graph(nodes, relations, edges), inputs(nodes, relations, given, made)
    keep = torch.rand(edges) < 0.8
    direction = [torch.randn_like(tensor) for tensor in tensors]
    found = torch.autograd.grad(states(adjacency, tensors, keep).sin().sum(), tensors)
    step = 1e-6
    ahead, back = (
        states(adjacency, [t + s * d for t, d in zip(tensors, direction, strict=True)], keep).sin().sum()
        for s in (step, -step)
    )
    slope = sum((g * d).sum() for g, d in zip(found, direction, strict=True))
    torch.testing.assert_close(slope, (ahead - back) / (2 * step), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("large", [0, 1 << 40])
@pytest.mark.parametrize(("nodes", "relations", "edges", "given", "made"), SHAPES)
def test_going_back_twice_gives_the_same_and_leaves_what_came_in(
    monkeypatch, large, nodes, relations, edges, given, made
):
    monkeypatch.setattr(remaking, "LARGE", large)
    adjacency, tensors = graph(nodes, relations, edges), inputs(nodes, relations, given, made)
    out = states(adjacency, tensors, None)
    grad = torch.randn_like(out)
    before = grad.clone(), out.detach().clone()
    once, twice = (torch.autograd.grad(out, tensors, grad, retain_graph=True) for _ in range(2))
    assert all(torch.equal(one, two) for one, two in zip(once, twice, strict=True))
    assert torch.equal(grad, before[0])
    assert torch.equal(out, before[1])


def test_what_is_made_again_is_the_same(monkeypatch):
    adjacency, found = graph(30, 3, 200), []
    tensors = inputs(30, 3, 5, 5)
    for large in (0, 1 << 40):
        monkeypatch.setattr(remaking, "LARGE", large)
        found.append(torch.autograd.grad(states(adjacency, tensors, None).sin().sum(), tensors))
    assert all(torch.equal(one, two) for one, two in zip(*found, strict=True))


@pytest.mark.parametrize("share", [0.0, 0.4])
def test_an_input_made_again_gives_the_gradients_of_one_kept(monkeypatch, share):
    adjacency, found = graph(30, 3, 200), []
    tensors, vector, new = inputs(30, 3, 5, 5), torch.randn(5).double().requires_grad_(), torch.rand(30) < 0.3
    for large in (0, 1 << 40):
        monkeypatch.setattr(remaking, "LARGE", large)
        attributes = remaking.replace_rows(tensors[0], new, vector)
        assert (remaking.remake(attributes) is not None) == (large == 0)
        torch.manual_seed(7)
        _, weights, weight_self, *attention, relation_state = tensors
        parts = Parts(weights, weight_self, *attention, relation_state)
        topology = relgnn_layer(attributes, parts, adjacency, None, 0.3, dropped=draw(share))
        out = fuse(attributes, topology, torch.ones(5, 1).double(), 0.3)
        del attributes, topology
        found.append(torch.autograd.grad(out.sin().sum(), [*tensors, vector]))
    assert all(torch.equal(one, two) for one, two in zip(*found, strict=True))


def test_the_same_bits_with_one_thread_and_with_two():
    adjacency, found = graph(60, 2, 60_000), []
    tensors = inputs(60, 2, 8, 8)
    before = numba.get_num_threads()
    for threads in (1, min(2, before)):
        numba.set_num_threads(threads)
        found.append(torch.autograd.grad(states(adjacency, tensors, None).sin().sum(), tensors))
    numba.set_num_threads(before)
    assert all(torch.equal(one, two) for one, two in zip(*found, strict=True))
