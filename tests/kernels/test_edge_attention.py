"""Attention with the edges' own states: against a plain float64 computation, on awkward graphs."""

from __future__ import annotations

import numba
import pytest
import torch
from torch.autograd import gradcheck

from relwise.kernels import edge_attention_torch
from relwise.kernels.attention import attend, attend_backward
from relwise.kernels.edge_attention import EdgeSlots, EdgeTerms, attend_edges, attend_edges_backward
from tests.kernels.test_attention import inputs, masks, message_graph

SHARES = {"all": 1.0, "some": 0.5, "none": 0.0}


def states(adjacency, share, dtype=torch.float64, heads=2, small=3):
    generator = torch.Generator().manual_seed(7)
    has = torch.rand(adjacency.num_edges, generator=generator) < share
    slot = torch.full((adjacency.num_edges,), -1)
    slot[has] = torch.randperm(int(has.sum()) + 2, generator=generator)[: int(has.sum())]
    count = int(has.sum()) + 2  # two states are no edge's
    own = tuple(torch.randn(count, n, generator=generator, dtype=dtype) for n in (heads, small))
    return EdgeSlots.of(slot, adjacency), own


def plain(target_logit, row_logit, rows, edge_logit, edge_value, adjacency, slots, keep):
    """One target after the other, in float64."""
    out, said = [], []
    for i in range(adjacency.num_nodes):
        edges = [e for e in range(adjacency.indptr[i], adjacency.indptr[i + 1]) if keep[adjacency.fact[e]]]
        if not edges:
            out.append(rows.new_zeros(rows.shape[1]))
            said.append(rows.new_zeros(edge_value.shape[1]))
            continue
        row, slot = adjacency.row[edges].long(), [int(slots.slot[e]) for e in edges]
        extra = torch.stack([edge_logit[s] if s >= 0 else edge_logit.new_zeros(2) for s in slot])
        value = torch.stack([edge_value[s] if s >= 0 else edge_value.new_zeros(edge_value.shape[1]) for s in slot])
        alpha = torch.nn.functional.leaky_relu(target_logit[i] + row_logit[row] + extra, 0.2).softmax(dim=0)
        out.append(alpha.mean(dim=1) @ rows[row])
        said.append(alpha.mean(dim=1) @ value)
    return torch.stack(out), torch.stack(said)


def run(given, adjacency, slots, keep=None):
    return attend_edges(EdgeTerms(*given), adjacency, slots, keep)


def back(out, said, given, logsumexp, adjacency, slots, keep=None):
    """The gradients where those above are ones."""
    above = torch.ones_like(out), torch.ones_like(said), logsumexp
    return attend_edges_backward(*above, EdgeTerms(*given), adjacency, slots, keep)


@pytest.mark.parametrize("share", SHARES)
@pytest.mark.parametrize("mask", ["none", "some", "everything"])
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-12), (torch.float32, 1e-5)])
def test_agrees_with_one_target_after_the_other(share, mask, dtype, tolerance):
    adjacency = message_graph(5)
    keep = masks(adjacency)[mask]
    slots, own = states(adjacency, SHARES[share], dtype)
    ours = [*(t.detach() for t in inputs(adjacency, dtype=dtype)), *own]
    out, said, logsumexp = run(ours, adjacency, slots, keep)
    exact = [t.double().requires_grad_() for t in ours]
    kept = torch.ones(adjacency.num_facts, dtype=torch.bool) if keep is None else keep
    expected = [t + 0 * sum(e.sum() for e in exact) for t in plain(*[*exact, adjacency, slots, kept])]
    torch.testing.assert_close(out.double(), expected[0], rtol=tolerance, atol=tolerance)
    torch.testing.assert_close(said.double(), expected[1], rtol=tolerance, atol=tolerance)
    above = [torch.randn(t.shape, dtype=torch.float64, generator=torch.Generator().manual_seed(3)) for t in expected]
    grad_out, grad_said = (t.to(dtype) for t in above)
    got = attend_edges_backward(grad_out, grad_said, logsumexp, EdgeTerms(*ours), adjacency, slots, keep)
    want = torch.autograd.grad(expected, exact, above, allow_unused=True, materialize_grads=True)
    for a, b in zip(got, want, strict=True):
        torch.testing.assert_close(a.double(), b, rtol=tolerance, atol=tolerance * max(1, b.abs().sum().item()))


def test_gradcheck():
    adjacency = message_graph(4, nodes=8, edges=20)
    slots, own = states(adjacency, 0.6)
    given = [*inputs(adjacency, width=3), *(t.requires_grad_() for t in own)]
    assert gradcheck(lambda *x: run(x, adjacency, slots, masks(adjacency)["some"])[:2], given)


