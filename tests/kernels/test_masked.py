"""The graph of the kept edges: what a mask leaves, no more and no less, and attention over it as with the mask."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from relwise.kernels.adjacency import build_adjacency
from relwise.kernels.attention import attend, attend_and_activate, attend_backward_in_place
from relwise.kernels.masked import kept_edges
from tests.kernels.test_attention import GRAPHS, inputs, masks, message_graph


@settings(deadline=None)
@given(st.data())
def test_it_is_the_graph_built_of_the_kept_edges(data):
    nodes, relations = data.draw(st.integers(1, 9)), data.draw(st.integers(1, 4))
    count = data.draw(st.integers(0, 300))
    draw = lambda high: torch.tensor(data.draw(st.lists(st.integers(0, high - 1), min_size=count, max_size=count)))  # noqa: E731
    source, target, relation, fact = draw(nodes).long(), draw(nodes).long(), draw(relations).long(), draw(5).long()
    keep = torch.tensor(data.draw(st.lists(st.booleans(), min_size=5, max_size=5)))
    kept = keep[fact]
    found = kept_edges(build_adjacency(source, target, relation, nodes, relations, fact), keep)
    wanted = build_adjacency(source[kept], target[kept], relation[kept], nodes, relations)

    def by_target(adjacency):
        row = adjacency.row.long()
        return torch.stack([adjacency.row_relation[row], adjacency.row_source[row]]).tolist()

    assert found.indptr.tolist() == wanted.indptr.tolist()
    assert by_target(found) == by_target(wanted)
    # Rows without an edge stay, so that nothing of their number is made anew.
    sizes = found.row_indptr.diff()
    assert found.row_relation[sizes > 0].tolist() == wanted.row_relation.tolist()
    assert sizes[sizes > 0].tolist() == wanted.row_indptr.diff().tolist()
    assert found.row_target.tolist() == wanted.row_target.tolist()


@pytest.mark.parametrize("graph", GRAPHS)
@pytest.mark.parametrize("mask", ["some", "everything"])
def test_attention_over_it_is_attention_with_the_mask(graph, mask):
    adjacency = GRAPHS[graph]()
    keep = masks(adjacency)[mask]
    ours, kept = inputs(adjacency), kept_edges(adjacency, keep)
    found = []
    for where in ((adjacency, keep), (kept, None)):
        out = attend(*ours, *where)[0]
        found.append((out, *torch.autograd.grad(out.sin().sum(), ours)))
    for one, other in zip(*found, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("graph", ["usual", "several batches", "hundreds of relations"])
def test_a_row_without_a_kept_edge_has_no_gradient(graph):
    adjacency = GRAPHS[graph]()
    # Whole rows are left without an edge: the first, the last, and runs of them wherever slices may meet.
    silent = torch.arange(len(adjacency.row_source)) // 3 % 2 == 0
    silent[-1] = True
    keep = torch.ones(adjacency.num_facts, dtype=torch.bool)
    keep[adjacency.fact[silent[adjacency.row.long()]].long()] = False
    kept = kept_edges(adjacency, keep)
    states = [t.detach() for t in inputs(adjacency)]
    own = torch.zeros(adjacency.num_nodes, states[2].shape[1], dtype=torch.float64)
    told = attend_and_activate(own, *states, kept, None, 0.2)
    empty = kept.row_indptr.diff() == 0
    assert empty.sum() >= silent.sum()
    rows = states[2].clone()
    grad = torch.randn(adjacency.num_nodes, rows.shape[1], dtype=rows.dtype)
    _, grad_row = attend_backward_in_place(grad, *states[:2], rows, told, kept, None, 0.2)
    assert not rows[empty].any()
    assert not grad_row[empty].any()
    assert rows[~empty].any()


@pytest.mark.parametrize("graph", GRAPHS)
@pytest.mark.parametrize("mask", ["none", "some", "everything"])
def test_added_to_own_states_and_activated(graph, mask):
    adjacency = GRAPHS[graph]()
    keep, states = masks(adjacency)[mask], [t.detach() for t in inputs(adjacency)]
    sums, logsumexp = attend(*states, adjacency, keep, 0.2)
    own = torch.randn_like(sums)
    wanted = torch.nn.functional.leaky_relu(own + sums, 0.2)
    assert torch.equal(attend_and_activate(own, *states, adjacency, keep, 0.2)[0], logsumexp)
    torch.testing.assert_close(own, wanted, rtol=1e-12, atol=1e-12)


def test_too_short_a_mask_is_refused():
    adjacency = message_graph(11)
    with pytest.raises(ValueError, match="facts"):
        kept_edges(adjacency, torch.ones(adjacency.num_facts - 1, dtype=torch.bool))
