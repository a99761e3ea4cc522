"""Logits straight from the states, and all their gradients, against plain torch's in float64."""

import numba
import pytest
import torch

from relwise.kernels.adjacency import build_adjacency
from relwise.kernels.node_logits import Parts, add_to_sources, node_logits, node_logits_backward, vectors_backward

GRAPHS = [(5, 1, 0), (6, 3, 4), (40, 2, 900), (30, 200, 700), (3000, 2, 20_000)]


def draw(nodes, relations, edges, dtype, depth=4, width=6, heads=2):
    torch.manual_seed(edges)
    source, target = torch.randint(0, nodes, (2, edges))
    adjacency = build_adjacency(source, target, torch.randint(0, relations, (edges,)), nodes, relations)
    shapes = (
        (nodes, depth),
        (relations, depth, width),
        (depth, width),
        (width, heads),
        (5, heads),
        (width, heads),
        (relations, 5),
    )
    return adjacency, [torch.randn(shape, dtype=dtype) for shape in shapes]


def by_rows(adjacency, x, weights, weight_self, of_target, of_relation, of_source, relation_state):
    """Eq. 4 as it is written: of what each node says."""
    rows = torch.einsum("pk,pkd->pd", x[adjacency.row_source], weights[adjacency.row_relation])
    return x @ weight_self @ of_target, rows @ of_source + (relation_state @ of_relation)[adjacency.row_relation]


@pytest.mark.parametrize(("nodes", "relations", "edges"), GRAPHS)
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-10), (torch.float32, 1e-4)])
def test_logits_and_gradients_are_those_of_the_rows(nodes, relations, edges, dtype, tolerance):
    adjacency, given = draw(nodes, relations, edges, dtype)
    exact = [t.double().requires_grad_() for t in given]
    expected = by_rows(adjacency, *exact)
    target, row, vectors = node_logits(given[0], Parts(*given[1:]), adjacency)
    for got, want in zip((target, row), expected, strict=True):
        torch.testing.assert_close(got.double(), want, rtol=tolerance, atol=tolerance)

    grad_target, grad_row = torch.randn_like(target), torch.randn_like(row)
    want = torch.autograd.grad(expected, exact, [grad_target.double(), grad_row.double()])
    x, weights, weight_self, *_ = given
    grad_vectors, by_relation = node_logits_backward(grad_target, grad_row, x, adjacency)
    begun = torch.randn_like(x), torch.randn_like(weights), torch.randn_like(weight_self)
    grad_x, grad_weights, grad_self = (t.clone() for t in begun)
    rows = torch.randn(len(row), x.shape[1], dtype=dtype)
    by_parts = vectors_backward(grad_vectors, by_relation, Parts(*given[1:]), grad_weights, grad_self)
    add_to_sources(rows, grad_target, grad_row, vectors, adjacency, grad_x)
    grad_x -= torch.zeros_like(x).index_add_(0, adjacency.row_source, rows)
    added = [after - before for after, before in zip((grad_x, grad_weights, grad_self), begun, strict=True)]
    for got, wanted in zip((*added, *by_parts), want, strict=True):
        scale = max(1.0, float(wanted.abs().max())) if wanted.numel() else 1.0
        torch.testing.assert_close(got.double(), wanted, rtol=tolerance, atol=tolerance * scale)


def test_the_same_bits_with_one_thread_and_with_two():
    adjacency, given = draw(3000, 2, 20_000, torch.float32)
    before, found = numba.get_num_threads(), []
    for threads in (1, min(2, before)):
        numba.set_num_threads(threads)
        target, row, vectors = node_logits(given[0], Parts(*given[1:]), adjacency)
        grad_x = torch.zeros_like(given[0])
        add_to_sources(torch.ones(len(row), 4), target, row, vectors, adjacency, grad_x)
        found.append((target, row, vectors, *node_logits_backward(target, row, given[0], adjacency), grad_x))
    numba.set_num_threads(before)
    assert all(torch.equal(one, other) for one, other in zip(*found, strict=True))
