import pytest
import torch
from torch.autograd import gradcheck

from relwise.kernels import reference
from relwise.kernels.adjacency import build_adjacency, edge_targets
from relwise.kernels.attention import attend, attention_weights
from relwise.kernels.cpu import HUB


def message_graph(seed, nodes=12, edges=60, relations=3):
    generator = torch.Generator().manual_seed(seed)
    draw = lambda high: torch.randint(0, high, (edges,), generator=generator)  # noqa: E731
    # Nodes 10 and 11 get no edge: isolated; drawn with repetition: duplicate edges.
    return build_adjacency(draw(nodes - 2), draw(nodes - 2), draw(relations), nodes, relations, draw(edges // 2 + 1))


def inputs(adjacency, heads=2, width=5, dtype=torch.float64, seed=0):
    generator = torch.Generator().manual_seed(seed)
    shapes = (
        (adjacency.num_nodes, heads),
        (len(adjacency.row_source), heads),
        (len(adjacency.row_source), width),
    )
    return tuple(torch.randn(s, generator=generator, dtype=dtype).requires_grad_() for s in shapes)


def masks(adjacency):
    facts = int(adjacency.fact.max()) + 1 if adjacency.num_edges else 0
    some = torch.rand(facts, generator=torch.Generator().manual_seed(1)) < 0.6
    return {"none": None, "some": some, "everything": torch.zeros(facts, dtype=torch.bool)}


GRAPHS = {
    "usual": lambda: message_graph(0),
    "one relation": lambda: message_graph(1, relations=1),
    "hundreds of relations": lambda: message_graph(2, edges=500, relations=300),
    "several batches": lambda: message_graph(12, nodes=200, edges=4000, relations=9),
    "no edges": lambda: message_graph(3, edges=0),
    "a hub": lambda: build_adjacency(torch.arange(400) % 50, torch.zeros(400).long(), torch.arange(400) % 2, 50, 2),
    "targets cut in pieces": lambda: star(inward=True),
    "rows cut in slices": lambda: star(inward=False),
}


def star(inward):
    """Two hubs, with more edges than one piece holds, and a few nodes besides."""
    count = 5 * HUB // 2
    hub, other = torch.arange(count) % 2, 2 + torch.arange(count) % 5
    return build_adjacency(other if inward else hub, hub if inward else other, torch.arange(count) % 2, 8, 2)


@pytest.mark.parametrize("graph", GRAPHS)
@pytest.mark.parametrize("mask", ["none", "some", "everything"])
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-12), (torch.float32, 1e-5)])
def test_agrees_with_the_reference_forward_and_backward(graph, mask, dtype, tolerance):
    adjacency = GRAPHS[graph]()
    keep = masks(adjacency)[mask]
    keep_edge = torch.ones(adjacency.num_edges, dtype=torch.bool) if keep is None else keep[adjacency.fact.long()]
    ours = inputs(adjacency, dtype=dtype)
    theirs = [tensor.detach().double().requires_grad_() for tensor in ours]
    out, alpha = attend(*ours, adjacency, keep)[0], attention_weights(*ours[:2], adjacency, keep)
    expected, logsumexp = reference.attend(*theirs, adjacency.indptr, adjacency.row, keep_edge, 0.2)
    torch.testing.assert_close(out.double(), expected, rtol=tolerance, atol=tolerance)
    logits = reference.masked_logits(*theirs[:2], adjacency.indptr, adjacency.row, keep_edge, 0.2)
    again = (logits - logsumexp[edge_targets(adjacency.indptr, adjacency.num_edges)]).exp()
    torch.testing.assert_close(alpha.double(), again, rtol=tolerance, atol=tolerance)
    direction = torch.randn(out.shape, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    got = torch.autograd.grad(out, ours, direction.to(dtype))
    want = torch.autograd.grad(expected, theirs, direction)
    for a, b in zip(got, want, strict=True):
        torch.testing.assert_close(a.double(), b, rtol=tolerance, atol=tolerance * max(1, b.abs().sum().item()))


@pytest.mark.parametrize("graph", ["usual", "several batches", "targets cut in pieces", "rows cut in slices"])
def test_where_nothing_is_masked_the_bits_are_those_of_looking_up_each_fact(graph):
    adjacency = GRAPHS[graph]()
    ours, found = inputs(adjacency, dtype=torch.float32), []
    # A mask of one fact more, which no edge states: now all are kept, now not, and no edge is masked.
    for keep in (
        torch.ones(adjacency.num_facts + 1).bool(),
        torch.arange(adjacency.num_facts + 1) < adjacency.num_facts,
    ):
        out = attend(*ours, adjacency, keep)[0]
        found.append((out, *torch.autograd.grad(out.sin().sum(), ours)))
    assert all(torch.equal(one, other) for one, other in zip(*found, strict=True))


@pytest.mark.parametrize("mask", ["none", "some"])
def test_gradcheck(mask):
    adjacency = message_graph(4, nodes=8, edges=20)
    keep = masks(adjacency)[mask]
    assert gradcheck(lambda *x: attend(*x, adjacency, keep)[0], inputs(adjacency, width=3))


def test_reference_backward_is_the_gradient_of_the_reference():
    adjacency = message_graph(5)
    x = inputs(adjacency)
    keep = torch.rand(adjacency.num_edges, generator=torch.Generator().manual_seed(3)) < 0.7
    out, _ = reference.attend(*x, adjacency.indptr, adjacency.row, keep, 0.2)
    direction = torch.randn(out.shape, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    want = torch.autograd.grad(out, x, direction)
    got = reference.attend_backward(direction, *x, adjacency.indptr, adjacency.row, keep, 0.2)
    for a, b in zip(got, want, strict=True):
        torch.testing.assert_close(a, b)


def test_opcheck():
    adjacency = message_graph(6)
    a = adjacency
    arguments = (
        *inputs(adjacency, dtype=torch.float32), a.indptr, a.row, a.fact, torch.rand(a.num_facts) < 0.8,
        a.row_indptr, a.row_target, a.row_fact, 0.2,
    )  # fmt: skip
    torch.library.opcheck(torch.ops.relwise.attend.default, arguments)
    x = [t.detach() for t in arguments[:3]]
    out, logsumexp = torch.ops.relwise.attend(*arguments)
    direction = torch.randn_like(out).detach()
    backward = (direction, *x, logsumexp.detach(), *arguments[3:])
    torch.library.opcheck(torch.ops.relwise.attend_backward.default, backward)
    want = reference.attend_backward(direction, *x, a.indptr, a.row, arguments[6][a.fact.long()], 0.2)
    for got, wanted in zip(torch.ops.relwise.attend_backward(*backward), want, strict=True):
        torch.testing.assert_close(got, wanted, rtol=1e-5, atol=1e-5)


def test_what_only_masked_edges_carry_is_not_read():
    adjacency = message_graph(10)
    keep = torch.ones(adjacency.num_facts, dtype=torch.bool)
    row = int(adjacency.row[0])
    keep[adjacency.fact[adjacency.row == row].long()] = False
    x = inputs(adjacency)
    with torch.no_grad():
        x[2][row] = float("nan")
    out, _ = attend(*x, adjacency, keep)
    grads = torch.autograd.grad(out.sum(), x)
    assert all(torch.isfinite(t).all() for t in (out, *grads))
    assert not grads[2][row].any()


def test_too_short_a_mask_is_refused():
    adjacency = message_graph(11)
    with pytest.raises(ValueError, match="facts"):
        attend(*inputs(adjacency), adjacency, torch.ones(adjacency.num_facts - 1, dtype=torch.bool))


def test_compiles_into_one_graph():
    adjacency = message_graph(7)
    x = inputs(adjacency, dtype=torch.float32)
    compiled = torch.compile(lambda *x: attend(*x, adjacency)[0], fullgraph=True, backend="aot_eager")
    torch.testing.assert_close(compiled(*x), attend(*x, adjacency)[0])


def test_the_same_bits_with_one_thread_and_with_two():
    import numba

    adjacency = message_graph(8, nodes=200, edges=3000)
    x = inputs(adjacency, dtype=torch.float32, width=64)
    before = numba.get_num_threads()
    results = []
    for threads in (1, min(2, numba.config.NUMBA_NUM_THREADS)):
        numba.set_num_threads(threads)
        out = attend(*x, adjacency)[0]
        results.append((out, *torch.autograd.grad(out.sum(), x)))
    numba.set_num_threads(before)
    assert all(torch.equal(a, b) for a, b in zip(*results, strict=True))


def test_not_a_number_comes_out_as_not_a_number():
    adjacency = message_graph(9)
    x = [t.detach().clone() for t in inputs(adjacency, dtype=torch.float32)]
    row = int(adjacency.row[0])
    x[1][row, 0] = float("nan")
    target = int(edge_targets(adjacency.indptr, adjacency.num_edges)[0])
    out = attend(*x, adjacency)[0]
    assert out[target].isnan().all()


@pytest.mark.parametrize("bad", [(-1, 0, 0), (0, 12, 0), (0, 0, 3)])
def test_an_index_out_of_range_is_refused(bad):
    source, target, relation = (torch.tensor([value]) for value in bad)
    with pytest.raises(ValueError, match="outside"):
        build_adjacency(source, target, relation, 12, 3)
