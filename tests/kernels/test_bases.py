import numba
import numpy as np
import pytest
import torch

from relwise.kernels import bases, basis_logits
from relwise.kernels.adjacency import build_adjacency, edge_targets
from relwise.kernels.basis_plan import basis_plan


def graph(seed=0, nodes=12, edges=80, relations=4):
    generator = torch.Generator().manual_seed(seed)
    draw = lambda high: torch.randint(0, high, (edges,), generator=generator)  # noqa: E731
    return build_adjacency(draw(nodes - 2), draw(nodes - 2), draw(relations), nodes, relations, draw(edges // 2 + 1))


def star(inward):
    """Two nodes with most of the edges, so that one node's edges fall into several slices."""
    hub, other = torch.arange(3000) % 2, 2 + torch.arange(3000) % 5
    return build_adjacency(other if inward else hub, hub if inward else other, torch.arange(3000) // 300 % 3, 9, 3)


GRAPHS = {
    "usual": graph,
    "one relation": lambda: graph(1, relations=1),
    "hundreds of relations": lambda: graph(2, edges=500, relations=300),
    "no edges": lambda: graph(3, edges=0),
    "hubs hear": lambda: star(inward=True),
    "hubs speak": lambda: star(inward=False),
}


@pytest.mark.parametrize("name", GRAPHS)
def test_the_plan_tells_the_same_edges_by_target_and_by_source(name):
    adjacency = GRAPHS[name]()
    plan = basis_plan(adjacency)
    row = adjacency.row.numpy()
    source, relation = adjacency.row_source.numpy()[row], adjacency.row_relation.numpy()[row]
    target = edge_targets(adjacency.indptr, adjacency.num_edges).numpy()
    assert (plan.edge_source == source).all()
    of_edge = np.repeat(plan.segment_relation, np.diff(plan.segment_edge))
    assert (of_edge == relation).all()
    segment = list(zip(target, relation, strict=True))
    assert len(plan.segment_relation) == len(dict.fromkeys(segment))
    assert (plan.segment_edge[plan.target_segment] == adjacency.indptr.numpy()).all()

    count = np.diff(plan.row_edge)
    again = np.stack([np.repeat(plan.row_source, count), plan.target, np.repeat(plan.row_relation, count), plan.fact])
    given = np.stack([source, target, relation, adjacency.fact.numpy()])
    assert sorted(map(tuple, again.T.tolist())) == sorted(map(tuple, given.T.tolist()))
    assert (np.diff(again[0]) >= 0).all()
    assert (plan.source_edge == np.searchsorted(again[0], np.arange(adjacency.num_nodes + 1))).all()
    assert (plan.row_relation == adjacency.row_relation.numpy()[plan.source_row]).all()


def test_the_plan_is_made_once_and_goes_with_its_graph():
    adjacency = graph()
    assert basis_plan(adjacency) is basis_plan(adjacency)
    assert basis_plan(adjacency) is not basis_plan(graph())


@pytest.mark.parametrize("name", GRAPHS)
@pytest.mark.parametrize("count", [1, 2, 5])
@pytest.mark.parametrize(("first", "last"), [(0, None), (1, 5), (3, 4)])
def test_sums_by_basis_are_the_sums_of_explicit_loops(name, count, first, last):
    adjacency, rng = GRAPHS[name](), np.random.default_rng(0)
    plan, last = basis_plan(adjacency), adjacency.num_nodes if last is None else last
    x = rng.standard_normal((adjacency.num_nodes, 7))
    coefficient, weight = rng.standard_normal((adjacency.num_relations, count)), rng.random(adjacency.num_edges)
    weight[rng.random(len(weight)) < 0.3] = 0
    got = np.full((last - first, count, 7), np.nan)
    indptr = adjacency.indptr.numpy()
    edges = plan.edge_source, weight, indptr, plan.segment_edge, plan.segment_relation
    bases.sum_by_basis(x, *edges, coefficient, first, last, got)
    relation = adjacency.row_relation.numpy()[adjacency.row.numpy()]
    want = np.zeros((adjacency.num_nodes, count, 7))
    for e, i in enumerate(edge_targets(adjacency.indptr, adjacency.num_edges).tolist()):
        want[i] += weight[e] * coefficient[relation[e]][:, None] * x[plan.edge_source[e]]
    np.testing.assert_allclose(got, want[first:last], rtol=1e-10, atol=1e-10)


def test_states_that_only_masked_edges_carry_are_not_read():
    adjacency = graph()
    plan, x = basis_plan(adjacency), np.ones((12, 3))
    x[plan.edge_source[0]] = np.nan
    weight = (plan.edge_source != plan.edge_source[0]).astype(float)
    got = np.empty((12, 2, 3))
    edges = plan.edge_source, weight, adjacency.indptr.numpy(), plan.segment_edge, plan.segment_relation
    bases.sum_by_basis(x, *edges, np.ones((4, 2)), 0, 12, got)
    assert np.isfinite(got).all()
    assert got[:, 0, 0].sum() == pytest.approx(weight.sum())


@pytest.mark.parametrize("name", GRAPHS)
def test_logits_of_rows_and_their_gradients(name):
    adjacency, rng = GRAPHS[name](), np.random.default_rng(1)
    plan, shape = basis_plan(adjacency), (adjacency.num_nodes, 3, 2)
    inputs = [
        torch.from_numpy(rng.standard_normal(s)).requires_grad_()
        for s in ((adjacency.num_relations, 3), shape, (adjacency.num_relations, 2))
    ]
    coefficient, by_basis, by_relation = inputs
    relation, source = adjacency.row_relation, adjacency.row_source
    want = (coefficient[relation][:, :, None] * by_basis[source]).sum(1) + by_relation[relation]
    got = np.empty(want.shape)
    arrays = [t.detach().numpy() for t in inputs]
    basis_logits.row_logits(*arrays, relation.numpy(), source.numpy(), got)
    np.testing.assert_allclose(got, want.detach(), rtol=1e-12, atol=1e-12)

    direction = rng.standard_normal(got.shape)
    of_coefficient, of_basis, of_relation = torch.autograd.grad(want, inputs, torch.from_numpy(direction))
    grad_basis = np.full(shape, np.nan)
    parts = np.zeros((4, *coefficient.shape)), np.zeros((4, *by_relation.shape))
    basis_logits.row_logits_backward(
        direction[plan.source_row], *arrays[:2], plan.row_relation, adjacency.source_indptr.numpy(), grad_basis, *parts
    )
    for one, other in ((grad_basis, of_basis), (parts[0].sum(0), of_coefficient), (parts[1].sum(0), of_relation)):
        np.testing.assert_allclose(one, other, rtol=1e-10, atol=1e-10)


def test_the_same_bits_with_one_thread_and_with_two():
    adjacency = graph(5, nodes=300, edges=5000, relations=9)
    plan, rng = basis_plan(adjacency), np.random.default_rng(2)
    x, weight = rng.random((300, 33), np.float32), rng.random(5000, np.float32)
    coefficient, before, results = rng.random((9, 3), np.float32), numba.get_num_threads(), []
    edges = plan.edge_source, weight, adjacency.indptr.numpy(), plan.segment_edge, plan.segment_relation
    for threads in (1, min(2, numba.config.NUMBA_NUM_THREADS)):
        numba.set_num_threads(threads)
        results.append(np.empty((300, 3, 33), np.float32))
        bases.sum_by_basis(x, *edges, coefficient, 0, 300, results[-1])
    numba.set_num_threads(before)
    assert (results[0] == results[1]).all()