def test_without_states_it_is_plain_attention():
    adjacency = message_graph(6)
    slots, own = states(adjacency, 0.0)
    ours = [t.detach() for t in inputs(adjacency)]
    out, said, logsumexp = run([*ours, *own], adjacency, slots)
    expected = attend(*[*ours, adjacency])
    torch.testing.assert_close(out, expected[0])
    torch.testing.assert_close(logsumexp, expected[1])
    assert not said.any()


def test_no_edges():
    adjacency = message_graph(3, edges=0)
    slots, own = states(adjacency, 1.0)
    ours = [t.detach() for t in inputs(adjacency)] + list(own)
    out, said, logsumexp = run(ours, adjacency, slots)
    assert not out.any()
    assert not said.any()
    grads = back(out, said, ours, logsumexp, adjacency, slots)
    assert not any(grad.any() for grad in grads)


def test_not_a_number_behind_a_mask_stays_there():
    adjacency = message_graph(5)
    keep = masks(adjacency)["some"]
    slots, own = states(adjacency, 1.0)
    masked = ~keep[adjacency.fact.long()]
    own[0][slots.slot[masked].long()] = float("nan")
    own[1][slots.slot[masked].long()] = float("nan")
    ours = [t.detach() for t in inputs(adjacency)] + list(own)
    out, said, logsumexp = run(ours, adjacency, slots, keep)
    assert out.isfinite().all()
    assert said.isfinite().all()
    grads = back(out, said, ours, logsumexp, adjacency, slots, keep)
    assert all(grad.isfinite().all() for grad in grads)


def test_the_same_bits_with_one_thread_and_with_two():
    adjacency = message_graph(8, nodes=300, edges=3000)
    slots, own = states(adjacency, 0.7, torch.float32)
    ours = [*(t.detach() for t in inputs(adjacency, dtype=torch.float32)), *own]

    def results():
        out, said, logsumexp = run(ours, adjacency, slots)
        return [out, said, logsumexp, *back(out, said, ours, logsumexp, adjacency, slots)]

    before = numba.get_num_threads()
    try:
        numba.set_num_threads(1)
        one = results()
        numba.set_num_threads(min(2, before))
        two = results()
    finally:
        numba.set_num_threads(before)
    assert all(torch.equal(a, b) for a, b in zip(one, two, strict=True))


@pytest.mark.parametrize("share", SHARES)
@pytest.mark.parametrize("mask", ["nothing", "some", "everything"])
def test_plain_torch_gives_the_same(share, mask):
    """What a GPU runs."""
    adjacency = message_graph(5)
    keep = masks(adjacency)[mask] if mask != "nothing" else torch.ones(adjacency.num_facts, dtype=torch.bool)
    slots, own = states(adjacency, SHARES[share])
    given = [t.detach() for t in inputs(adjacency)]
    kept = keep[adjacency.fact.long()]
    masked = ~kept & (slots.slot >= 0)
    silent = torch.ones(len(adjacency.row_source), dtype=torch.bool)
    silent[adjacency.row[kept].long()] = False
    assert mask == "nothing" or silent.any()
    for states_of in (*given[1:], *own):  # what nobody is to hear of
        states_of[silent if len(states_of) == len(silent) else slots.slot[masked].long()] = float("nan")
    terms = EdgeTerms(*given, *own)
    want = attend_edges(terms, adjacency, slots, keep)
    got = edge_attention_torch.forward(terms, adjacency, slots, keep, 0.2)
    for a, b in zip(got, want, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-12, atol=1e-12)
    generator = torch.Generator().manual_seed(3)
    above = (*(torch.randn(t.shape, dtype=t.dtype, generator=generator) for t in want[:2]), want[2])
    expected = attend_edges_backward(*above, terms, adjacency, slots, keep)
    found = edge_attention_torch.backward(*above, terms, adjacency, slots, keep, 0.2)
    for a, b in zip(found, expected, strict=True):
        assert a.isfinite().all()
        torch.testing.assert_close(a, b, rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize("edges", [0, 60])
def test_plain_torch_takes_a_graph_without_states_or_without_edges(edges):
    adjacency = message_graph(3, edges=edges)
    slots, own = states(adjacency, 0.0)
    terms = EdgeTerms(*(t.detach() for t in inputs(adjacency)), *(t[:0] for t in own))
    keep = torch.ones(adjacency.num_facts, dtype=torch.bool)
    out, said, logsumexp = edge_attention_torch.forward(terms, adjacency, slots, keep, 0.2)
    torch.testing.assert_close(out, attend(*terms[:3], adjacency)[0])
    assert out.any() == (edges > 0)
    assert not said.any()
    above = torch.ones_like(out), torch.ones_like(said), logsumexp
    found = edge_attention_torch.backward(*above, terms, adjacency, slots, keep, 0.2)
    expected = attend_backward(above[0], *terms[:3], logsumexp, adjacency)
    assert [t.shape for t in found] == [t.shape for t in terms]
    for a, b in zip(found[:3], expected, strict=True):
        torch.testing.assert_close(a, b)
