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
    score = scoring.triple_product(*on_device(*given[1:]))
    grads = scoring.triple_product_backward(*on_device(*given), size=16)
    for got, want in zip((score, *grads), expected(*given), strict=True):
        assert got.shape == want.shape
        assert relative_error(got, want) < tolerance


def test_the_gradients_share_no_memory():
    grads = scoring.triple_product_backward(*on_device(*triples("usual", torch.float32)))
    assert grads[0].untyped_storage().data_ptr() != grads[1].untyped_storage().data_ptr()


def test_the_same_input_gives_the_same_bits():
    given = on_device(*triples("two nodes, so that both are hubs", torch.float32))
    one, two = (scoring.triple_product_backward(*given, size=16) for _ in range(2))
    assert torch.equal(one[0], two[0])
    assert torch.equal(one[1], two[1])
