import pytest
import torch

from relwise.kernels.cuda import scoring
from tests.kernels.cuda.device import on_device, relative_error

# Number of edges, nodes, relations, and d; nodes that end no edge always among them.
SHAPES = {
    "usual": (60, 12, 3, 5),
    "one relation, d of several slices": (30, 12, 1, 300),
    "hundreds of relations": (40, 12, 110, 24),
    "two nodes, so that both are hubs": (200, 4, 2, 16),
    "one edge": (1, 4, 2, 16),
    "no edges": (0, 4, 2, 16),
}


def triples(shape, dtype):
    edges, num_nodes, num_relations, width = SHAPES[shape]
    generator = torch.Generator().manual_seed(0)
    nodes = torch.randn(num_nodes, width, generator=generator, dtype=dtype)
    relations = torch.randn(num_relations, width, generator=generator, dtype=dtype)
    head, tail = (torch.randint(0, num_nodes - 2, (edges,), generator=generator) for _ in range(2))
    relation = torch.randint(0, num_relations, (edges,), generator=generator)
    return torch.randn(edges, generator=generator, dtype=dtype), nodes, relations, head, relation, tail


def expected(grad, nodes, relations, head, relation, tail):
    nodes, relations = nodes.double().requires_grad_(), relations.double().requires_grad_()
    score = (nodes[head] * relations[relation] * nodes[tail]).sum(dim=1)
    return score.detach(), *torch.autograd.grad(score, (nodes, relations), grad.double())


@pytest.mark.parametrize(
    ("shape", "dtype", "tolerance"),
    [(shape, torch.float64, 1e-12) for shape in SHAPES] + [("usual", torch.float32, 1e-5)],
)
def test_agrees_with_plain_torch_on(shape, dtype, tolerance):
    given = triples(shape, dtype)
    score = scoring.edge_product(*on_device(*given[1:]))
    grads = scoring.edge_product_backward(*on_device(*given), size=16)
    for got, want in zip((score, *grads), expected(*given), strict=True):
        assert got.shape == want.shape
        assert relative_error(got, want) < tolerance


@pytest.mark.parametrize(("shape", "width"), [("usual", 6), ("two nodes, so that both are hubs", 300)])
def test_agrees_with_torchs_complex_numbers_on(shape, width):
    grad, nodes, relations, *ends = triples(shape, torch.float64)
    generator = torch.Generator().manual_seed(1)
    nodes, relations = (torch.randn(len(t), width, generator=generator).double() for t in (nodes, relations))
    score = scoring.edge_product(*on_device(nodes, relations, *ends), True)
    grads = scoring.edge_product_backward(*on_device(grad, nodes, relations, *ends), True, size=16)
    nodes.requires_grad_(), relations.requires_grad_()
    head, relation, tail = ends
    h, w, t = (torch.complex(*rows.chunk(2, dim=1)) for rows in (nodes[head], relations[relation], nodes[tail]))
    want = (h * w * t.conj()).sum(dim=1).real
    for got, exact in zip((score, *grads), (want, *torch.autograd.grad(want, (nodes, relations), grad)), strict=True):
        assert relative_error(got, exact.detach()) < 1e-12


@pytest.mark.parametrize("paired", [False, True])
def test_nodes_of_bfloat16_are_multiplied_in_float32(paired):
    grad, nodes, relations, *ends = triples("one edge", torch.float32)
    rounded = nodes.bfloat16()
    score = scoring.edge_product(*on_device(rounded, relations, *ends), paired)
    grads = scoring.edge_product_backward(*on_device(grad, rounded, relations, *ends), paired)
    assert (score.dtype, grads[0].dtype, grads[1].dtype) == (torch.float32, torch.bfloat16, torch.float32)
    again = scoring.edge_product(*on_device(rounded.float(), relations, *ends), paired)
    by_relation = scoring.edge_product_backward(*on_device(grad, rounded.float(), relations, *ends), paired)[1]
    assert torch.equal(score, again)
    assert torch.equal(grads[1], by_relation)


def test_the_gradients_share_no_memory():
    grads = scoring.edge_product_backward(*on_device(*triples("usual", torch.float32)))
    assert grads[0].untyped_storage().data_ptr() != grads[1].untyped_storage().data_ptr()


def test_the_same_input_gives_the_same_bits():
    given = on_device(*triples("two nodes, so that both are hubs", torch.float32))
    one, two = (scoring.edge_product_backward(*given, size=16) for _ in range(2))
    assert torch.equal(one[0], two[0])
    assert torch.equal(one[1], two[1])
