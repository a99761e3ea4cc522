"""A layer's products in one call: those of plain torch in float64, with every library and precision."""

import pytest
import torch

from relwise.kernels import matmul
from relwise.kernels.adjacency import build_adjacency
from relwise.kernels.layer_products import layer_gradients, layer_products, layer_sources, layer_weights

GRAPHS = {"small": (9, 2, 30), "usual": (700, 3, 4000), "long sums": (3000, 1, 9000), "without edges": (300, 2, 0)}


def draw(graph, depth, width, dtype):
    nodes, relations, edges = GRAPHS[graph]
    torch.manual_seed(edges)
    source, target = torch.randint(0, nodes, (2, edges))
    adjacency = build_adjacency(source, target, torch.randint(0, relations, (edges,)), nodes, relations)
    shapes = (nodes, depth), (relations, depth, width), (depth, width)
    return adjacency, [torch.randn(shape, dtype=dtype) for shape in shapes]


@pytest.mark.parametrize("graph", GRAPHS)
@pytest.mark.parametrize(("depth", "width"), [(32, 32), (40, 24)])
@pytest.mark.parametrize(
    ("library", "dtype", "precision", "tolerance"),
    [
        ("relwise", torch.float32, "float32", 1e-5),
        ("torch", torch.float32, "float32", 1e-5),
        ("relwise", torch.float64, "float32", 1e-12),
        ("relwise", torch.float32, "bf16", 0.02),
    ],
)
def test_products_and_gradients(graph, depth, width, library, dtype, precision, tolerance):
    adjacency, (x, weights, weight_self) = draw(graph, depth, width, dtype)
    before = matmul.library()
    matmul.use_library(library)
    try:
        own, rows = layer_products(x, weights, weight_self, adjacency, precision)
        grad_own, grad_rows = torch.randn_like(own), torch.randn_like(rows)
        by_weights, by_self = layer_weights(x, grad_rows, grad_own, weights, adjacency, precision)
        given = weights, weight_self, adjacency, precision  # both may write over the gradients
        grad_x, by_source = layer_sources(grad_rows.clone(), grad_own.clone(), *given)
        both = layer_gradients(x, grad_rows.clone(), grad_own.clone(), *given)
    finally:
        matmul.use_library(before)

    for got, want in zip((*both[0], *both[1]), (by_weights, by_self, grad_x, by_source), strict=True):
        assert torch.equal(got, want)
    exact = [t.double().requires_grad_() for t in (x, weights, weight_self)]
    sent = exact[0][adjacency.row_source].detach().requires_grad_()
    wanted_rows = torch.einsum("pk,pkd->pd", sent, exact[1][adjacency.row_relation])
    wanted_own = exact[0] @ exact[2]
    grads = grad_own.double(), grad_rows.double()
    wanted = torch.autograd.grad([wanted_own, wanted_rows], [exact[0], sent, *exact[1:]], grads)
    found = own, rows, grad_x, by_source, by_weights, by_self
    for got, want in zip(found, (wanted_own, wanted_rows, *wanted), strict=True):
        assert got.shape == want.shape
        scale = max(1.0, float(want.detach().abs().max())) if want.numel() else 1.0
        torch.testing.assert_close(got.double(), want.detach(), rtol=tolerance, atol=tolerance * scale)
