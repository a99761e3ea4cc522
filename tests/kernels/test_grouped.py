"""Grouped products and their gradients, in every library, against one product a row in float64."""

from __future__ import annotations

import pytest
import torch

from relwise.kernels import matmul
from relwise.kernels.adjacency import build_adjacency
from relwise.kernels.grouped import add_by_source, grouped_product, grouped_product_backward
from relwise.kernels.node_logits import Parts
from relwise.nn.layer import relgnn_layer


@pytest.fixture(params=["relwise", "onednn", "torch"])
def library(request, monkeypatch):
    monkeypatch.setattr(matmul, "_chosen", None)
    matmul.use_library(request.param)


def graph(nodes: int, relations: int, edges: int):
    """Half of the nodes are isolated, the last relation is empty."""
    torch.manual_seed(edges)
    source, target = torch.randint(0, max(nodes // 2, 1), (2, edges))
    return build_adjacency(source, target, torch.randint(0, max(relations - 1, 1), (edges,)), nodes, relations)


def by_float64(x, weights, adjacency, grad):
    """(P, out) products, (R, in, out) gradient of the weights, (N, in) gradient of x."""
    leaves = x.detach().double().requires_grad_(), weights.detach().double().requires_grad_()
    chosen = leaves[0][adjacency.row_source].unsqueeze(1)
    rows = (chosen @ leaves[1][adjacency.row_relation]).squeeze(1)
    of_x, of_weights = torch.autograd.grad(rows, leaves, grad.double())
    return rows.detach(), of_weights, of_x


def assert_close(result, exact) -> None:
    assert (result.double() - exact).norm() <= 1e-5 * exact.norm()


CASES = [
    (1, 1, 1, 3, 4),
    (30, 3, 0, 3, 4),
    (40, 5, 90, 1, 1),
    (60, 300, 900, 16, 16),
    (900, 2, 9000, 100, 20),
    (50, 2, 300, 128, 128),
]


@pytest.mark.parametrize(("nodes", "relations", "edges", "width_in", "width_out"), CASES)
@pytest.mark.parametrize("contiguous", [True, False])
@pytest.mark.usefixtures("library")
def test_products_and_gradients_by_float64(nodes, relations, edges, width_in, width_out, contiguous) -> None:
    adjacency = graph(nodes, relations, edges)
    x, weights = torch.randn(width_in, nodes).t(), torch.randn(width_in, relations, width_out).transpose(0, 1)
    if contiguous:
        x, weights = x.contiguous(), weights.contiguous()
    grad = torch.randn(len(adjacency.row_source), width_out)
    rows, of_weights, of_x = by_float64(x, weights, adjacency, grad)
    assert_close(grouped_product(x, weights, adjacency), rows)
    grad_x = torch.ones(nodes, width_in)
    assert_close(grouped_product_backward(grad, x, weights, adjacency, grad_x), of_weights)
    assert_close(grad_x, of_x + 1)


@pytest.mark.usefixtures("library")
def test_rows_of_gradients_may_stand_apart() -> None:
    adjacency = graph(40, 3, 200)
    x, weights, wide = torch.randn(40, 8), torch.randn(3, 8, 8), torch.randn(len(adjacency.row_source), 16)
    grad, grad_x = wide[:, ::2], torch.zeros(40, 8)
    _, of_weights, of_x = by_float64(x, weights, adjacency, grad)
    assert_close(grouped_product_backward(grad, x, weights, adjacency, grad_x), of_weights)
    assert_close(grad_x, of_x)


def test_rows_are_added_to_their_sources() -> None:
    adjacency = graph(20, 3, 60)
    rows, out = torch.randn(len(adjacency.row_source), 5), torch.randn(20, 5)
    expected = out.index_add(0, adjacency.row_source, rows)
    add_by_source(rows, adjacency, out)
    torch.testing.assert_close(out, expected)


def layer(dtype):
    """A layer's inputs and the layer as a function of them."""
    adjacency = graph(12, 4, 40)
    shapes = [(12, 5), (4, 5, 3), (5, 3), (3, 2), (3, 2), (3, 2), (4, 3)]
    torch.manual_seed(0)
    inputs = [torch.randn(shape, dtype=torch.float64).to(dtype).requires_grad_() for shape in shapes]

    def run(x, weights, own, target, relation, source, state):
        return relgnn_layer(x, Parts(weights, own, target, relation, source, state), adjacency, None, 0.2)

    return run, inputs


@pytest.mark.usefixtures("library")
def test_gradients_of_a_layer() -> None:
    run, inputs = layer(torch.float64)
    assert torch.autograd.gradcheck(run, inputs)
    single, narrow = layer(torch.float32)
    weight = torch.randn(12, 3, dtype=torch.float64)
    exact = torch.autograd.grad((run(*inputs) * weight).sum(), inputs)
    result = torch.autograd.grad((single(*narrow) * weight.float()).sum(), narrow)
    for one, other in zip(result, exact, strict=True):
        assert_close(one, other)
