import tracemalloc

import numba
import pytest
import torch
from torch.autograd import gradcheck
from torch.utils._python_dispatch import TorchDispatchMode

from relwise.kernels.adjacency import build_adjacency
from relwise.kernels.basis_plan import basis_plan
from relwise.kernels.cpu import HUB
from relwise.kernels.node_logits import Parts
from relwise.nn import basis_layer as module
from relwise.nn.basis_layer import basis_layer
from relwise.nn.layer import relgnn_layer
from relwise.nn.relgnn import RelGNNConv


def graph(seed=0, nodes=14, edges=90, relations=4):
    generator = torch.Generator().manual_seed(seed)
    draw = lambda high: torch.randint(0, high, (edges,), generator=generator)  # noqa: E731
    # The last two nodes are isolated; drawn with repetition: duplicate edges.
    return build_adjacency(draw(nodes - 2), draw(nodes - 2), draw(relations), nodes, relations, draw(edges // 2 + 1))


def star(inward):
    """Two hubs, with more edges than one piece of `HUB` holds, and a few nodes besides."""
    count = 5 * HUB // 2
    hub, other = torch.arange(count) % 2, 2 + torch.arange(count) % 5
    return build_adjacency(other if inward else hub, hub if inward else other, torch.arange(count) % 2, 8, 2)


GRAPHS = {
    "usual": graph,
    "one relation": lambda: graph(1, relations=1),
    "hundreds of relations": lambda: graph(2, edges=500, relations=300),
    "no edges": lambda: graph(3, edges=0),
    "duplicates alone": lambda: build_adjacency(*(torch.full((50,), v) for v in (1, 2, 0)), 4, 2),
    "hubs hear": lambda: star(inward=True),
    "hubs speak": lambda: star(inward=False),
}


def inputs(adjacency, count=2, in_dim=5, out_dim=5, heads=2, dtype=torch.float64, seed=0):
    generator = torch.Generator().manual_seed(seed)
    nodes, relations = adjacency.num_nodes, adjacency.num_relations
    shapes = (
        (nodes, in_dim), (count, in_dim, out_dim), (relations, count), (in_dim, out_dim),
        (out_dim, heads), (3, heads), (out_dim, heads), (relations, 3),
    )  # fmt: skip
    drawn = (torch.randn(shape, generator=generator, dtype=torch.float64) / 2 for shape in shapes)
    return [tensor.to(dtype).requires_grad_() for tensor in drawn]


def by_bases(adjacency, keep, x, basis, coefficient, weight_self, a, b, c, state):
    return basis_layer(x, basis, coefficient, weight_self, (a, b, c), state, adjacency, keep, 0.3)


def by_rows(adjacency, keep, x, basis, coefficient, weight_self, a, b, c, state):
    weights = torch.einsum("rb,bio->rio", coefficient, basis)
    return relgnn_layer(x, Parts(weights, weight_self, a, b, c, state), adjacency, keep, 0.3)


def mask(adjacency, name):
    some = torch.rand(adjacency.num_facts, generator=torch.Generator().manual_seed(1)) < 0.6
    return {"none": None, "some": some, "everything": torch.zeros_like(some)}[name]


def with_gradients(form, adjacency, keep, tensors):
    out = form(adjacency, keep, *tensors)
    direction = torch.randn(out.shape, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    return out.detach(), *torch.autograd.grad(out, tensors, direction.to(out.dtype))


def errors(got, want):
    """The greatest difference of each tensor, relative to its greatest number."""
    return [
        ((a.double() - b).abs().max() / b.abs().max().clamp(min=1e-3)).item() for a, b in zip(got, want, strict=True)
    ]


@pytest.mark.parametrize("name", GRAPHS)
@pytest.mark.parametrize("masked", ["none", "some", "everything"])
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-10), (torch.float32, 2e-5)])
def test_it_is_the_layer_of_rows_in_states_and_gradients(name, masked, dtype, tolerance):
    adjacency = GRAPHS[name]()
    ours = inputs(adjacency, dtype=dtype)
    theirs = [tensor.detach().double().requires_grad_() for tensor in ours]
    keep = mask(adjacency, masked)
    want = with_gradients(by_rows, adjacency, keep, theirs)
    got, same = (errors(with_gradients(form, adjacency, keep, ours), want) for form in (by_bases, by_rows))
    # Over tens of thousands of edges float32 loses what cancels in either form: no more may be lost in this one.
    assert all(one <= max(tolerance, 1.5 * other) for one, other in zip(got, same, strict=True)), (got, same)


