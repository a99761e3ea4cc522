import pytest
import torch

from relwise.kernels import reference
from relwise.kernels.adjacency import edge_targets
from relwise.kernels.cuda import attention
from tests.kernels.cuda.device import on_device, relative_error
from tests.kernels.cuda.graphs import GRAPHS, hub, inputs, keeps, message_graph

SLOPE = 0.2


def both_ways(adjacency, keep, heads, width, dtype, size):
    """What the kernels give, and what the reference does in float64: sums, LSE and three gradients."""
    a, (target, row, rows, grad) = adjacency, inputs(adjacency, heads, width, dtype)
    edges = (a.indptr, a.row, a.fact, keep)
    out, total = attention.attend(*on_device(target, row, rows, *edges), SLOPE, size=size)
    again = on_device(grad, target, row, rows, total, *edges, a.row_indptr, a.row_target)
    grads = attention.attend_backward(*again, SLOPE, size=size)
    exact = [tensor.double() for tensor in (target, row, rows)]
    static = (a.indptr, a.row, keep[a.fact.long()], SLOPE)
    want = reference.attend(*exact, *static)
    return (out, total, *grads), (*want, *reference.attend_backward(grad.double(), *exact, *static))


def check(got, want, tolerance):
    for ours, theirs in zip(got, want, strict=True):
        assert torch.equal(ours.isinf().cpu(), theirs.isinf())
        finite = ~theirs.isinf()
        assert relative_error(ours.cpu()[finite], theirs[finite]) < tolerance


@pytest.mark.parametrize(
    ("graph", "mask"),
    [*((graph, "some") for graph in GRAPHS), ("usual", "all"), ("usual", "nothing"), ("a hub", "nothing")],
)
def test_agrees_with_the_reference_on(graph, mask):
    adjacency = GRAPHS[graph]()
    got, want = both_ways(adjacency, keeps(adjacency)[mask], heads=2, width=5, dtype=torch.float64, size=16)
    check(got, want, 1e-12)


@pytest.mark.parametrize(("heads", "width"), [(1, 1), (1, 64), (2, 300), (3, 24)])
def test_agrees_in_float32_with(heads, width):
    adjacency = message_graph(4)
    got, want = both_ways(adjacency, keeps(adjacency)["some"], heads, width, torch.float32, size=256)
    check(got, want, 1e-5)


@pytest.mark.parametrize("size", [7, 64, 155, 256])
def test_a_hub_is_cut_anywhere_with_the_same_result(size):
    adjacency = hub()
    got, want = both_ways(adjacency, keeps(adjacency)["some"], heads=2, width=8, dtype=torch.float64, size=size)
    check(got, want, 1e-12)


def test_the_same_input_gives_the_same_bits():
    adjacency = hub()
    one, two = (both_ways(adjacency, keeps(adjacency)["some"], 2, 40, torch.float32, 16)[0] for _ in range(2))
    assert all(torch.equal(a, b) for a, b in zip(one, two, strict=True))


def test_rows_of_bfloat16_are_summed_in_float32():
    a, keep = hub(), keeps(hub())["all"]
    target, row, rows, grad = inputs(a, 1, 16, torch.float32)
    rows, grad = rows.bfloat16(), grad.bfloat16()
    edges = (a.indptr, a.row, a.fact, keep)
    out, total = attention.attend(*on_device(target, row, rows, *edges), SLOPE, size=16)
    again = on_device(grad, target, row, rows, total, *edges, a.row_indptr, a.row_target)
    by_target, by_row, by_rows = attention.attend_backward(*again, SLOPE, size=16)
    exact = [tensor.double() for tensor in (target, row, rows)]
    static = (a.indptr, a.row, keep[a.fact.long()], SLOPE)
    want = reference.attend_backward(grad.double(), *exact, *static)
    assert out.dtype == by_rows.dtype == torch.bfloat16
    # What is bfloat16 is rounded once, to 8 bits (the interpreter cuts off); the scalars keep float32's precision.
    assert relative_error(out, reference.attend(*exact, *static)[0]) < 2**-7
    assert relative_error(by_rows, want[2]) < 2**-7
    logits = torch.cat((by_target, by_row)), torch.cat(want[:2])
    check((total, logits[0]), (reference.attend(*exact, *static)[1], logits[1]), 1e-5)


def test_not_a_number_comes_out_at_its_targets_alone():
    a = message_graph(5)
    target, row, rows, _ = inputs(a, 2, 6, torch.float32)
    row[int(a.row[0]), 0] = float("nan")
    keep = keeps(a)["all"]
    out, _ = attention.attend(*on_device(target, row, rows, a.indptr, a.row, a.fact, keep), SLOPE)
    hit = torch.zeros(a.num_nodes, dtype=torch.bool)
    hit[edge_targets(a.indptr, a.num_edges)[a.row == a.row[0]]] = True
    assert hit.any()
    assert not hit.all()
    assert torch.equal(out.cpu().isnan(), hit[:, None].expand(-1, 6))


def test_masked_edges_pass_nothing_on_even_where_their_target_is_not_a_number():
    a = hub()
    target, row, rows, grad = inputs(a, 1, 4, torch.float32)
    target[1] = float("nan")
    keep = torch.ones(a.num_facts, dtype=torch.bool)
    keep[a.fact[int(a.indptr[1]) : int(a.indptr[2])].long()] = False
    edges = (a.indptr, a.row, a.fact, keep)
    out, total = attention.attend(*on_device(target, row, rows, *edges), SLOPE, size=16)
    got = attention.attend_backward(
        *on_device(grad, target, row, rows, total, *edges, a.row_indptr, a.row_target), SLOPE, size=16
    )
    assert not out.isnan().any()
    assert not any(part.isnan().any() for part in got)
    assert not out[1].any()


def test_positions_lead_from_the_transpose_to_the_edges_and_are_kept():
    a = message_graph(6)
    row = a.row.clone()
    position = attention.row_positions(row)
    assert torch.equal(edge_targets(a.indptr, a.num_edges)[position.long()], a.row_target.long())
    assert torch.equal(a.row[position.long()], edge_targets(a.row_indptr, a.num_edges).int())
    assert attention.row_positions(row) is position