@pytest.mark.parametrize(
    "sizes", [{"count": 1}, {"count": 7}, {"in_dim": 3, "out_dim": 8}, {"in_dim": 9, "out_dim": 2}, {"heads": 1},
              {"heads": 3}, {"count": 12, "in_dim": 33, "out_dim": 18}]
)  # fmt: skip
@pytest.mark.parametrize("room", [1, 16 << 20])
def test_any_number_of_bases_heads_and_numbers_and_chunks_of_any_size(sizes, room, monkeypatch):
    monkeypatch.setattr(module, "CHUNK_BYTES", room)
    adjacency = graph(4, nodes=70, edges=400)
    tensors, keep = inputs(adjacency, **sizes), mask(adjacency, "some")
    got, want = (with_gradients(form, adjacency, keep, tensors) for form in (by_bases, by_rows))
    assert max(errors(got, want)) < 1e-10


@pytest.mark.parametrize("masked", ["none", "some"])
def test_gradcheck(masked):
    adjacency = graph(5, nodes=7, edges=20, relations=3)
    keep = mask(adjacency, masked)
    assert gradcheck(lambda *x: by_bases(adjacency, keep, *x), inputs(adjacency, in_dim=3, out_dim=2))


def test_the_same_bits_with_one_thread_and_with_two():
    adjacency, before, results = graph(6, nodes=300, edges=4000, relations=20), numba.get_num_threads(), []
    tensors = inputs(adjacency, 4, 48, 48, dtype=torch.float32)
    for threads in (1, min(2, numba.config.NUMBA_NUM_THREADS)):
        numba.set_num_threads(threads)
        results.append(with_gradients(by_bases, adjacency, None, tensors))
    numba.set_num_threads(before)
    assert all(torch.equal(a, b) for a, b in zip(*results, strict=True))


class Largest(TorchDispatchMode):
    numel = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        out = func(*args, **(kwargs or {}))
        for tensor in out if isinstance(out, (tuple, list)) else [out]:
            if isinstance(tensor, torch.Tensor):
                self.numel = max(self.numel, tensor.numel())
        return out


def test_nothing_is_as_large_as_rows_or_nodes_times_bases_times_d(monkeypatch):
    nodes, count, width = 2000, 8, 32
    monkeypatch.setattr(module, "CHUNK_BYTES", 100 * count * width * 4)
    adjacency = graph(7, nodes=nodes, edges=9000, relations=40)
    tensors = inputs(adjacency, count, width, width, dtype=torch.float32)
    basis_plan(adjacency)
    with Largest():
        by_bases(adjacency, None, *tensors).sum().backward()  # what is loaded at first is not what is measured
    with Largest() as largest:
        tracemalloc.start()
        by_bases(adjacency, None, *tensors).sum().backward()
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    rows, sums = len(adjacency.row_source) * width, nodes * count * width
    assert largest.numel < min(rows, sums) / 2
    assert peak < 4 * min(rows, sums) / 2  # bytes of arrays: the edges' numbers, and no more


@pytest.mark.parametrize("masked", ["none", "some"])
def test_the_convolution_gives_the_same_states_and_attention_in_both_forms(masked):
    torch.manual_seed(0)
    conv, adjacency = RelGNNConv(5, 4, 4, heads=2, bases=3).double(), graph()
    x, keep, found = torch.randn(14, 5, dtype=torch.float64, requires_grad=True), mask(adjacency, masked), {}
    for form in ("rows", "bases"):
        conv.form = form
        out, alpha = conv.propagate(x, adjacency, keep=keep), conv.attention(x, adjacency, keep=keep)
        found[form] = out, alpha, *torch.autograd.grad(out.square().sum(), [x, *conv.parameters()])
    assert not torch.equal(found["rows"][2], found["bases"][2])  # two ways indeed
    for one, other in zip(found["rows"], found["bases"], strict=True):
        torch.testing.assert_close(one, other, rtol=1e-10, atol=1e-10)


def test_the_form_is_the_models_choice_and_rows_where_each_relation_has_a_matrix(monkeypatch):
    from relwise.nn import relgnn

    asked = []
    monkeypatch.setattr(relgnn, "choose_form", lambda *a: asked.append(a[1:]) or "bases")
    monkeypatch.setattr(relgnn, "basis_layer", lambda *a: "by bases")
    adjacency = graph()
    assert RelGNNConv(5, 4, 4, heads=3, bases=2).propagate(torch.ones(14, 5), adjacency) == "by bases"
    assert RelGNNConv(5, 4, 4).propagate(torch.ones(14, 5), adjacency).shape == (14, 4)
    assert asked == [(2, 5, 4, 3)]
